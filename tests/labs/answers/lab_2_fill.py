import numpy as np

from factcap.synth import cities
from tests.labs.answers.learned import learned


def measured():
    atlas = cities(3200, frequency="uniform", longest_key=5)
    known = {200: 200, 400: 400, 600: 600, 800: 790, 1200: 280, 1600: 90, 3200: 10}
    bits = {800: 2.0, 1200: 12.0, 1600: 9.0, 3200: 4.0}
    runs = {n: learned(atlas.prefix(n), known[n], bits.get(n, 0.0)) for n in known}
    return {"runs": runs}


_RUNS = measured()["runs"]
_STORED = [run.unclipped_stored_bits for run in _RUNS.values()]

WRONG = (
    {
        "should_fit": 32 * 8272 / 21,
        "capacity_bits": _STORED[-1],
        "bits_per_parameter": 8272 / max(_STORED),
        "known_if_even": 2 ** (_STORED[-1] / 3200 - 21),
        "parameters_needed": 3200 * 21,
    },
    {
        "should_fit": 2 * 8272,
        "capacity_bits": sum(_STORED),
        "bits_per_parameter": _STORED[-1] / 8272,
        "known_if_even": _STORED[-1] / 21,
        "parameters_needed": 3200 * 21 * max(_STORED) / 8272,
    },
    {
        "should_fit": 0,
        "capacity_bits": np.array(_STORED),
        "bits_per_parameter": "two",
        "known_if_even": 3200,
        "parameters_needed": 8272,
    },
)
