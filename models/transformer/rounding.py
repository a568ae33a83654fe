"""Weights rounded to a few bits: symmetric, one scale a channel, the gradient straight through."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

# Bits of a number that is not rounded, and of the scale of a channel.
WHOLE_BITS = 32


def rounded(params: Any, bits: int) -> Any:
    """Parameters with all matrices rounded to so many bits; vectors, scales of norms, stay.

    A channel is what one output is made of: a column of a matrix (inputs, outputs), the row of a
    token in an embedding. Its values are multiples of a step from -(2^(bits-1) - 1) to
    2^(bits-1) - 1 times it, such that the largest stays what it is. The gradient is that of
    parameters that are not rounded (Bengio et al. 2013, 1308.3432).

    Args:
        params: a tree, by name; not of several members stacked.
        bits: at least 2.
    """

    def one(path: tuple, leaf: Array) -> Array:
        if leaf.ndim < 2:
            return leaf
        return _rounded(leaf, channel_axis(path), bits)

    return jax.tree_util.tree_map_with_path(one, params)


def channel_axis(path: tuple) -> int:
    """The axis along which the numbers of a channel lie, of the matrix at a place in the tree."""
    return -1 if getattr(path[-1], "key", None) == "embedding" else -2


def _rounded(matrix: Float[Array, "..."], axis: int, bits: int) -> Float[Array, "..."]:
    fixed = jax.lax.stop_gradient(matrix)
    most = 2 ** (bits - 1) - 1
    step = jnp.max(jnp.abs(fixed), axis=axis, keepdims=True) / most
    levels = jnp.round(fixed / jnp.where(step > 0, step, 1.0))
    # matrix - fixed is 0 to the bit
    return levels * step + (matrix - fixed)


def weight_bits(params: Any, bits: int) -> int:
    """Bits that hold the parameters when they are rounded, the scales of the channels among them.

    Args:
        params: a tree, by name.
        bits: to which matrices are rounded; 0: not at all.
    """
    leaves, _ = jax.tree_util.tree_flatten_with_path(params)
    total = 0
    for path, leaf in leaves:
        if leaf.ndim < 2 or bits == 0:
            total += WHOLE_BITS * leaf.size
        else:
            channels = leaf.size // leaf.shape[channel_axis(path)]
            total += bits * leaf.size + WHOLE_BITS * channels
    return total
