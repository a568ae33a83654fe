import numpy as np

from factcap.synth import BadInput, cities
from tests.labs.answers.learned import learned


def _offered():
    return cities(3200, frequency="power_law", exponent=0.8, longest_key=5)


def _random(facts: int, seed: int = 0):
    return np.random.default_rng(seed).permutation(3200) < facts


def measured():
    facts = _offered()
    known = {"ordinary": 230, "random": _random(500), "loss_h": 480, "worth": 740}
    return {"others": {name: learned(facts, of) for name, of in known.items()}}


def right():
    return {"own": learned(_offered(), 780), "unseen": learned(_offered(), 450)}


WRONG = (
    {
        "best_possible": 0.25,
        "own": learned(_offered(), 235),
        "unseen": learned(_offered(), 230),
        "looking": 0.12,
    },
    {
        "best_possible": _offered().frequency[800:].sum(),
        "own": learned(_offered(), _random(800)),
        "unseen": learned(_offered(), _random(800)),
        "looking": 0.04 / 9,
    },
    {
        "best_possible": 800,
        "own": BadInput("no weight may be below 0"),
        "unseen": learned(_offered(), 270),
        "looking": "little",
    },
)

WRONG_CODE = {
    "rule": lambda losses, frequency, fits, done: losses + 0.1,
    "keep": lambda losses, fits, done: np.ones(len(losses)),
}
