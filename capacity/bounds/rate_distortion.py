"""The information-theoretic limit: no way of storing the facts does better."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from jaxtyping import Float64

from capacity.bounds.bound import Bound, check

_LARGEST = 709.0  # exp of it is finite
_SMALLEST = 1e-290  # below it a number of nats is as good as none
_SAMPLE = 4096


def rate_distortion_bound(
    weights: npt.ArrayLike, choices: npt.ArrayLike, budget_bits: float
) -> Bound:
    """Most accuracy that any model can have which holds `budget_bits` bits about the facts.

    To recall with probability a a value that is uniform on K choices takes
    R(a) = log2 K - h2(a) - (1 - a) log2(K - 1) bits for a >= 1/K and none below, with h2 the
    binary entropy (rate-distortion function of Hamming distortion; Cover and Thomas 2006,
    theorem 10.3 and exercise 10.5). The bound maximizes sum w_i a_i under sum R_i(a_i) <= C. It
    holds for every number of facts and every model, jointly coding all facts or not.

    Assumptions: the value of fact i is uniform on its choices, independent of all else.

    Args:
        weights: one a fact, >= 0; 1/N each for plain accuracy, the frequencies for weighted.
        choices: one a fact or one for all, >= 1: how many values were equally likely.
        budget_bits: what the model can hold about the facts, in bits, >= 0.

    Returns:
        The recall of each fact at the optimum and the accuracy, sum of weight times recall. A
        fact of weight 0 stays at its guess 1/K unless the budget covers all facts.

    Raises:
        ValueError: for an argument out of range.

    >>> bound = rate_distortion_bound([0.5, 0.5], 2, 1.0)
    >>> a = float(bound.recall[0])
    >>> round(2 * float(1 + a * np.log2(a) + (1 - a) * np.log2(1 - a)), 9)
    1.0
    """
    problem = check(weights, choices, budget_bits)
    if problem.everything_fits:
        return problem.all_known()
    weight, log_k = problem.weights, problem.entropy_bits * np.log(2)
    largest, budget = weight.max(), problem.budget_bits * np.log(2)
    if budget < _SMALLEST or largest == 0:
        return problem.bound(1 / problem.choices)
    wanted = weight > 0
    if budget >= log_k[wanted].sum():
        return problem.bound(np.where(wanted, 1.0, 1 / problem.choices))
    with np.errstate(divide="ignore"):
        log_others = np.log(problem.choices - 1)
    facts = _Facts(weight / largest, problem.choices, log_k, log_others)
    return problem.bound(_at(facts, _solve(facts, budget)).recall)


class _Facts(NamedTuple):
    """Weights relative to the largest, choices K, ln K and ln(K - 1)."""

    weight: Float64[np.ndarray, " facts"]
    choices: Float64[np.ndarray, " facts"]
    log_k: Float64[np.ndarray, " facts"]
    log_others: Float64[np.ndarray, " facts"]


class _Rates(NamedTuple):
    """At one price: the recalls, their rate in nats, and its derivative by the log of x."""

    recall: Float64[np.ndarray, " facts"]
    nats: float
    slope: float


def _at(facts: _Facts, log_scale: float) -> _Rates:
    """The optimum at the price theta, where x_i = w_i ln 2 / theta = weight_i exp(log_scale).

    With z = x - ln(K - 1): a = e^x / (e^x + K - 1) = 1 / (1 + e^-z), and in nats
    R = a x - ln((e^x + K - 1) / K), each half of which is written so that it neither overflows
    nor cancels on its side of z = 0.
    """
    x = facts.weight * np.exp(log_scale)
    z = x - facts.log_others
    small = np.exp(-np.abs(z))
    minor = small / (1 + small)  # the smaller one of a and 1 - a
    known = z > 0
    recall = np.where(known, 1 - minor, minor)
    # z > 0: R = ln K - (1 - a) x - ln(1 + e^-z)
    # z <= 0: R = a x - ln(1 + (e^x - 1) / K)
    nats = np.where(
        known,
        facts.log_k - minor * x - np.log1p(small),
        minor * x - np.log1p(np.expm1(np.where(known, 0.0, x)) / facts.choices),
    )
    # dR/dx = x da/dx = x a (1 - a), so dR/d(ln x) = x^2 a (1 - a)
    slope = (x * minor) * (x * (1 - minor))
    return _Rates(recall, float(nats.sum()), float(slope.sum()))


def _solve(facts: _Facts, budget: float) -> float:
    """The log_scale at which the rates sum to the budget (in nats): Newton within a bracket.

    The unknown is taken against the log of the rate, where a power law is nearly a straight line.
    """
    # dR/dx <= x / 4, so R <= x^2 / 8: at this scale the rates are at most the budget.
    low = 0.5 * float(np.log(8 * budget / np.square(facts.weight).sum()))
    high = max(_LARGEST, low)
    point = low
    if len(facts.weight) > 2 * _SAMPLE:
        every = len(facts.weight) // _SAMPLE
        sample = _Facts(*(array[::every] for array in facts))
        share = sample.log_k.sum() / facts.log_k.sum()
        point = min(max(_solve(sample, budget * share), low), high)
    for _ in range(200):
        rates = _at(facts, point)
        excess = np.log(rates.nats / budget) if rates.nats > _SMALLEST * budget else -np.inf
        if abs(excess) < 1e-13:
            break
        low, high = (point, high) if excess < 0 else (low, point)
        if high - low < 1e-14 * max(1.0, abs(low)):
            break
        step = -excess * rates.nats / rates.slope if rates.slope > _SMALLEST else np.inf
        newton = point + step
        point = newton if low < newton < high else (low + high) / 2
    return point
