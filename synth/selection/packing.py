"""Which facts are kept whole within a budget: the first ones of an order."""

import numpy as np
from jaxtyping import Bool, Float64, Int64


def pack(
    order: Int64[np.ndarray, " ranked"],
    entropies: Float64[np.ndarray, " facts"],
    budget_bits: float,
) -> Bool[np.ndarray, " facts"]:
    """Keep facts whole, in this order, up to the first that would not fit; none after it.

    A later, smaller fact does not take the place of the one that did not fit, so that a larger
    budget keeps all that a smaller one keeps, and the facts kept are those before a cut. What is
    left over is less than the entropy of one fact.

    Args:
        order: facts, the first to be kept first; those that are not in it are dropped.
        entropies: of each fact, in bits.
        budget_bits: their sum over the kept facts, at the most.

    >>> pack(np.array([2, 0, 1]), np.array([1.0, 1.0, 3.0]), 4.5).tolist()
    [True, False, True]
    >>> pack(np.array([0, 2, 1]), np.array([1.0, 1.0, 3.0]), 3.5).tolist()
    [True, False, False]
    """
    spent = np.cumsum(entropies[order])
    kept = np.zeros(len(entropies), bool)
    kept[order[: np.searchsorted(spent, budget_bits, side="right")]] = True
    return kept
