import numpy as np

WRONG = (
    {
        "bits_each": 7,
        "held": 20_000 // 7,
        "chance": lambda bits, entropy: bits / entropy,
        "least_bits": 9000.0,
        "spend": lambda frequency, entropy, budget: np.full(len(entropy), budget / len(entropy)),
    },
    {
        "bits_each": 7 * np.log(10),
        "held": 20_000 // 28,
        "chance": lambda bits, entropy: 2.0 ** (entropy - bits),
        "least_bits": 10_000.0,
        "spend": lambda frequency, entropy, budget: entropy,
    },
    {
        "bits_each": 10**7,
        "held": "many",
        "chance": lambda bits, entropy: bits // 0,
        "least_bits": 0.9,
        "spend": lambda frequency, entropy, budget: np.array([budget]),
    },
)
