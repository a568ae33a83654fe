"""Which units a key leaves in each layer: a small predictor, and a top-k with a gradient.

After IFPruning (2501.02086): the predictor reads what comes before the answer, gives each hidden
unit of each layer a score, and the units of the highest scores stay, the same for the whole
sequence.
"""

import operator
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from factcap.models.transformer.rotary import rotate
from factcap.synth.errors import require

_EPSILON = 1e-6
# Halvings of the interval in which the border of the highest scores is sought: all that there are
# between two numbers of 32 bits.
_HALVINGS = 30
# Steps of Newton's method to the threshold of the soft top-k.
_STEPS = 10

# Which tokens the predictor sees, by their position against the first of the key: all, or the first
# alone, which may name a domain, or all but that.
MASK_READS = {"key": operator.ge, "first": operator.eq, "rest": operator.gt}

Ends = tuple[Float[Array, "*rows 1"], Float[Array, "*rows 1"]]


def check_mask_reads(name: str, form: str) -> None:
    """Raise `BadInput` unless a predictor of this feed-forward form can see these tokens."""
    require(name in MASK_READS, f"mask_reads must be one of {', '.join(MASK_READS)}, not {name!r}")
    require(
        name == "key" or form == "masked",
        f"only feed_forward masked has a predictor, which reads {name}, not {form}",
    )


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
    reads: str = "key",
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
        reads: which tokens the predictor sees, a name in `MASK_READS`.
    """
    batch, time = embedded_BxKxD.shape[:2]
    backward = jnp.flip(embedded_BxKxD, axis=1).astype(jnp.float32)
    turned_BxKxD = rotate(backward[:, :, None])[:, :, 0]
    if start_B is not None or reads != "key":
        first = jnp.zeros((1, 1)) if start_B is None else start_B[:, None]
        read_BxK = MASK_READS[reads](jnp.arange(time)[::-1], first)
        turned_BxKxD = jnp.where(read_BxK[:, :, None], turned_BxKxD, 0.0)
    read_BxD = jnp.sum(turned_BxKxD, axis=1)
    read_BxD *= jax.lax.rsqrt(jnp.mean(read_BxD**2, axis=1, keepdims=True) + _EPSILON)
    units_BxP = jax.nn.gelu(jnp.matmul(read_BxD, inner_DxP))
    scores_BxLxF = jnp.matmul(units_BxP, outer_PxU).reshape(batch, depth, -1)
    return jnp.swapaxes(top_units(scores_BxLxF, active), 0, 1)


def top_units(scores: Float[Array, "*rows units"], active: int) -> Float[Array, "*rows units"]:
    """1 for the units of the highest scores of a row, 0 for the others.

    The gradient is that of the soft top-k: sigmoid(score - t), with the t of each row at which the
    sum is `active`. So the masks are hard in training as in use. Of units that share the score at
    the border none stays.
    """
    hard = (scores > _border(scores, active)).astype(scores.dtype)
    soft = soft_top(scores, active)
    # soft - soft is 0 to the bit
    return hard + (soft - jax.lax.stop_gradient(soft))


def _border(scores: Float[Array, "*rows units"], active: int) -> Float[Array, "*rows 1"]:
    """A number below the highest scores, found by halving: sorting takes far longer on a CPU."""
    fixed = jax.lax.stop_gradient(scores)

    def halved(_: Any, ends: Ends) -> Ends:
        low, high = ends
        middle = (low + high) / 2
        many = jnp.sum(fixed > middle, axis=-1, keepdims=True) > active
        return jnp.where(many, middle, low), jnp.where(many, high, middle)

    ends = (fixed.min(-1, keepdims=True) - 1, fixed.max(-1, keepdims=True))
    return jax.lax.fori_loop(0, _HALVINGS, halved, ends)[1]


def soft_top(scores: Float[Array, "*rows units"], active: int) -> Float[Array, "*rows units"]:
    """sigmoid(score - t), with the t at which the sum over a row is `active`."""
    fixed = jax.lax.stop_gradient(scores)
    units = scores.shape[-1]
    wanted = jnp.log(active / (units - active)) if active < units else 2 * jnp.log(units + 1.0)

    def nearer(_: Any, found: tuple[Ends, Float[Array, "*rows 1"]]) -> Any:
        (low, high), at = found
        soft = jax.nn.sigmoid(fixed - at)
        total = jnp.sum(soft, axis=-1, keepdims=True)
        slope = jnp.sum(soft * (1 - soft), axis=-1, keepdims=True)
        low, high = jnp.where(total > active, at, low), jnp.where(total > active, high, at)
        # Newton's method on the logit of the mean, which is nearly linear in t.
        share = jnp.clip(total / units, _EPSILON, 1 - _EPSILON)
        fall = slope / (units * share * (1 - share))
        step = (jnp.log(share / (1 - share)) - wanted) / jnp.maximum(fall, _EPSILON)
        inside = (at + step >= low) & (at + step <= high)
        return (low, high), jnp.where(inside, at + step, (low + high) / 2)

    # Beyond these ends the sum is below 1, or above all but one.
    reach = 2 * jnp.log(units + 1.0)
    ends = (fixed.min(-1, keepdims=True) - reach, fixed.max(-1, keepdims=True) + reach)
    # Where scores differ much the threshold is the border.
    start = _border(scores, active)
    _, found = jax.lax.fori_loop(0, _STEPS, nearer, (ends, start))
    # A step of Newton's method, which changes next to nothing but has the threshold's gradient.
    near = jax.nn.sigmoid(scores - jax.lax.stop_gradient(found))
    slope = jax.lax.stop_gradient(jnp.sum(near * (1 - near), axis=-1, keepdims=True))
    excess = jnp.sum(near, axis=-1, keepdims=True) - active
    threshold = jax.lax.stop_gradient(found) + excess / jnp.maximum(slope, _EPSILON)
    return jax.nn.sigmoid(scores - threshold)
