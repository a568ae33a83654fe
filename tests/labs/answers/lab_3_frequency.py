import numpy as np

from factcap.synth import cities, power_law
from tests.labs.answers.learned import learned


def _roomy():
    return cities(400, frequency="power_law", exponent=1.5, longest_key=5)


def measured():
    crowded = {
        s: learned(cities(1600, frequency="power_law", exponent=s, longest_key=5), known)
        for s, known in ((0.0, 90), (0.5, 241), (1.0, 215), (1.5, 127))
    }
    return {"roomy": _roomy(), "runs": {**crowded, "roomy": learned(_roomy(), 220)}}


def right():
    return {"own_run": learned(_roomy(), 400)}


WRONG = (
    {
        "top_share": 0.1,
        "rarest": 150,
        "weighted_accuracy": lambda recall, frequency: recall.mean(),
        "enough": 12.0,
        "own_run": learned(_roomy(), 220),
    },
    {
        "top_share": 1 - power_law(1600, 1.0)[:160].sum(),
        "rarest": 240_000 * power_law(1600, 1.0)[0],
        "weighted_accuracy": lambda recall, frequency: frequency[~recall].sum(),
        "enough": 400.0,
        "own_run": learned(_roomy(), 100),
    },
    {
        "top_share": 160,
        "rarest": power_law(1600, 1.0)[-1],
        "weighted_accuracy": lambda recall: 1.0,
        "enough": 10_000.0,
        "own_run": np.ones(3),
    },
)

WRONG_CODE = {"drawn": lambda frequency: frequency**2}
