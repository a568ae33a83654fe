"""Parameters of which each device holds a part, put together where they are used."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Part:
    """This device's part of a parameter, within a `shard_map`.

    Attributes:
        shard: the part.
        axis: along which the parameter is divided.
        devices: name of the mesh axis over which it is.
    """

    shard: Float[Array, "..."]
    axis: int = field(metadata={"static": True})
    devices: str = field(metadata={"static": True})


def _is_part(leaf: Any) -> bool:
    return isinstance(leaf, Part)


def all_whole(params: Any, dtype: Any) -> Any:
    """Parameters made whole; matrices in the precision of products."""
    return jax.tree.map(lambda leaf: _whole(leaf, dtype), params, is_leaf=_is_part)


def _whole(leaf: Array | Part, dtype: Any) -> Float[Array, "..."]:
    if isinstance(leaf, Part):
        return _gathered(leaf.axis, leaf.devices, dtype, leaf.shard)
    return leaf.astype(dtype) if leaf.ndim >= 2 else leaf


@partial(jax.custom_vjp, nondiff_argnums=(0, 1, 2))
def _gathered(
    axis: int, devices: str, dtype: Any, shard: Float[Array, "..."]
) -> Float[Array, "..."]:
    """All parts joined, sent in the given precision; gradients are summed in float32."""
    return jax.lax.all_gather(shard.astype(dtype), devices, axis=axis, tiled=True)


def _gather_forward(axis, devices, dtype, shard):
    return _gathered(axis, devices, dtype, shard), None


def _gather_backward(axis, devices, dtype, _, gradient):
    wide = gradient.astype(jnp.float32)
    return (jax.lax.psum_scatter(wide, devices, scatter_dimension=axis, tiled=True),)


_gathered.defvjp(_gather_forward, _gather_backward)


def gathered_twice(block: Callable[..., Any], params: Any) -> Callable[..., Any]:
    """The function, keeping no whole parameter for the backward pass: there it is gathered again.

    A function of parameters of which none is divided is given back as it is.
    """
    if not any(map(_is_part, jax.tree.leaves(params, is_leaf=_is_part))):
        return block
    return jax.checkpoint(block, policy=_kept)


def _kept(primitive: Any, *_: Any, call_jaxpr: Any = None, **__: Any) -> bool:
    # `_gathered` comes as one call, with what it does as a program.
    names = {primitive.name, *(line.primitive.name for line in getattr(call_jaxpr, "eqns", ()))}
    # The last block uses slices of a parameter: kept, they would be the parameter.
    return not names & {"all_gather", "slice"}
