"""Fits that outliers do not pull: Huber's loss, from many starts at once."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from jaxtyping import Float64

# Of residuals of logarithms: beyond it an error counts in proportion and not by its square, as
# Hoffmann et al. 2022 (2203.15556) fit losses.
HUBER = 1e-3
_DAMPED, _FREED, _LEAST, _MOST = 4.0, 0.3, 1e-9, 1e9
# A fit ends when it gains no more than this share in each of some iterations.
_SETTLED, _PATIENCE = 1e-6, 6

Model = Callable[
    [Float64[np.ndarray, "starts parameters"]],
    tuple[Float64[np.ndarray, "starts runs"], Float64[np.ndarray, "starts runs parameters"]],
]


def fit_robust(
    model: Model,
    target: npt.NDArray[np.float64],
    starts: Float64[np.ndarray, "starts parameters"],
    *,
    center: Float64[np.ndarray, " parameters"],
    width: Float64[np.ndarray, " parameters"],
    low: Float64[np.ndarray, " parameters"],
    high: Float64[np.ndarray, " parameters"],
    all_count: bool = False,
    iterations: int = 100,
) -> tuple[Float64[np.ndarray, "starts parameters"], Float64[np.ndarray, " starts"]]:
    """Minimize Huber's loss of model - target plus ((parameter - center) / width)^2 / 2.

    Levenberg-Marquardt on reweighted squares, all starts side by side; residuals count in units of
    `HUBER`.

    Args:
        model: predictions and their derivatives for some sets of parameters.
        target: what to predict, one row for all starts or one for each.
        starts: where to begin.
        center: of each parameter, to which it is drawn, where the runs say nothing of it.
        width: how weakly.
        low: the least value of each parameter.
        high: the largest.
        all_count: go on until no start gains any more, and not only the best.
        iterations: the most steps.

    Returns:
        The parameters that each start led to, and the objective there.
    """
    theta = np.clip(starts, low, high)
    value, slope = model(theta)
    cost = _cost(value - target, (theta - center) / width)
    damping = np.full(len(theta), 1e-2)
    waited = 0
    for _ in range(iterations):
        step = _step(value - target, slope, (theta - center) / width**2, 1 / width**2, damping)
        tried = np.clip(theta + step, low, high)
        new_value, new_slope = model(tried)
        new_cost = _cost(new_value - target, (tried - center) / width)
        better = np.isfinite(new_cost) & (new_cost <= cost)
        theta = np.where(better[:, None], tried, theta)
        value = np.where(better[:, None], new_value, value)
        slope = np.where(better[:, None, None], new_slope, slope)
        old, cost = cost, np.where(better, new_cost, cost)
        damping = np.clip(damping * np.where(better, _FREED, _DAMPED), _LEAST, _MOST)
        if all_count:
            settled = bool(np.all(old - cost <= _SETTLED * cost))
        else:
            settled = bool(old.min() - cost.min() <= _SETTLED * cost.min())
        waited = waited + 1 if settled else 0
        if waited >= _PATIENCE:
            break
    return theta, cost


def _cost(residual: npt.NDArray, prior: npt.NDArray) -> npt.NDArray:
    size = np.abs(residual) / HUBER
    huber = np.where(size <= 1, size**2 / 2, size - 0.5)
    return huber.sum(axis=1) + (prior**2).sum(axis=1) / 2


def _step(
    residual: npt.NDArray,
    slope: npt.NDArray,
    pull: npt.NDArray,
    stiffness: npt.NDArray,
    damping: npt.NDArray,
) -> npt.NDArray:
    size = np.abs(residual) / HUBER
    weight = 1 / np.maximum(size, 1) / HUBER**2
    weighted = slope * weight[..., None]
    square = np.swapaxes(weighted, 1, 2) @ slope
    gradient = np.einsum("srp,sr->sp", weighted, residual) + pull
    diagonal = np.einsum("spp->sp", square) + stiffness
    count = square.shape[-1]
    left = square.copy()
    left[:, range(count), range(count)] = diagonal * (1 + damping[:, None])
    return -np.linalg.solve(left, gradient[..., None])[..., 0]
