"""The best ridge, by minimization, where no formula is known."""

import math
import warnings
from typing import Any

import numpy as np
from scipy import optimize

from factcap.capacity.laws import EdgeWarning
from factcap.capacity.rules_and_facts.losses import LossName
from factcap.capacity.rules_and_facts.solution import Solution, solve

_LOW, _HIGH = 1e-4, 1e4


def best_ridge(
    *,
    loss: LossName,
    alpha: float,
    epsilon: float,
    mu1: float = 1.0,
    mu_star: float = 0.0,
    width: float = math.inf,
) -> tuple[float, Solution]:
    """The ridge with the least error against the rule, and the learner with it.

    Searches $mu1^2$ times 1e-4 to 1e4 and compares the end below with a vanishing ridge. Warns
    (`EdgeWarning`) where the least error lies at the upper end.

    Args:
        loss: as for `solve`, like the others.
        alpha: > 0.
        epsilon: share of facts, 0 to below 1, since without a rule no ridge is best.
        mu1: > 0.
        mu_star: >= 0.
        width: > 0.

    Raises:
        ValueError: for an argument out of range.

    >>> ridge, found = best_ridge(loss="square", alpha=2.0, epsilon=0.2)
    >>> round(ridge, 3), round(found.generalization_error, 4)
    (1.454, 0.2479)
    """
    if not 0 <= epsilon < 1:
        raise ValueError(f"epsilon must lie in [0, 1), not {epsilon}")

    def learner(log_ridge: float, start: Solution | None = None) -> Solution:
        return solve(
            loss=loss,
            alpha=alpha,
            epsilon=epsilon,
            ridge=mu1**2 * math.exp(log_ridge) if log_ridge > -math.inf else 0.0,
            mu1=mu1,
            mu_star=mu_star,
            width=width,
            start=start,
        )

    grid = np.linspace(math.log(_HIGH), math.log(_LOW), 19)
    found: list[Solution] = []
    for log_ridge in grid:
        found.append(learner(log_ridge, found[-1] if found else None))
    errors = [one.generalization_error for one in found]
    least = int(np.argmin(errors))
    if least == 0:
        warnings.warn("the best ridge lies at the upper end searched", EdgeWarning, stacklevel=2)
        return mu1**2 * _HIGH, found[0]
    if least == len(grid) - 1:
        zero = learner(-math.inf, found[-1])
        if zero.converged and zero.generalization_error <= errors[-1]:
            return 0.0, zero
    low, high = float(grid[min(least + 1, len(grid) - 1)]), float(grid[least - 1])

    def error(log_ridge: float) -> float:
        return learner(log_ridge, found[least]).generalization_error

    near: Any = optimize.minimize_scalar(
        error, bounds=(low, high), method="bounded", options={"xatol": 1e-5}
    )
    log_ridge = float(near.x)
    return mu1**2 * math.exp(log_ridge), learner(log_ridge, found[least])
