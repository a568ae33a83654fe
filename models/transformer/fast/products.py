"""Matrix products, norms and the loss on rows, each with its gradient in the quickest form.

XLA's library products run at 60 to 80 % of a core's peak in the forms used here, and at a third of
that in some that automatic differentiation would choose; sums along short rows are products with
a column of ones, since plain reductions on CPU are not vectorized. See docs/performance.md.
"""

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Float, Int

from factcap.models.compiler import on_cpu

_NORM_EPSILON = 1e-6
# A token that costs more nats than this counts as this many, so that no exponential overflows.
_MOST_NATS = 60.0


def product(
    left: Float[Array, "..."],
    right: Float[Array, "..."],
    axis: int,
    other: int,
    operands: DTypeLike,
) -> Float[Array, "..."]:
    """Sum over one axis of each matrix, in float32.

    Args:
        left: a matrix.
        right: another.
        axis: of the left.
        other: axis of the right.
        operands: precision to which both are rounded before.
    """
    left, right = left.astype(operands), right.astype(operands)
    # In bfloat16 only rows of the left run at twice the rate of float32.
    if axis == 0 and on_cpu() and operands == jnp.bfloat16:
        left, axis = transposed(left), 1
    dimensions = (((axis,), (other,)), ((), ()))
    return jax.lax.dot_general(left, right, dimensions, preferred_element_type=jnp.float32)


def transposed(matrix: Float[Array, "rows columns"]) -> Float[Array, "columns rows"]:
    """The transpose; on CPU in a form that the compiler does not fold into a slow product."""
    rows, columns = matrix.shape
    if not on_cpu() or rows % 2:
        return matrix.T
    return matrix.reshape(2, rows // 2, columns).transpose(2, 0, 1).reshape(columns, rows)


def _weight_gradient(
    inputs_NxI: Float[Array, "rows inputs"],
    gradient_NxO: Float[Array, "rows outputs"],
    operands: DTypeLike,
) -> Float[Array, "inputs outputs"]:
    if inputs_NxI.shape[1] > gradient_NxO.shape[1]:
        return transposed(product(gradient_NxO, inputs_NxI, 0, 0, operands))
    return product(inputs_NxI, gradient_NxO, 0, 0, operands)


def _linear(
    inputs_NxI: Float[Array, "rows inputs"],
    weight_IxO: Float[Array, "inputs outputs"],
    operands: DTypeLike,
) -> Float[Array, "rows outputs"]:
    """Rows times a weight, both rounded to `operands`, in the precision of the rows."""
    return product(inputs_NxI, weight_IxO, 1, 0, operands).astype(inputs_NxI.dtype)


def _linear_forward(inputs_NxI, weight_IxO, operands):
    saved = (inputs_NxI.astype(operands), weight_IxO)
    return linear(inputs_NxI, weight_IxO, operands), saved


def _linear_backward(operands, saved, gradient_NxO):
    inputs_NxI, weight_IxO = saved
    back_NxI = product(gradient_NxO, weight_IxO, 1, 1, operands)
    weight = _weight_gradient(inputs_NxI, gradient_NxO, operands)
    return back_NxI.astype(gradient_NxO.dtype), weight.astype(weight_IxO.dtype)


linear = jax.custom_vjp(_linear, nondiff_argnums=(2,))
linear.defvjp(_linear_forward, _linear_backward)


def _linear_to_columns(
    inputs_NxI: Float[Array, "rows inputs"],
    weight_IxO: Float[Array, "inputs outputs"],
    parts: int,
    operands: DTypeLike,
) -> tuple[Float[Array, "part rows"], ...]:
    """Rows times a weight, transposed, and cut into equal parts along the outputs."""
    joined_OxN = product(weight_IxO, inputs_NxI, 0, 1, operands).astype(inputs_NxI.dtype)
    return tuple(jnp.split(joined_OxN, parts))


def _to_columns_forward(inputs_NxI, weight_IxO, parts, operands):
    saved = (inputs_NxI.astype(operands), weight_IxO)
    return linear_to_columns(inputs_NxI, weight_IxO, parts, operands), saved


def _to_columns_backward(parts, operands, saved, gradients):
    inputs_NxI, weight_IxO = saved
    # Part by part: joining the gradients first would make the compiler compute them in the join.
    pairs = zip(gradients, jnp.split(weight_IxO, parts, axis=1), strict=True)
    back = [product(part_IxO, gradient_OxN, 1, 0, operands) for gradient_OxN, part_IxO in pairs]
    back_NxI = transposed(sum(back[1:], start=back[0])).astype(gradients[0].dtype)
    weights = [
        transposed(product(gradient_OxN, inputs_NxI, 1, 0, operands)) for gradient_OxN in gradients
    ]
    return back_NxI, jnp.concatenate(weights, axis=1).astype(weight_IxO.dtype)


linear_to_columns = jax.custom_vjp(_linear_to_columns, nondiff_argnums=(2, 3))
linear_to_columns.defvjp(_to_columns_forward, _to_columns_backward)


def _linear_from_columns(
    columns_IxN: Float[Array, "inputs rows"],
    weight_IxO: Float[Array, "inputs outputs"],
    operands: DTypeLike,
) -> Float[Array, "rows outputs"]:
    """The transpose of the columns times a weight."""
    return product(columns_IxN, weight_IxO, 0, 0, operands).astype(columns_IxN.dtype)


def _from_columns_forward(columns_IxN, weight_IxO, operands):
    saved = (columns_IxN.astype(operands), weight_IxO)
    return linear_from_columns(columns_IxN, weight_IxO, operands), saved


def _from_columns_backward(operands, saved, gradient_NxO):
    columns_IxN, weight_IxO = saved
    back_IxN = product(weight_IxO, gradient_NxO, 1, 1, operands)
    weight = product(columns_IxN, gradient_NxO, 1, 0, operands)
    return back_IxN.astype(gradient_NxO.dtype), weight.astype(weight_IxO.dtype)


linear_from_columns = jax.custom_vjp(_linear_from_columns, nondiff_argnums=(2,))
linear_from_columns.defvjp(_from_columns_forward, _from_columns_backward)


def _row_sums(rows_NxD: Float[Array, "rows width"]) -> Float[Array, "rows 1"]:
    ones = jnp.ones((rows_NxD.shape[1], 1), jnp.float32)
    return jnp.matmul(rows_NxD, ones, precision=jax.lax.Precision.HIGHEST)


@jax.custom_vjp
def normalize(
    rows_NxD: Float[Array, "rows width"], scale_D: Float[Array, " width"]
) -> Float[Array, "rows width"]:
    """Layer normalization without bias, in float32, given back in the precision of the rows."""
    return _normalize_forward(rows_NxD, scale_D)[0]


def _normalize_forward(rows_NxD, scale_D):
    width = rows_NxD.shape[1]
    wide_NxD = rows_NxD.astype(jnp.float32)
    mean_Nx1 = _row_sums(wide_NxD) / width
    # Var x = E x^2 - (E x)^2, as flax has it
    variance_Nx1 = jnp.maximum(_row_sums(wide_NxD**2) / width - mean_Nx1**2, 0)
    inverse_Nx1 = jax.lax.rsqrt(variance_Nx1 + _NORM_EPSILON)
    result_NxD = (wide_NxD - mean_Nx1) * (inverse_Nx1 * scale_D)
    return result_NxD.astype(rows_NxD.dtype), (rows_NxD, mean_Nx1, inverse_Nx1, scale_D)


def _normalize_backward(saved, gradient_NxD):
    rows_NxD, mean_Nx1, inverse_Nx1, scale_D = saved
    width = rows_NxD.shape[1]
    gradient_NxD = gradient_NxD.astype(jnp.float32)
    unit_NxD = (rows_NxD.astype(jnp.float32) - mean_Nx1) * inverse_Nx1
    # with y = (x - mean) / sd and h = g s: dx = (h - mean h - y mean(h y)) / sd
    along_NxD = gradient_NxD * unit_NxD
    scaled_NxD = gradient_NxD * scale_D
    centered_NxD = scaled_NxD - _row_sums(scaled_NxD) / width
    back_NxD = inverse_Nx1 * (centered_NxD - unit_NxD * (_row_sums(along_NxD * scale_D) / width))
    ones_1xN = jnp.ones((1, len(along_NxD)), jnp.float32)
    scale_back_D = jnp.matmul(ones_1xN, along_NxD, precision=jax.lax.Precision.HIGHEST)[0]
    return back_NxD.astype(rows_NxD.dtype), scale_back_D


normalize.defvjp(_normalize_forward, _normalize_backward)


def readout_logits(
    rows_NxD: Float[Array, "rows width"],
    readout_WxD: Float[Array, "vocabulary width"],
    operands: DTypeLike,
) -> Float[Array, "rows vocabulary"]:
    """Logits of all tokens, in float32 whatever the precision of the rows."""
    return product(rows_NxD, readout_WxD, 1, 1, operands)


def _target_nll(
    rows_NxD: Float[Array, "rows width"],
    readout_WxD: Float[Array, "vocabulary width"],
    target_N: Int[Array, " rows"],
    operands: DTypeLike,
) -> Float[Array, " rows"]:
    """Negative log-likelihood of each target token in nats, at most about 60 for each rival."""
    return _target_forward(rows_NxD, readout_WxD, target_N, operands)[0]


def _target_forward(rows_NxD, readout_WxD, target_N, operands):
    logits_NxW = readout_logits(rows_NxD, readout_WxD, operands)
    target_Nx1 = jnp.take_along_axis(logits_NxW, target_N[:, None], axis=1)
    # -log p(target) = log sum_w exp(l_w - l_target), a sum that holds exp(0) and so is at least 1
    odds_NxW = jnp.exp(jnp.minimum(logits_NxW - target_Nx1, _MOST_NATS))
    total_Nx1 = _row_sums(odds_NxW)
    return jnp.log(total_Nx1[:, 0]), (rows_NxD, readout_WxD, target_N, odds_NxW, total_Nx1)


def _target_backward(operands, saved, gradient_N):
    rows_NxD, readout_WxD, target_N, odds_NxW, total_Nx1 = saved
    hit_NxW = target_N[:, None] == jnp.arange(readout_WxD.shape[0])
    slope_NxW = (odds_NxW / total_Nx1 - hit_NxW) * gradient_N[:, None]
    slope_NxW = slope_NxW.astype(operands)
    back_NxD = product(slope_NxW, readout_WxD, 1, 0, operands).astype(rows_NxD.dtype)
    readout_back_WxD = _weight_gradient(slope_NxW, rows_NxD, operands).astype(readout_WxD.dtype)
    return back_NxD, readout_back_WxD, None


target_nll = jax.custom_vjp(_target_nll, nondiff_argnums=(3,))
target_nll.defvjp(_target_forward, _target_backward)
