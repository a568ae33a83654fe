"""The bounds turned round: the budget an accuracy needs, and the load at which it is lost."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from factcap.capacity.arguments import require_choices
from factcap.capacity.bounds.all_or_nothing import all_or_nothing_bound
from factcap.capacity.bounds.bound import check
from factcap.capacity.bounds.even_spreading import even_spreading
from factcap.capacity.bounds.power_law import power_law_bound
from factcap.capacity.bounds.rate_distortion import rate_distortion_bound

_RTOL = 4 * np.finfo(float).eps  # the least that brentq takes
_BOUNDS = {
    "rate_distortion": rate_distortion_bound,
    "all_or_nothing": all_or_nothing_bound,
    "even_spreading": even_spreading,
}


def smallest_budget(
    weights: npt.ArrayLike,
    choices: npt.ArrayLike,
    accuracy: float,
    *,
    kind: str = "rate_distortion",
) -> float:
    """The smallest budget at which an accuracy is possible, in bits.

    Args:
        weights: one a fact, >= 0: $1/N$ each for plain accuracy, the frequencies for weighted.
        choices: one a fact or one for all, >= 1.
        accuracy: sum of weight times recall, at most the sum of the weights. What a guess
            reaches costs 0 bits.
        kind: which bound: `rate_distortion`, `all_or_nothing` or `even_spreading`.

    Raises:
        ValueError: for an argument out of range.

    >>> round(smallest_budget([0.5, 0.5], 2, 0.75), 6)  # 2 (1 - h2(1/4)) bits
    0.377444
    """
    bound = _bound(kind)
    problem = check(weights, choices, 0.0)
    most = float(problem.weights.sum())
    _check_accuracy(accuracy, most)
    entropy, asked = problem.entropy_bits, problem.weights > 0
    if kind == "even_spreading":
        # every fact is filled up to the level at which the last one that is asked for is whole
        every = np.minimum(entropy, entropy[asked].max(initial=0.0)).sum()
    else:
        every = entropy[asked].sum()
    return _invert(
        lambda bits: bound(weights, choices, bits).accuracy, accuracy, most, float(every)
    )


def smallest_power_law_budget(
    facts: float,
    choices: float,
    exponent: float,
    accuracy: float,
    *,
    kind: str = "rate_distortion",
    objective: str = "weighted",
) -> float:
    """As `smallest_budget`, for `power_law_bound`: no array of the facts.

    Raises:
        ValueError: for an argument out of range.

    >>> round(smallest_power_law_budget(1000, 16, 0.0, 1.0))
    4000
    """

    def reached(bits: float) -> float:
        return power_law_bound(
            facts, choices, exponent, bits, kind=kind, objective=objective
        ).accuracy

    reached(0.0)  # checks the arguments
    _check_accuracy(accuracy, 1.0)
    return _invert(reached, accuracy, 1.0, facts * math.log2(choices))


def largest_load(
    weights: npt.ArrayLike,
    choices: npt.ArrayLike,
    accuracy: float,
    *,
    kind: str = "rate_distortion",
) -> float:
    """The load, bits of the facts over the budget, up to which an accuracy is possible.

    Infinite where a guess is as good. At accuracy 1 (of weights that sum to 1) it is 1: there the
    accuracy of any model starts to fall.

    Raises:
        ValueError: as `smallest_budget`.

    >>> largest_load([0.5, 0.5], 4, 1.0)
    1.0
    """
    budget = smallest_budget(weights, choices, accuracy, kind=kind)
    total = float(check(weights, choices, 0.0).entropy_bits.sum())
    return math.inf if budget == 0 else total / budget


def most_facts_known_whole(budget_bits: float, choices: float) -> float:
    """The largest number of uniform facts that a model can know without an error: $C / log2 K$.

    Below it a code that stores each fact is enough; above it rate-distortion forbids it.

    Raises:
        ValueError: for an argument out of range.

    >>> most_facts_known_whole(1000, 16)
    250.0
    """
    if not budget_bits >= 0:
        raise ValueError(f"budget_bits must be >= 0, not {budget_bits}")
    require_choices(choices)
    return math.inf if choices == 1 else budget_bits / math.log2(choices)


def _bound(kind: str) -> Callable:
    if kind not in _BOUNDS:
        raise ValueError(f"kind must be one of {', '.join(_BOUNDS)}, not {kind!r}")
    return _BOUNDS[kind]


def _check_accuracy(accuracy: float, most: float) -> None:
    if not 0 <= accuracy <= most * (1 + 1e-12):
        raise ValueError(f"accuracy must lie in [0, {most:g}], not {accuracy}")


def _invert(reached: Callable[[float], float], accuracy: float, most: float, total: float) -> float:
    """The smallest number of bits that reaches the accuracy; `total` bits reach the most."""
    if reached(0.0) >= accuracy * (1 - _RTOL):
        return 0.0
    # Just below all bits; there is nothing to search above, where doubles see the most already.
    high = total * (1 - 1e-15)
    if accuracy >= most * (1 - _RTOL) or reached(high) < accuracy:
        return total
    found = brentq(lambda bits: reached(bits) - accuracy, 0.0, high, xtol=1e-20 * total, rtol=_RTOL)
    return float(np.asarray(found))
