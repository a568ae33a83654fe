"""The practical baseline: each fact is stored whole or not at all."""

import numpy as np
import numpy.typing as npt

from factcap.capacity.bounds.bound import Bound, check


def all_or_nothing_bound(
    weights: npt.ArrayLike, choices: npt.ArrayLike, budget_bits: float
) -> Bound:
    """Most accuracy from storing facts whole within a budget, and guessing the others.

    A fractional knapsack: a stored fact costs its entropy and gains its weight over a guess. The
    facts at the margin, all those of one gain a bit, share what is left of the budget in equal
    parts (time sharing: each is stored with that probability), so that the result does not depend
    on the order of the facts. A fact of one choice costs nothing.

    Assumptions: the value of fact i is uniform on its choices, independent of all else.

    Args:
        weights: one a fact, >= 0; $1/N$ each for plain accuracy, the frequencies for weighted.
        choices: one a fact or one for all, >= 1: how many values were equally likely.
        budget_bits: what can be stored, in bits, >= 0.

    Returns:
        The recall of each fact and the accuracy, sum of weight times recall.

    Raises:
        ValueError: for an argument out of range.

    >>> bound = all_or_nothing_bound([0.5, 0.3, 0.2], 4, 3)
    >>> bound.recall.tolist()
    [1.0, 0.625, 0.25]
    >>> round(bound.accuracy, 10)
    0.7375
    """
    problem = check(weights, choices, budget_bits)
    if problem.everything_fits:
        return problem.all_known()
    weight, choice, cost = problem.weights, problem.choices, problem.entropy_bits
    priced = cost > 0
    # gain a bit: w (1 - 1/K) / H
    density = np.divide(weight * (1 - 1 / choice), cost, out=np.zeros(len(cost)), where=priced)
    order = np.argsort(-density[priced], kind="stable")
    spent = np.cumsum(cost[priced][order])
    last = min(int(np.searchsorted(spent, problem.budget_bits, side="right")), len(order) - 1)
    margin = density[priced][order[last]]
    above, at = priced & (density > margin), priced & (density == margin)
    left = problem.budget_bits - cost[above].sum()
    stored = np.where(above | ~priced, 1.0, 0.0)
    stored[at] = np.clip(left / cost[at].sum(), 0.0, 1.0)
    # a = stored + (1 - stored) / K
    return problem.bound(stored + (1 - stored) / choice)
