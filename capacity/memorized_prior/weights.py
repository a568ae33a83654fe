"""Weights of training points under an empirical prior, and how many of them count."""

import numpy as np
import numpy.typing as npt
from jaxtyping import Float64
from scipy import special

from factcap.capacity.memorized_prior.arrays import require_array, require_noise
from factcap.capacity.memorized_prior.distances import exact_gaps


def empirical_weights(
    outputs: npt.ArrayLike, observation: npt.ArrayLike, observation_noise: float
) -> Float64[np.ndarray, " points"]:
    """The posterior under the empirical prior: the weight of each training point.

    For $y = F(x)$ + noise of standard deviation gamma and x one of $x_1 .. x_N$,
    w_n prop. exp(-|F(x_n) - y|^2 / (2 gamma^2)) (2603.19629). It is also the limit of the weights
    of `mixture_posterior` as the prior's noise goes to 0.

    Args:
        outputs: $F(x_n)$, points x m.
        observation: y, m.
        observation_noise: gamma, > 0.

    Returns:
        Weights that sum to 1.

    Raises:
        ValueError: for an argument that is not finite, out of range or of another shape.

    >>> empirical_weights([[0.0], [1.0], [9.0]], [0.5], 0.1).tolist()
    [0.5, 0.5, 0.0]
    """
    output = require_array("outputs", outputs, None, None)
    seen = require_array("observation", observation, output.shape[1])
    gamma = require_noise("observation_noise", observation_noise)
    return special.softmax(-exact_gaps(output, seen) / gamma / gamma / 2)


def effective_modes(weights: npt.ArrayLike) -> Float64[np.ndarray, "..."]:
    """How many weights count: exp(entropy), from 1 (one has all) to N (all alike).

    Args:
        weights: >= 0, not all 0, along the last axis; they need not sum to 1.

    Returns:
        One number for each row of weights.

    Raises:
        ValueError: for weights that are negative, not finite, all 0 or none.

    >>> float(effective_modes([0.5, 0.5, 0.0])), effective_modes([[3, 0, 0], [2, 2, 2]]).round(9)
    (2.0, array([1., 3.]))
    """
    given = np.asarray(weights, float)
    if given.ndim == 0 or given.shape[-1] == 0:
        raise ValueError(f"weights must be one or more; shape {given.shape}")
    largest = given.max(axis=-1, keepdims=True)
    if not (np.all(given >= 0) and np.all(np.isfinite(largest) & (largest > 0))):
        raise ValueError("weights must be finite, >= 0 and not all 0")
    share = given / largest
    share /= share.sum(axis=-1, keepdims=True)
    # rounding may leave the range by a digit
    modes = np.clip(np.exp(special.entr(share).sum(axis=-1)), 1.0, given.shape[-1])
    return np.asarray(modes)
