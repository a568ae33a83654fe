"""Whether a sample is a training point: by nearest neighbors, and at which noise one takes over."""

import math

import numpy as np
import numpy.typing as npt
from jaxtyping import Float64
from scipy import optimize

from factcap.capacity.memorized_prior.arrays import require_array
from factcap.capacity.memorized_prior.distances import cloud, exact_gaps, gaps
from factcap.capacity.memorized_prior.weights import effective_modes

_RTOL = 4 * np.finfo(float).eps  # the least that brentq takes


def nearest_ratio(samples: npt.ArrayLike, points: npt.ArrayLike) -> Float64[np.ndarray, " samples"]:
    """The distance to the nearest training point over that to the second nearest, of each sample.

    Near 0 the sample is a copy; near 1 it lies between points. A sample that lies on a training
    point counts 0, even on one that occurs twice.

    Args:
        samples: samples x d.
        points: the training points, at least two, points x d.

    Raises:
        ValueError: for arrays that are not finite or of another shape.

    >>> nearest_ratio([[0.0], [1.0], [2.0]], [[0.0], [4.0], [9.0]]).round(3).tolist()
    [0.0, 0.333, 1.0]
    """
    point = require_array("points", points, None, None)
    if len(point) < 2:
        raise ValueError("points must be at least two")
    sample = require_array("samples", samples, None, point.shape[1])
    ratio = np.zeros(len(sample))
    # the gap of the second nearest is the second smallest
    for block in gaps(cloud(point), sample, lambda rough: np.partition(rough, 1)[:, 1], 0.0):
        second = block.nearest_square + np.partition(block.gaps, 1)[:, 1]
        away = block.nearest_square > 0
        ratio[block.rows][away] = np.sqrt(block.nearest_square[away] / second[away])
    return ratio


def memorized_fraction(
    samples: npt.ArrayLike, points: npt.ArrayLike, threshold: float = 1 / 3
) -> float:
    """The share of samples whose `nearest_ratio` is below the threshold.

    A third is the usual threshold (Yoon et al. 2023; Gu et al. 2023, 2310.02664). It is a rule of
    thumb: in few dimensions fresh samples pass it by chance, in many hardly any does.

    Args:
        samples: samples x d.
        points: the training points, points x d.
        threshold: above 0, at most 1.

    Raises:
        ValueError: for an argument out of range.

    >>> memorized_fraction([[0.1], [2.0]], [[0.0], [4.0]])
    0.5
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold must lie in (0, 1], not {threshold}")
    return float((nearest_ratio(samples, points) < threshold).mean())


def takeover_noise(query: npt.ArrayLike, points: npt.ArrayLike, modes: float = 1.5) -> float:
    """The noise below which one training point takes over at a query.

    The sigma at which the effective modes of $omega(x) = softmax(-|x - x_n|^2 / (2 sigma^2))$ are
    `modes`. Their entropy is that of a Gibbs distribution of temperature $sigma^2$, so it rises
    with sigma, from the ties for nearest to N, and there is one such sigma; found by bracketing.

    Let $g = |x - x_(2)|^2 - |x - x_(1)|^2$ be the gap between the two nearest. At a training point
    g is the squared distance to its nearest neighbor; noise added to the point leaves the mean of
    the gap between these two as it is. Let $L(k)$ solve effective modes = `modes` for one weight 1
    and k weights $e^-L$. Then $sigma >= sqrt(g / (2 L(N-1)))$, and for modes < 2 also
    $sigma <= sqrt(g / (2 L(1)))$: a second point alone confuses least, $N - 1$ second nearest ones
    most. At 1.5 modes $L(1) = 1.8$, so that sigma at a training point is at most 0.53 of the
    nearest-neighbor distance; $L(N-1)$ grows as ln N.

    Args:
        query: x, d.
        points: the training points, at least two, points x d.
        modes: above 1, below N.

    Returns:
        sigma, in units of the points; 0 if so many points tie for nearest that the modes are never
        fewer.

    Raises:
        ValueError: for an argument out of range.

    >>> round(takeover_noise([0.0], [[0.0], [1.0]]), 3)
    0.525
    """
    point = require_array("points", points, None, None)
    x = require_array("query", query, point.shape[1])
    if not 1 < modes < len(point):
        raise ValueError(f"modes must lie between 1 and the number of points, not {modes}")
    apart = exact_gaps(point, x)
    if np.count_nonzero(apart == 0) >= modes:
        return 0.0

    log_gap = np.full(len(point), -math.inf)
    np.log(apart, out=log_gap, where=apart > 0)

    def over(log_square: float) -> float:
        # e^-1097 is 0 already
        power = np.exp(np.minimum(log_gap - log_square - math.log(2), 7.0))
        return math.log(effective_modes(np.exp(-power))) - math.log(modes)

    # All weights lie within e^(-largest gap / (2 sigma^2)) of each other, so the entropy lacks at
    # most that exponent of ln N.
    high = float(log_gap.max()) - math.log(2 * math.log(len(point) / modes))
    if over(high) <= 0:  # by rounding, for modes that are nearly N
        return math.exp(high / 2)
    step = 1.0
    while over(high - step) > 0:
        step *= 2
    found = optimize.brentq(over, high - step, high, xtol=1e-13, rtol=_RTOL)
    return math.exp(float(np.asarray(found)) / 2)
