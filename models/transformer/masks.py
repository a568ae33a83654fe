"""Which units a key leaves in each layer: a small predictor, and a top-k with a gradient.

After IFPruning (2501.02086): the predictor reads what comes before the answer, gives each hidden
unit of each layer a score, and the units of the highest scores stay, the same for the whole
sequence.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from factcap.models.transformer.rotary import rotate

_EPSILON = 1e-6
# Halvings of the interval in which the threshold of the soft top-k is sought.
_HALVINGS = 30


def predictor_width(width: int) -> int:
    """Units of the predictor, for this width of the residual stream."""
    return max(8, width // 4)


def predictor_parameters(width: int, depth: int, hidden: int) -> int:
    """Number of parameters of the predictor, which reads the model's own embedding."""
    return predictor_width(width) * (width + depth * hidden)


def unit_masks(
    embedded_BxKxD: Float[Array, "batch key width"],
    start_B: Int[Array, " batch"] | None,
    inner_DxP: Float[Array, "width predictor"],
    outer_PxU: Float[Array, "predictor units"],
    depth: int,
    active: int,
) -> Float[Array, "depth batch hidden"]:
    """Which hidden units of each layer stay: 1 or 0, with the gradient of a soft top-k.

    The predictor sums the embedded tokens, each turned by how far it is from the end, and sends
    the sum through a layer of a few units.

    Args:
        embedded_BxKxD: tokens of the key.
        start_B: first real position of each row; None: every row is full.
        inner_DxP: first matrix of the predictor.
        outer_PxU: second one; its outputs are the units of all layers.
        depth: layers.
        active: units that stay in each.
    """
    batch, time = embedded_BxKxD.shape[:2]
    backward = jnp.flip(embedded_BxKxD, axis=1).astype(jnp.float32)
    turned_BxKxD = rotate(backward[:, :, None])[:, :, 0]
    if start_B is not None:
        real_BxK = jnp.arange(time)[::-1] >= start_B[:, None]
        turned_BxKxD = jnp.where(real_BxK[:, :, None], turned_BxKxD, 0.0)
    read_BxD = jnp.sum(turned_BxKxD, axis=1)
    read_BxD *= jax.lax.rsqrt(jnp.mean(read_BxD**2, axis=1, keepdims=True) + _EPSILON)
    units_BxP = jax.nn.gelu(jnp.matmul(read_BxD, inner_DxP))
    scores_BxLxF = jnp.matmul(units_BxP, outer_PxU).reshape(batch, depth, -1)
    return jnp.swapaxes(top_units(scores_BxLxF, active), 0, 1)


def top_units(scores: Float[Array, "*rows units"], active: int) -> Float[Array, "*rows units"]:
    """1 for the units of the highest scores of a row, 0 for the others.

    The gradient is that of the soft top-k: sigmoid(score - t), with the t of each row at which the
    sum is `active`. So the masks are hard in training as in use.
    """
    hard = _highest(scores, active).astype(scores.dtype)
    soft = soft_top(scores, active)
    # soft - soft is 0 to the bit
    return hard + (soft - jax.lax.stop_gradient(soft))


def _highest(scores: Float[Array, "*rows units"], active: int) -> Bool[Array, "*rows units"]:
    _, places = jax.lax.top_k(scores, active)
    units = jnp.arange(scores.shape[-1])
    return jnp.any(places[..., :, None] == units, axis=-2)


def soft_top(scores: Float[Array, "*rows units"], active: int) -> Float[Array, "*rows units"]:
    """sigmoid(score - t), with the t at which the sum over a row is `active`."""
    fixed = jax.lax.stop_gradient(scores)

    def halved(
        _: Any, ends: tuple[Float[Array, "*rows 1"], Float[Array, "*rows 1"]]
    ) -> tuple[Float[Array, "*rows 1"], Float[Array, "*rows 1"]]:
        low, high = ends
        middle = (low + high) / 2
        over = jnp.sum(jax.nn.sigmoid(fixed - middle), axis=-1, keepdims=True) > active
        return jnp.where(over, middle, low), jnp.where(over, high, middle)

    # Beyond these ends the sum is below 1, or above all but one.
    reach = 2 * jnp.log(scores.shape[-1] + 1.0)
    ends = (fixed.min(-1, keepdims=True) - reach, fixed.max(-1, keepdims=True) + reach)
    low, high = jax.lax.fori_loop(0, _HALVINGS, halved, ends)
    found = jax.lax.stop_gradient((low + high) / 2)
    # A step of Newton's method, which changes nothing but has the threshold's gradient.
    near = jax.nn.sigmoid(scores - found)
    slope = jax.lax.stop_gradient(jnp.sum(near * (1 - near), axis=-1, keepdims=True))
    excess = jnp.sum(near, axis=-1, keepdims=True) - active
    threshold = found + excess / jnp.maximum(slope, _EPSILON)
    return jax.nn.sigmoid(scores - threshold)
