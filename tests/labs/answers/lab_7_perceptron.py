from factcap.capacity import binary_entropy, gardner_capacity
from tests.labs.answers.unpredicted import unpredicted


def measured():
    return unpredicted(
        "predicted_ways",
        "predicted_share",
        "predicted_margin",
        "predicted_skew",
        "predicted_errors",
    )


def cut_anywhere(n, d):
    return 2 if n == 1 else cut_anywhere(n - 1, d) + (cut_anywhere(n - 1, d - 1) if d else 0)


WRONG = (
    {
        "dichotomies": lambda n, d: 2**n,
        "separable": lambda inputs, labels: True,
        "capacity": lambda margin: 1 / gardner_capacity(margin),
        "bits_a_weight": lambda f: gardner_capacity(positive_fraction=f),
        "least_errors": lambda load: max(0, 1 - 2 / load),
    },
    {
        "dichotomies": cut_anywhere,
        "separable": lambda inputs, labels: (labels @ inputs > 0).all(),
        "capacity": lambda margin: 1 / (1 + margin**2),
        "bits_a_weight": lambda f: 2 * binary_entropy(f),
        "least_errors": lambda load: max(0, 1 - 2 / load) / 2,
    },
)
