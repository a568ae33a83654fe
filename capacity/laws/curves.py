"""Laws of capacity against exposures, parameters and samples, fitted with intervals."""

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from jaxtyping import Float64
from scipy import optimize, special

from factcap.capacity.arguments import require_whole


class EdgeWarning(UserWarning):
    """The optimum of a fit lies at or beyond the edge of the data; its numbers are a guess."""


@dataclass(frozen=True)
class Fit:
    """A fitted law.

    Attributes:
        estimate: value of each constant.
        interval: lower and upper end for each constant, from the bootstrap.
        level: share of the bootstrap that lies within an interval.
        edge: what lies at the edge of the data; empty where all is well.
        predict: the law with the estimates.
    """

    estimate: dict[str, float]
    interval: dict[str, tuple[float, float]]
    level: float
    edge: tuple[str, ...]
    predict: Callable[[npt.ArrayLike], Float64[np.ndarray, "..."]]


def fit_exposures(
    exposures: npt.ArrayLike,
    capacity_bits: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    resamples: int = 1000,
    level: float = 0.95,
) -> Fit:
    """Fit $C(E) = C_inf (1 - exp(-k E))$: capacity reached against exposures.

    Saturation in the number of exposures was seen by Lu et al. 2024 (2406.15720); the form is
    ours. Least squares in C; intervals by resampling pairs.

    Args:
        exposures: E of each measurement, > 0.
        capacity_bits: C reached by each, >= 0, in bits or in bits a parameter.
        rng: draws the resamples.
        resamples: number of them, at least 1.
        level: of the intervals, in (0, 1).

    Returns:
        Constants `saturated` ($C_inf$) and `rate` (k, per exposure). Warns (`EdgeWarning`) where
        $1/k$ is longer than the most exposures measured, so that $C_inf$ is an extrapolation, or
        shorter than the fewest, so that k is not seen. The search for k ends at $e^-5$ of the
        inverse of the most exposures and at $e^3$ of that of the fewest: an estimate there says
        that the data do not bound it.

    Raises:
        ValueError: for an argument out of range, or fewer than three different exposures.
    """
    x, y = _points(exposures, capacity_bits, "exposures", "capacity_bits", different=3)

    def law(constants: npt.NDArray, at: npt.NDArray) -> npt.NDArray:
        return constants[0] * -np.expm1(-constants[1] * at)

    # One range of ln k for all resamples: from no saturation in sight to all of it at once.
    slow, fast = -math.log(x.max()) - 5, -math.log(x.min()) + 3
    unit = float(y.max()) or 1.0

    def fit(x: npt.NDArray, y: npt.NDArray) -> npt.NDArray:
        # C_inf follows from k linearly, so the search is over ln k alone, on a grid that is
        # refined around its best point.
        y = y / unit
        center, reach, saturated = (slow + fast) / 2, (fast - slow) / 2, 0.0
        for _ in range(6):
            grid_G = np.clip(center + reach * np.linspace(-1, 1, 81), slow, fast)
            shape_GxN = -np.expm1(-np.exp(grid_G)[:, None] * x)
            saturated_G = (shape_GxN @ y) / np.square(shape_GxN).sum(axis=1)
            errors_G = np.square(y - saturated_G[:, None] * shape_GxN).sum(axis=1)
            best = int(np.argmin(errors_G))
            center, reach, saturated = float(grid_G[best]), reach / 30, float(saturated_G[best])
        return np.array([saturated * unit, math.exp(center)])

    names = ("saturated", "rate")
    result = _bootstrap(fit, law, names, x, y, rng, resamples, level)
    scale = 1 / result.estimate["rate"]
    edge = []
    if scale >= x.max():
        edge.append(
            f"the rate's scale of {scale:.3g} exposures is beyond the {x.max():.3g} measured: "
            "the saturated capacity is an extrapolation"
        )
    if scale <= x.min():
        edge.append(f"all exposures measured lie beyond the rate's scale of {scale:.3g}")
    return _warned(result, edge)


def fit_parameters(
    parameters: npt.ArrayLike,
    capacity_bits: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    resamples: int = 1000,
    level: float = 0.95,
) -> Fit:
    """Fit $C = c (P / P_mid)^b$: capacity against the number of parameters.

    Least squares in the logarithms. Where bits a parameter are constant (Allen-Zhu and Li 2024,
    Morris et al. 2025), b is 1. $P_mid$ is the geometric mean of the sizes measured.

    Args:
        parameters: P of each measurement, > 0.
        capacity_bits: C of each, > 0.
        rng: draws the resamples.
        resamples: number of them, at least 1.
        level: of the intervals, in (0, 1).

    Returns:
        Constants `power` (b) and `bits_per_parameter` ($c / P_mid$, at the middle size). Warns
        (`EdgeWarning`) where the sizes span less than a factor of 4, too little for a power.

    Raises:
        ValueError: for an argument out of range, or fewer than two different sizes.
    """
    x, y = _points(parameters, capacity_bits, "parameters", "capacity_bits", different=2)
    if not np.all(y > 0):
        raise ValueError("capacity_bits must be above 0")
    middle = float(np.exp(np.log(x).mean()))

    def law(constants: npt.NDArray, at: npt.NDArray) -> npt.NDArray:
        return constants[1] * middle * (at / middle) ** constants[0]

    def fit(x: npt.NDArray, y: npt.NDArray) -> npt.NDArray:
        power, log_value = np.polyfit(np.log(x / middle), np.log(y), 1)
        return np.array([power, math.exp(log_value) / middle])

    names = ("power", "bits_per_parameter")
    result = _bootstrap(fit, law, names, x, y, rng, resamples, level)
    edge = []
    if x.max() < 4 * x.min():
        edge.append(f"the sizes span a factor of {x.max() / x.min():.3g} only, too little")
    return _warned(result, edge)


def membership_f1(samples: npt.ArrayLike, parameters: npt.ArrayLike) -> Float64[np.ndarray, "..."]:
    """F1 of membership inference by loss against the size of the training set.

    $F1 = 1/2 (1 + 1.34 sigmoid(-33.14 (|D|/P - 0.034)))$, the law of Morris et al. 2025
    (2505.24832) in the form that reproduces their validation table (the argument often quoted,
    capacity / |D|, does not). It passes 1 by 0.6 % where samples are few, and is cut off there.

    Args:
        samples: |D|, training samples, > 0.
        parameters: P, > 0.

    Returns:
        F1 for each pair (numpy broadcasting), 1/2 for a set so large that members do not show.

    Raises:
        ValueError: for an argument out of range.

    >>> round(float(membership_f1(170_654, 1e6)), 2)
    0.51
    """
    ratio = np.asarray(_positive(samples, "samples") / _positive(parameters, "parameters"))
    return np.asarray(np.minimum(_membership(np.array([1.34, 33.14, 0.034]), ratio), 1.0))


def fit_membership(
    samples: npt.ArrayLike,
    parameters: npt.ArrayLike,
    f1: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    resamples: int = 200,
    level: float = 0.95,
) -> Fit:
    """Fit the law of `membership_f1`, $F1 = 1/2 (1 + a sigmoid(-b (|D|/P - c)))$, to measurements.

    Args:
        samples: |D| of each measurement, > 0.
        parameters: P of each, > 0.
        f1: of each, 0 to 1.
        rng: draws the resamples.
        resamples: number of them, at least 1.
        level: of the intervals, in (0, 1).

    Returns:
        Constants `height` (a), `slope` (b) and `middle` (c); `predict` takes $|D|/P$. Warns
        (`EdgeWarning`) where the middle of the fall is outside the ratios measured.

    Raises:
        ValueError: for an argument out of range, or fewer than four different ratios.
    """
    ratio = _positive(samples, "samples") / _positive(parameters, "parameters")
    x, y = _points(ratio, f1, "samples / parameters", "f1", different=4)
    if not np.all(y <= 1):
        raise ValueError("f1 must lie in [0, 1]")

    def fit(x: npt.NDArray, y: npt.NDArray) -> npt.NDArray:
        # In ln b and ln c, so that both stay positive.
        def residual(u: npt.NDArray) -> npt.NDArray:
            return _membership(np.array([u[0], math.exp(u[1]), math.exp(u[2])]), x) - y

        middle = float(np.exp(np.log(x).mean()))
        starts = [
            np.array([1.0, math.log(steep / center), math.log(center)])
            for center in (x.min(), middle, x.max())
            for steep in (1.0, 4.0)
        ]
        bounds = ([0.0, -50.0, -50.0], [2.0, 50.0, 50.0])
        found = min(
            (optimize.least_squares(residual, start, bounds=bounds) for start in starts),
            key=lambda one: one.cost,
        )
        return np.array([found.x[0], math.exp(found.x[1]), math.exp(found.x[2])])

    names = ("height", "slope", "middle")
    result = _bootstrap(fit, _membership, names, x, y, rng, resamples, level)
    middle, edge = result.estimate["middle"], []
    if not x.min() < middle < x.max():
        edge.append(
            f"the middle of the fall, {middle:.3g} samples a parameter, is outside the ratios "
            f"measured, {x.min():.3g} to {x.max():.3g}"
        )
    return _warned(result, edge)


def _membership(constants: npt.NDArray, ratio: npt.NDArray) -> npt.NDArray:
    height, slope, middle = constants
    return np.asarray(0.5 * (1 + height * special.expit(-slope * (ratio - middle))))


def _bootstrap(fit, law, names, x, y, rng, resamples, level) -> Fit:
    require_whole("resamples", resamples)
    if not 0 < level < 1:
        raise ValueError(f"level must lie in (0, 1), not {level}")
    constants = fit(x, y)
    needed = len(names)
    drawn = []
    while len(drawn) < resamples:
        pick = rng.integers(len(x), size=len(x))
        if len(np.unique(x[pick])) >= needed:  # fewer do not determine the constants
            drawn.append(fit(x[pick], y[pick]))
    tails = (1 - level) / 2
    low, high = np.quantile(drawn, [tails, 1 - tails], axis=0)
    return Fit(
        estimate=dict(zip(names, map(float, constants), strict=True)),
        interval={name: (float(low[i]), float(high[i])) for i, name in enumerate(names)},
        level=level,
        edge=(),
        predict=lambda at: np.asarray(law(constants, np.asarray(at, float))),
    )


def _warned(fit: Fit, edge: list[str]) -> Fit:
    for message in edge:
        warnings.warn(message, EdgeWarning, stacklevel=3)
    return Fit(fit.estimate, fit.interval, fit.level, tuple(edge), fit.predict)


def _positive(values: npt.ArrayLike, name: str) -> npt.NDArray:
    array = np.asarray(values, float)
    if not np.all((array > 0) & np.isfinite(array)):
        raise ValueError(f"{name} must be finite and > 0")
    return array


def _points(
    x: npt.ArrayLike, y: npt.ArrayLike, x_name: str, y_name: str, *, different: int
) -> tuple[npt.NDArray, npt.NDArray]:
    at, values = np.atleast_1d(_positive(x, x_name)), np.atleast_1d(np.asarray(y, float))
    if at.shape != values.shape or at.ndim != 1:
        raise ValueError(f"{x_name} and {y_name} must be one number a measurement each")
    if not np.all((values >= 0) & np.isfinite(values)):
        raise ValueError(f"{y_name} must be finite and >= 0")
    if len(np.unique(at)) < different:
        raise ValueError(f"{x_name} must have {different} different values or more")
    return at, values
