"""Weights rounded: to a few bits where they are used, or to bfloat16 where they are kept."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from factcap.synth.errors import require

# What parameters may be kept in from one step of training to the next.
KEPT_IN = ("float32", "bfloat16", "bfloat16-stochastic")
# Bits of a float32 beyond those that a bfloat16 has.
_BEYOND = 16

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


def check_kept_in(name: str) -> None:
    """Raise `BadInput`, with the names that there are, unless this is one of them."""
    require(name in KEPT_IN, f"kept_in must be one of {', '.join(KEPT_IN)}, not {name!r}")


def kept(params: Any, kept_in: str, key: PRNGKeyArray) -> Any:
    """Parameters after a step, as they are kept until the next one.

    They stay arrays of float32, whose values are those of bfloat16; so the next step computes what
    it would with arrays of bfloat16, turned into float32 where they are used.

    Args:
        params: a tree.
        kept_in: `float32`: as they are; `bfloat16`: each the nearest; `bfloat16-stochastic`: each
            one of the two nearest, by chance, such that the mean is what it was.
        key: of this step's chances.
    """
    if kept_in == "float32":
        return params
    if kept_in == "bfloat16":
        # a conversion there and back might be optimized away
        return jax.tree.map(lambda leaf: jax.lax.reduce_precision(leaf, 8, 7), params)
    leaves, tree = jax.tree.flatten(params)
    keys = jax.random.split(key, len(leaves))
    return tree.unflatten(map(_rounded_by_chance, leaves, keys))


def _rounded_by_chance(numbers: Float[Array, "..."], key: PRNGKeyArray) -> Float[Array, "..."]:
    bits = jax.lax.bitcast_convert_type(numbers, jnp.uint32)
    # What is cut off is a share of the step between two neighbors: so often it carries over.
    carried = bits + jax.random.bits(key, numbers.shape, jnp.uint16)
    return jax.lax.bitcast_convert_type(carried >> _BEYOND << _BEYOND, jnp.float32)


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
