"""How good a prediction of accuracies is, beside what noise allows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from jaxtyping import Float64
from scipy import stats

_CALIBRATION_BINS = 20
_SMALLEST = 1e-6


@dataclass(frozen=True)
class Scores:
    """Scores of predicted against measured accuracies, a number a fact.

    Attributes:
        r2: 1 - sum (a - p)^2 / sum (a - mean a)^2 over facts; below 0 for what is worse than the
            mean.
        r2_interval: its 95 % interval, from drawing objects with replacement.
        r2_bins: the same over the means of bins, each bin counted once; the facts of no bin are
            left out.
        log_loss: mean of $-a ln p - (1 - a) ln(1 - p)$, in nats; p is kept 1e-6 away from 0 and 1.
        brier: mean of $(a - p)^2$.
        calibration_error: the facts in 20 bins of rising p, equally many each; the mean over facts
            of |mean a - mean p| of their bins.
        rank_correlation: Spearman's, NaN where all are predicted alike.
    """

    r2: float
    r2_interval: tuple[float, float]
    r2_bins: float
    log_loss: float
    brier: float
    calibration_error: float
    rank_correlation: float


def score(
    accuracy: Float64[np.ndarray, " facts"],
    predicted: Float64[np.ndarray, " facts"],
    *,
    bins: npt.NDArray[np.integer],
    groups: npt.NDArray,
    rng: np.random.Generator,
    resamples: int = 400,
) -> Scores:
    """Score predictions.

    Args:
        accuracy: a, share of right answers.
        predicted: p, 0 to 1.
        bins: number of each fact's bin for `r2_bins`; negative for none.
        groups: what is drawn together for the interval, a name a fact: the objects.
        rng: makes the draws.
        resamples: how many draws.

    Raises:
        ValueError: if the arrays are empty or not equally long.
    """
    if not 0 < len(accuracy) == len(predicted) == len(bins) == len(groups):
        raise ValueError("one accuracy, prediction, bin and group a fact, and one fact at least")
    p = np.clip(predicted, _SMALLEST, 1 - _SMALLEST)
    alike = np.ptp(predicted) == 0 or np.ptp(accuracy) == 0
    rank_correlation: Any = float("nan") if alike else stats.spearmanr(accuracy, predicted)[0]
    return Scores(
        r2=r_squared(accuracy, predicted),
        r2_interval=_interval(accuracy, predicted, groups, rng, resamples),
        r2_bins=_over_bins(accuracy, predicted, bins),
        log_loss=float(-(accuracy * np.log(p) + (1 - accuracy) * np.log1p(-p)).mean()),
        brier=float(np.square(accuracy - predicted).mean()),
        calibration_error=calibration_error(accuracy, predicted),
        rank_correlation=float(rank_correlation),
    )


def r_squared(accuracy: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """1 - sum (a - p)^2 / sum (a - mean a)^2; NaN where all accuracies are alike.

    >>> r_squared([0.0, 1.0], [0.25, 0.75])
    0.75
    """
    a, p = np.asarray(accuracy, float), np.asarray(predicted, float)
    spread = float(np.square(a - a.mean()).sum())
    return 1 - float(np.square(a - p).sum()) / spread if spread > 0 else float("nan")


def calibration_curve(
    accuracy: npt.ArrayLike, predicted: npt.ArrayLike, bins: int = _CALIBRATION_BINS
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Mean prediction, mean accuracy and facts of bins of equally many facts, by prediction.

    Facts of equal prediction stay together, so that bins may differ in size or be fewer.
    """
    a, p = np.asarray(accuracy, float), np.asarray(predicted, float)
    rank = stats.rankdata(p, method="min") - 1
    member = np.unique(rank * bins // len(p), return_inverse=True)[1]
    facts = np.bincount(member)
    return np.bincount(member, p) / facts, np.bincount(member, a) / facts, facts


def calibration_error(accuracy: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Mean over facts of |mean accuracy - mean prediction| of their bins, 20 of equally many.

    >>> round(calibration_error([0.0, 1.0], [0.2, 0.8]), 6)
    0.2
    """
    p, a, facts = calibration_curve(accuracy, predicted)
    return float((np.abs(p - a) * facts).sum() / facts.sum())


def noise_ceiling(
    accuracy: Float64[np.ndarray, " facts"], answers: Float64[np.ndarray, " facts"] | None
) -> float:
    """The $R^2$ that the true accuracies would have, measured by finitely many answers.

    An accuracy from m answers has the variance a (1 - a)/(m - 1) on average over its draws, or less
    where templates differ. The ceiling is 1 - mean noise / variance of the accuracies.

    Args:
        accuracy: a, share of right answers.
        answers: m of each fact.

    Returns:
        The ceiling; NaN where m is not known or 1, or all accuracies are alike.
    """
    spread = float(accuracy.var())
    if answers is None or not np.all(answers > 1) or spread == 0:
        return float("nan")
    return 1 - float((accuracy * (1 - accuracy) / (answers - 1)).mean()) / spread


def _over_bins(accuracy: npt.NDArray, predicted: npt.NDArray, bins: npt.NDArray) -> float:
    inside = bins >= 0
    if not inside.any():
        return float("nan")
    member = np.unique(bins[inside], return_inverse=True)[1]
    facts = np.bincount(member)
    means = [np.bincount(member, values[inside]) / facts for values in (accuracy, predicted)]
    return r_squared(*means)


def _interval(accuracy, predicted, groups, rng, resamples: int) -> tuple[float, float]:
    """95 % of the R^2 of draws of whole groups, from sums a group."""
    member = np.unique(groups, return_inverse=True)[1]
    number = int(member.max()) + 1
    error, facts = np.bincount(member, np.square(accuracy - predicted)), np.bincount(member)
    total, square = np.bincount(member, accuracy), np.bincount(member, np.square(accuracy))
    times = rng.multinomial(number, np.full(number, 1 / number), size=resamples)
    spread = times @ square - np.square(times @ total) / (times @ facts)
    r2 = 1 - (times @ error) / np.where(spread > 1e-12, spread, np.nan)
    if not np.isfinite(r2).any():
        return float("nan"), float("nan")
    low, high = np.nanquantile(r2, [0.025, 0.975])
    return float(low), float(high)
