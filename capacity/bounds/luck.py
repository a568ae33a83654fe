"""What no model can reach by luck: the bounds for one random set of finitely many facts."""

import math

import numpy as np
import numpy.typing as npt
from scipy import special

from factcap.capacity.arguments import require_choices, require_whole
from factcap.capacity.bounds.bound import Bound, check
from factcap.capacity.bounds.inverse import smallest_budget
from factcap.capacity.bounds.rate_distortion import rate_distortion_bound

_LN2 = math.log(2)
_MOST_FACTS = 10**9  # beyond, log-factorials lose the fifth decimal of the result


def luck_bound(
    weights: npt.ArrayLike, choices: npt.ArrayLike, capacity_bits: float, probability: float
) -> Bound:
    """The accuracy that a model of C bits passes on a random fact set with at most a probability.

    A model described by C bits is one of $2^C$ answer sheets that were fixed before the facts were
    drawn. For every $t > 0$ the union bound and Chernoff's give
    P(any model reaches A) at most

        $2^C e^(-t A) prod_i (1 + (e^(t w_i) - 1) / K_i)$

    Setting the right side to delta and taking the best t is the dual of the rate-distortion bound
    ($t = ln 2 / theta$) at a budget larger by $log2(1/delta)$ bits: luck is worth just those bits.

    The statement is exact, at every number of facts, where C is the number of bits that describe
    the trained parameters (32 a parameter in float32); for a measured capacity it is a prediction.

    Args:
        weights: one a fact, >= 0.
        choices: one a fact or one for all, >= 1; values are uniform and independent.
        capacity_bits: C, >= 0.
        probability: delta, above 0, at most 1.

    Returns:
        The accuracy at the edge of the band, and the recalls of the optimum.

    Raises:
        ValueError: for an argument out of range.

    >>> band = luck_bound([0.25] * 4, 4, capacity_bits=2.0, probability=2**-3)
    >>> band.accuracy == rate_distortion_bound([0.25] * 4, 4, 5.0).accuracy
    True
    """
    _check(capacity_bits, probability)
    return rate_distortion_bound(weights, choices, capacity_bits - math.log2(probability))


def log2_chance(
    weights: npt.ArrayLike, choices: npt.ArrayLike, capacity_bits: float, accuracy: float
) -> float:
    """A bound on log2 of the probability that any model of C bits reaches an accuracy.

    `luck_bound` solved for the probability: $min(0, C - R)$, with R the budget at which the
    rate-distortion bound equals the accuracy. Beyond the sum of the weights it is -infinity.

    Raises:
        ValueError: for an argument out of range.

    >>> log2_chance([0.25] * 4, 4, 2.0, 1.0)  # 8 bits of facts, 2 held: 6 bits of luck
    -6.0
    """
    _check(capacity_bits, 1.0)
    problem = check(weights, choices, 0.0)
    if accuracy > float(problem.weights.sum()) * (1 + 1e-12):
        return -math.inf
    return min(0.0, capacity_bits - smallest_budget(weights, choices, accuracy))


def log2_chance_known(facts: int, choices: float, capacity_bits: float, known: int) -> float:
    """As `log2_chance` for uniform facts of one K, by counting: no Chernoff, no slack but one.

    log2 of $min(1, 2^C P(Bin(N, 1/K) >= m))$, the union bound over the $2^C$ answer sheets.

    Args:
        facts: N, 1 to 1e9.
        choices: K, at least 1.
        capacity_bits: C, >= 0.
        known: m, at least 0.

    Raises:
        ValueError: for an argument out of range.

    >>> log2_chance_known(4, 4, 2.0, 4)
    -6.0
    """
    _check(capacity_bits, 1.0)
    facts = require_whole("facts", facts, most=_MOST_FACTS)
    known = require_whole("known", known, least=0)
    require_choices(choices)
    if known > facts:
        return -math.inf
    return min(0.0, capacity_bits + _log_tail(facts, 1 / choices, known) / _LN2)


def most_known_by_luck(facts: int, choices: float, capacity_bits: float, probability: float) -> int:
    """The largest number of uniform facts that some model of C bits may know, but for a chance.

    The largest m at which the bound of `log2_chance_known` is not below the probability.

    Raises:
        ValueError: for an argument out of range.

    >>> most_known_by_luck(100, 1024, 500.0, 1e-6)
    61
    """
    _check(capacity_bits, probability)
    low, high = 0, require_whole("facts", facts, most=_MOST_FACTS) + 1  # the chance falls with m
    while high - low > 1:
        middle = (low + high) // 2
        chance = log2_chance_known(facts, choices, capacity_bits, middle)
        low, high = (middle, high) if chance >= math.log2(probability) else (low, middle)
    return low


def _log_tail(facts: int, chance: float, known: int) -> float:
    """Natural log of P(Bin(N, q) >= m); beyond the smallest double from its leading terms."""
    if known <= 0:
        return 0.0
    if chance == 1:
        return 0.0
    # P(Bin(N, q) >= m) = I_q(m, N - m + 1), the incomplete beta function
    direct = float(special.betainc(known, facts - known + 1, chance))
    if direct > 1e-250:
        return math.log(direct)
    # So far above the mean the terms fall at least as a geometric series of the first ratio:
    # sum them until they are e^-45 of the first.
    ratio = (facts - known) * chance / ((known + 1) * (1 - chance))
    count = 1 if ratio == 0 else math.ceil(45 / -math.log(ratio)) + 1
    terms = np.arange(known, min(facts, known + count) + 1, dtype=float)
    logs = (
        special.gammaln(facts + 1) - special.gammaln(terms + 1) - special.gammaln(facts - terms + 1)
    )
    logs += special.xlogy(terms, chance) + special.xlog1py(facts - terms, -chance)
    top = float(logs.max())
    return top + math.log(float(np.exp(logs - top).sum()))


def _check(capacity_bits: float, probability: float) -> None:
    if not capacity_bits >= 0:
        raise ValueError(f"capacity_bits must be >= 0, not {capacity_bits}")
    if not 0 < probability <= 1:
        raise ValueError(f"probability must lie in (0, 1], not {probability}")
