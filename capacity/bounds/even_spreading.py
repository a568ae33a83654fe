"""The floor: the same number of bits for each fact, and none known."""

import numpy as np
import numpy.typing as npt

from factcap.capacity.bounds.bound import Bound, check


def even_spreading(weights: npt.ArrayLike, choices: npt.ArrayLike, budget_bits: float) -> Bound:
    """Accuracy when the budget is spread evenly over the facts.

    Cross-entropy is linear in the bits stored of each fact, so it does not mind how they are
    spread; this is what over-full training tends to. Each fact gets the same number of bits b,
    but none more than its entropy H, and is recalled with probability $2^(b - H)$.

    Args:
        weights: one a fact, >= 0.
        choices: one a fact or one for all, >= 1: how many values were equally likely.
        budget_bits: what is stored, in bits, >= 0.

    Returns:
        The recall of each fact and the accuracy, sum of weight times recall.

    Raises:
        ValueError: for an argument out of range.

    >>> even_spreading([0.5, 0.5], 16, 4).recall.tolist()
    [0.25, 0.25]
    """
    problem = check(weights, choices, budget_bits)
    if problem.everything_fits:
        return problem.all_known()
    entropy = problem.entropy_bits
    # The level b solves sum_i min(H_i, b) = C: if the k smallest H are covered whole,
    # b = (C - sum of those) / (N - k).
    smallest = np.sort(entropy)
    below = np.cumsum(smallest) - smallest
    levels = (problem.budget_bits - below) / np.arange(len(smallest), 0, -1)
    covered = int(np.argmax(levels <= smallest))
    return problem.bound(np.exp2(np.minimum(entropy, levels[covered]) - entropy))
