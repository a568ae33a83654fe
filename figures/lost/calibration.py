"""How far a model's probability of its answers is from how often they are right."""

import numpy as np
from jaxtyping import Bool, Float

from factcap.synth.errors import require

_BINS = 10


def calibration_error(
    probability: Float[np.ndarray, " answers"], right: Bool[np.ndarray, " answers"]
) -> float:
    """Expected calibration error (Guo et al. 2017, 1706.04599), ten bins of equal width.

    The mean, over answers, of the distance between the share that is right in the answer's bin and
    the mean probability there; 0 where there is no answer.

    Args:
        probability: of each answer, in [0, 1].
        right: whether it is right.

    Raises:
        BadInput: for a probability outside [0, 1].

    >>> probability = np.array([0.95, 0.95, 0.15, 0.15])
    >>> round(calibration_error(probability, np.array([True, False, False, False])), 12)
    0.3
    """
    _check(probability)
    if not len(right):
        return 0.0
    bins = np.minimum((probability * _BINS).astype(int), _BINS - 1)
    apart = np.bincount(bins, weights=probability.astype(float) - right)
    return float(np.abs(apart).sum() / len(right))


def sure_and_wrong(
    probability: Float[np.ndarray, " answers"], right: Bool[np.ndarray, " answers"], above: float
) -> float:
    """The share of the wrong answers that are given with more than a probability.

    0 where no answer is wrong.

    Raises:
        BadInput: as `calibration_error`.

    >>> sure_and_wrong(np.array([0.9, 0.6, 0.2]), np.array([True, False, False]), 0.5)
    0.5
    """
    _check(probability)
    return float((probability[~right] > above).mean()) if (~right).any() else 0.0


def _check(probability: Float[np.ndarray, " answers"]) -> None:
    inside = (probability >= 0) & (probability <= 1 + 1e-5)
    require(bool(inside.all()), "a probability lies between 0 and 1")
