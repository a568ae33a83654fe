"""The information-theoretic limit: no way of storing the facts does better."""

import numpy as np
import numpy.typing as npt

from factcap.capacity.bounds.bound import Bound, check
from factcap.capacity.bounds.rates import SMALLEST, Facts, rates_at, solve

_SAMPLE = 4096


def rate_distortion_bound(
    weights: npt.ArrayLike, choices: npt.ArrayLike, budget_bits: float
) -> Bound:
    """Most accuracy that any model can have which holds `budget_bits` bits about the facts.

    To recall with probability a a value that is uniform on K choices takes

        $R(a) = log2 K - h2(a) - (1 - a) log2(K - 1)$

    bits for $a >= 1/K$ and none below, with h2 the binary entropy (rate-distortion function of
    Hamming distortion; Cover and Thomas 2006, theorem 10.3 and exercise 10.5). The bound maximizes
    $sum w_i a_i$ under $sum R_i(a_i) <= C$. It holds for every number of facts and every model,
    jointly coding all facts or not.

    Assumptions: the value of fact i is uniform on its choices, independent of all else.

    Args:
        weights: one a fact, >= 0; $1/N$ each for plain accuracy, the frequencies for weighted.
        choices: one a fact or one for all, >= 1: how many values were equally likely.
        budget_bits: what the model can hold about the facts, in bits, >= 0.

    Returns:
        The recall of each fact at the optimum and the accuracy, sum of weight times recall. A
        fact of weight 0 stays at its guess $1/K$ unless the budget covers all facts.

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
    if budget < SMALLEST or largest == 0:
        return problem.bound(1 / problem.choices)
    wanted = weight > 0
    if budget >= log_k[wanted].sum():
        return problem.bound(np.where(wanted, 1.0, 1 / problem.choices))
    with np.errstate(divide="ignore"):
        log_others = np.log(problem.choices - 1)
    facts = Facts(weight / largest, problem.choices, log_k, log_others, np.ones(len(weight)))
    return problem.bound(rates_at(facts, _solve(facts, budget)).recall)


def _solve(facts: Facts, budget: float) -> float:
    """The price of the budget (in nats); for a large set the price of a sample is the guess."""
    guess = None
    if len(facts.weight) > 2 * _SAMPLE:
        every = len(facts.weight) // _SAMPLE
        sample = Facts(*(array[::every] for array in facts))
        guess = _solve(sample, budget * sample.log_k.sum() / facts.log_k.sum())
    square_sum = float(np.square(facts.weight).sum())
    return solve(lambda log_scale: rates_at(facts, log_scale), budget, square_sum, guess)
