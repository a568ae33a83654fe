import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factcap.models.transformer.fast.products import (
    linear,
    linear_from_columns,
    linear_to_columns,
    product,
    transposed,
)

PRECISIONS = (jnp.float32, jnp.bfloat16)


def drawn(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


def rounded(array, operands):
    return np.asarray(jnp.asarray(array).astype(operands), np.float64)


@given(rows=st.integers(1, 9), columns=st.integers(1, 9))
@settings(max_examples=20)
def test_a_transpose_is_one(rows, columns):
    matrix = drawn(rows, columns)
    np.testing.assert_array_equal(transposed(matrix), matrix.T)


@pytest.mark.parametrize("operands", PRECISIONS)
@pytest.mark.parametrize(("axis", "other"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_a_product_rounds_its_operands_and_sums_in_float32(operands, axis, other):
    left, right = drawn(6, 6, seed=1), drawn(6, 6, seed=2)
    got = jax.jit(lambda left, right: product(left, right, axis, other, operands))(left, right)
    exact = np.tensordot(rounded(left, operands), rounded(right, operands), ((axis,), (other,)))
    assert got.dtype == jnp.float32
    np.testing.assert_allclose(got, exact, atol=2e-6)


@pytest.mark.parametrize("operands", PRECISIONS)
@pytest.mark.parametrize("kind", ["rows", "to columns", "from columns"])
@pytest.mark.parametrize(("inputs", "outputs"), [(4, 6), (6, 4)])
def test_gradients_are_those_of_rounded_operands(operands, kind, inputs, outputs):
    x, weight, gradient = (
        drawn(8, inputs),
        drawn(inputs, outputs, seed=1),
        drawn(8, outputs, seed=2),
    )

    def forward(x, weight):
        if kind == "rows":
            return linear(x, weight, operands)
        if kind == "from columns":
            return linear_from_columns(x.T, weight, operands)
        return jnp.concatenate(linear_to_columns(x, weight, 2, operands)).T

    result, back = jax.vjp(forward, x, weight)
    exact_x, exact_weight, exact_gradient = (
        rounded(array, operands) for array in (x, weight, gradient)
    )
    found = (result, *back(gradient))
    wanted = (
        exact_x @ exact_weight,
        exact_gradient @ exact_weight.T,
        exact_x.T @ exact_gradient,
    )
    for got, want in zip(found, wanted, strict=True):
        assert got.dtype == jnp.float32
        np.testing.assert_allclose(got, want, atol=5e-6)
