"""Causal self-attention with rotary positions, for short sequences on CPU and for all others."""

from functools import reduce

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from factcap.models.compiler import on_cpu
from factcap.models.transformer.rotary import rotary_angles

# The short form is written out position by position and channel by channel.
_SHORT_TIME = 24
_SHORT_CHANNELS = 64

_HIDDEN = -1e30


def is_short(time: int, channels: int) -> bool:
    """Whether the form for short sequences is the faster one here."""
    return on_cpu() and time <= _SHORT_TIME and channels <= _SHORT_CHANNELS


def attend(
    query_BxTxHxC: Float[Array, "batch queries heads channels"],
    key_BxSxHxC: Float[Array, "batch keys heads channels"],
    value_BxSxHxC: Float[Array, "batch keys heads channels"],
    visible_BxTxS: Bool[Array, "#batch queries keys"] | None,
) -> Float[Array, "batch queries heads channels"]:
    """Attention of the last positions to all; fused on an accelerator.

    Args:
        query_BxTxHxC: of the last positions.
        key_BxSxHxC: of all positions.
        value_BxSxHxC: of all positions.
        visible_BxTxS: which keys a query sees; None: all up to its own position, with as many
            queries as keys.
    """
    time = key_BxSxHxC.shape[1]
    queries = query_BxTxHxC.shape[1]
    query_BxTxHxC = _turn_rows(query_BxTxHxC, time - queries, time)
    key_BxSxHxC = _turn_rows(key_BxSxHxC, 0, time)
    if visible_BxTxS is None:
        fused = jax.default_backend() == "gpu" and has_fused_kernel(query_BxTxHxC)
        return jax.nn.dot_product_attention(
            query_BxTxHxC,
            key_BxSxHxC,
            value_BxSxHxC,
            is_causal=True,
            implementation="cudnn" if fused else None,
        )
    return jax.nn.dot_product_attention(
        query_BxTxHxC, key_BxSxHxC, value_BxSxHxC, mask=visible_BxTxS[:, None]
    )


def has_fused_kernel(query_BxTxHxC: Float[Array, "batch queries heads channels"]) -> bool:
    """Whether cuDNN has a kernel for training that beats what the compiler makes.

    It refuses float32, an odd number of positions, and heads whose size is no multiple of 8 or
    above 128. It works on tiles of 64 positions and more: short rows leave most of it idle.
    """
    _, time, _, channels = query_BxTxHxC.shape
    half = query_BxTxHxC.dtype in (jnp.bfloat16, jnp.float16)
    return half and time % 2 == 0 and time >= 64 and channels % 8 == 0 and channels <= 128


def _turn_rows(
    heads_BxTxHxC: Float[Array, "batch time heads channels"], first: int, end: int
) -> Float[Array, "batch time heads channels"]:
    angle_TxC = rotary_angles(end, heads_BxTxHxC.shape[-1])[first:]
    cos, sin = (jnp.asarray(turn(angle_TxC), heads_BxTxHxC.dtype) for turn in (np.cos, np.sin))
    left, right = jnp.split(heads_BxTxHxC, 2, axis=-1)
    cos, sin = cos[:, None], sin[:, None]
    return jnp.concatenate([left * cos - right * sin, right * cos + left * sin], axis=-1)


@jax.custom_vjp
def attend_short(
    query_HxCxTxB: Float[Array, "heads channels queries batch"],
    key_HxCxSxB: Float[Array, "heads channels keys batch"],
    value_HxCxSxB: Float[Array, "heads channels keys batch"],
    visible_TxSxB: Bool[Array, "queries keys #batch"],
    one: Float[Array, ""],
) -> Float[Array, "heads channels queries batch"]:
    """Attention of the last positions to all, vectorized over the batch.

    Products of matrices of some ten rows keep no vector unit busy; here every operation runs along
    the batch, which lies innermost, and sums over channels and keys are written out.

    Args:
        query_HxCxTxB: of the last positions.
        key_HxCxSxB: of all positions.
        value_HxCxSxB: of all positions.
        visible_TxSxB: which keys a query sees.
        one: the number 1, not known to the compiler. It fuses a sum into each of its uses and
            computes it there again; what was divided is computed once.
    """
    return _short_forward(query_HxCxTxB, key_HxCxSxB, value_HxCxSxB, visible_TxSxB, one)[0]


def _short_forward(query_HxCxTxB, key_HxCxSxB, value_HxCxSxB, visible_TxSxB, one):
    queries, keys = query_HxCxTxB.shape[2], key_HxCxSxB.shape[2]
    root = one * query_HxCxTxB.shape[1] ** 0.5
    query = _turn(query_HxCxTxB, keys - queries, keys, 1) / root
    key = _turn(key_HxCxSxB, 0, keys, 1) / one
    score_HxTxSxB = jnp.where(visible_TxSxB, _scores(query, key) / one, _HIDDEN)
    largest_HxTxB = reduce(jnp.maximum, _slices(score_HxTxSxB, 2))
    odds_HxTxSxB = jnp.exp(score_HxTxSxB - largest_HxTxB[:, :, None])
    total_HxTxB = _total(_slices(odds_HxTxSxB, 2))
    mixed = _mix(odds_HxTxSxB, value_HxCxSxB) / total_HxTxB[:, None]
    return mixed, (query, key, value_HxCxSxB, odds_HxTxSxB, total_HxTxB, mixed, one)


def _short_backward(saved, gradient_HxCxTxB):
    query, key, value, odds_HxTxSxB, total_HxTxB, mixed, one = saved
    queries, keys = query.shape[2], key.shape[2]
    gradient = gradient_HxCxTxB / total_HxTxB[:, None] / one
    value_back = _mix_back(odds_HxTxSxB, gradient)
    # d score = p (d p - sum p d p), with p = odds / total
    pairs = zip(_slices(gradient, 1), _slices(mixed, 1), strict=True)
    mean_HxTxB = _total([left * right for left, right in pairs]) / one
    score_back = odds_HxTxSxB * (_scores(gradient, value) - mean_HxTxB[:, :, None]) / one
    root = one * query.shape[1] ** 0.5
    query_back = _turn(_mix(score_back, key) / root, keys - queries, keys, -1)
    key_back = _turn(_mix_back(score_back, query) / one, 0, keys, -1)
    return query_back, key_back, value_back, None, None


attend_short.defvjp(_short_forward, _short_backward)


def _slices(array: Array, axis: int) -> list[Array]:
    return [jax.lax.index_in_dim(array, i, axis, False) for i in range(array.shape[axis])]


def _total(terms: list[Array]) -> Array:
    return reduce(jnp.add, terms)


def _scores(query_HxCxTxB: Array, key_HxCxSxB: Array) -> Array:
    pairs = zip(_slices(query_HxCxTxB, 1), _slices(key_HxCxSxB, 1), strict=True)
    return _total([query[:, :, None] * key[:, None] for query, key in pairs])


def _mix(weight_HxTxSxB: Array, value_HxCxSxB: Array) -> Array:
    pairs = zip(_slices(weight_HxTxSxB, 2), _slices(value_HxCxSxB, 2), strict=True)
    return _total([weight[:, None] * value[:, :, None] for weight, value in pairs])


def _mix_back(weight_HxTxSxB: Array, mixed_HxCxTxB: Array) -> Array:
    pairs = zip(_slices(weight_HxTxSxB, 1), _slices(mixed_HxCxTxB, 2), strict=True)
    return _total([weight[:, None] * mixed[:, :, None] for weight, mixed in pairs])


def _turn(heads_HxCxTxB: Array, first: int, end: int, sense: int) -> Array:
    angle_CxT = rotary_angles(end, heads_HxCxTxB.shape[1])[first:].T
    cos, sin = (jnp.asarray(turn(angle_CxT), jnp.float32)[..., None] for turn in (np.cos, np.sin))
    left, right = jnp.split(heads_HxCxTxB, 2, axis=1)
    sin = sense * sin
    return jnp.concatenate([left * cos - right * sin, right * cos + left * sin], axis=1)
