"""How often a fact occurs, estimated: from counts, or from its loss alone."""

import numpy as np
from jaxtyping import Float64

# A loss of 0 would mean infinitely many exposures.
LEAST_LOSS = 1e-6


def shrunk_counts(counts: Float64[np.ndarray, " facts"]) -> Float64[np.ndarray, " facts"]:
    """Expected occurrences of each fact, given how often it was counted.

    The counts are Poisson, their means Gamma with the moments that the counts show (empirical
    Bayes): E[mean | count] = m + (count - m) v / (v + m), where m is the mean of the counts and v
    their variance less m. Where the counts vary by no more than chance, v = 0 and all estimates
    are equal.

    >>> shrunk_counts(np.array([4.0, 5.0, 6.0, 5.0])).tolist()
    [5.0, 5.0, 5.0, 5.0]
    >>> shrunk_counts(np.array([1.0, 1.0, 1.0, 97.0])).round(2).tolist()
    [1.35, 1.35, 1.35, 95.96]
    """
    return shrunk_mean(counts, float(counts.mean()), float(counts.var()))


def shrunk_mean(
    counts: Float64[np.ndarray, " facts"], mean: float, variance: float
) -> Float64[np.ndarray, " facts"]:
    """`shrunk_counts` where the mean and the variance of all counts are known already."""
    spread = max(variance - mean, 0.0)
    return mean + (counts - mean) * spread / max(spread + mean, np.finfo(float).tiny)


def exposures_from_losses(
    losses: Float64[np.ndarray, " facts"], entropies: Float64[np.ndarray, " facts"]
) -> Float64[np.ndarray, " facts"]:
    """How often each fact seems to have been seen, up to a factor, by its loss alone.

    Assumes that a fact's loss falls exponentially with its exposures, l = H exp(-k n), with one k
    for all, so that n is proportional to ln(H / l). It is 0 where the loss is not below the
    entropy.

    >>> exposures_from_losses(np.array([8.0, 4.0, 2.0]), np.full(3, 8.0)).round(3).tolist()
    [0.0, 0.693, 1.386]
    """
    ratio = np.maximum(entropies, LEAST_LOSS) / np.maximum(losses, LEAST_LOSS)
    return np.log(np.maximum(ratio, 1.0))
