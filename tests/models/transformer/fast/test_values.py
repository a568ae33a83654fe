from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from factcap.models import Transformer, TransformerConfig, model_vocabulary
from factcap.models.training.steps import loss_and_gradient
from factcap.models.transformer.fast import attention, values
from factcap.models.transformer.fast.values import Reading, value_logits, value_nll
from factcap.models.transformer.layout import context_length, to_device
from tests.conftest import make_facts

# Keys and values of one length; of several; some without a key.
SETS: dict[str, Any] = {
    "even": {"keys": (3, 3), "values": (3, 3)},
    "ragged": {"keys": (2, 4), "values": (1, 3)},
    "no key": {"keys": (0, 2), "values": (2, 3)},
}


def case(name, *, tied=True, facts=12, depth=2):
    made = make_facts(facts, **SETS[name])
    model = TransformerConfig(model_vocabulary(made), width=16, depth=depth, heads=2, tied=tied)
    module = Transformer(model, rngs=nnx.Rngs(0))
    graph, state = nnx.split(module, nnx.Param)
    # Larger than at the start, so that attention is not flat.
    state = jax.tree.map(lambda leaf: 8 * leaf if leaf.ndim == 2 else leaf + 0.3, state)
    batch = to_device(made).take(jnp.arange(facts))
    return Reading(model, context_length(made)), graph, state, batch


def gradient_of(reading, params, batch):
    return jax.jit(lambda *args: loss_and_gradient(reading, *args))(params, batch)


def reference(graph, state, reading, batch):
    logits = nnx.merge(graph, state)(batch.tokens_BxT[:, :-1], batch.start_B, reading.context - 1)
    target = batch.tokens_BxT[:, reading.context :]
    nll = optax.softmax_cross_entropy_with_integer_labels(logits, target)
    return logits, nll if batch.counted_BxV is None else jnp.where(batch.counted_BxV, nll, 0)


@pytest.mark.parametrize(
    ("name", "tied", "short"),
    [
        pytest.param("even", True, True, marks=pytest.mark.slow),
        ("even", True, False),
        ("ragged", True, True),
        pytest.param("ragged", True, False, marks=pytest.mark.slow),
        ("no key", False, True),
        pytest.param("no key", False, False, marks=pytest.mark.slow),
    ],
)
def test_logits_loss_and_gradient_are_those_of_the_module(name, tied, short, monkeypatch):
    monkeypatch.setattr(attention, "_SHORT_TIME", 24 if short else 0)
    reading, graph, state, batch = case(name, tied=tied)
    params = nnx.to_pure_dict(state)
    logits, nll = reference(graph, state, reading, batch)
    both = jax.jit(lambda *args: (value_logits(reading, *args), value_nll(reading, *args)))
    for got, want in zip(both(params, batch), (logits, nll), strict=True):
        np.testing.assert_allclose(got, want, atol=2e-5)

    tokens = nll.size if batch.counted_BxV is None else batch.counted_BxV.sum()
    wanted = jax.jit(
        jax.grad(lambda state: reference(graph, state, reading, batch)[1].sum() / tokens)
    )
    loss, gradient = gradient_of(reading, params, batch)
    assert loss == pytest.approx(float(nll.sum() / tokens), rel=1e-5)
    jax.tree.map(
        lambda got, want: np.testing.assert_allclose(got, want, atol=2e-5 * np.abs(want).max()),
        gradient,
        nnx.to_pure_dict(wanted(state)),
    )


def test_both_forms_of_attention_are_used():
    assert attention.is_short(11, 16)
    assert not attention.is_short(11, 128)
    assert not attention.is_short(500, 16)


@pytest.mark.parametrize("name", ["even", "ragged"])
def test_a_batch_read_in_chunks_has_the_same_loss_and_gradient(name, monkeypatch):
    reading, _, state, batch = case(name)
    params = nnx.to_pure_dict(state)
    whole, whole_gradient = gradient_of(reading, params, batch)
    monkeypatch.setattr("factcap.models.training.steps.facts_at_once", lambda *_: 4)
    parts, parts_gradient = gradient_of(reading, params, batch)
    assert parts == pytest.approx(float(whole), rel=1e-6)
    jax.tree.map(
        lambda got, want: np.testing.assert_allclose(got, want, atol=1e-5 * np.abs(want).max()),
        parts_gradient,
        whole_gradient,
    )


def test_bfloat16_is_near_float32_and_has_float32_gradients():
    reading, _, state, batch = case("even")
    params = nnx.to_pure_dict(state)
    exact, gradient = gradient_of(reading, params, batch)
    half = replace(reading, precision="bfloat16")
    near, near_gradient = gradient_of(half, params, batch)
    assert near != exact
    assert near == pytest.approx(float(exact), rel=0.02)
    flat, near_flat = (
        np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(tree)])
        for tree in (gradient, near_gradient)
    )
    assert near_flat.dtype == np.float32
    assert flat @ near_flat / np.linalg.norm(flat) / np.linalg.norm(near_flat) > 0.995


def test_a_hopeless_token_costs_a_bounded_loss_and_a_finite_gradient():
    reading, _, state, batch = case("even")
    params = jax.tree.map(lambda leaf: 100 * leaf, nnx.to_pure_dict(state))
    loss, gradient = gradient_of(reading, params, batch)
    exact = optax.softmax_cross_entropy_with_integer_labels(
        value_logits(reading, params, batch), batch.tokens_BxT[:, reading.context :]
    )
    assert exact.mean() > 100
    assert 40 < loss < 60 + np.log(reading.model.vocabulary)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))


def test_products_of_many_models_at_once_are_those_of_each():
    reading, _, state, batch = case("even")
    several = [jax.tree.map(lambda leaf, k=k: k * leaf, nnx.to_pure_dict(state)) for k in (1, 2, 3)]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *several)
    members = jax.vmap(lambda params: loss_and_gradient(reading, params, batch))
    losses, gradients = jax.jit(members)(stacked)
    for number, params in enumerate(several):
        loss, gradient = gradient_of(reading, params, batch)
        assert losses[number] == pytest.approx(float(loss), rel=1e-5)
        jax.tree.map(
            lambda got, want, number=number: np.testing.assert_allclose(
                got[number], want, atol=5e-5 * np.abs(want).max()
            ),
            gradients,
            gradient,
        )


def test_readings_of_one_shape_are_one_static_argument():
    reading, *_ = case("even")
    assert hash(reading) == hash(replace(reading))
    assert values.PRECISIONS.keys() == {"float32", "bfloat16"}


@pytest.mark.parametrize(
    ("dtype", "time", "channels", "expected"),
    [
        (jnp.bfloat16, 512, 64, "cudnn"),
        (jnp.bfloat16, 11, 32, None),  # refused by cuDNN: an odd number of positions
        (jnp.bfloat16, 12, 32, None),
        (jnp.bfloat16, 512, 12, None),
        (jnp.float32, 512, 64, None),
    ],
)
def test_on_a_gpu_only_what_its_library_takes_is_given_to_it(
    monkeypatch, dtype, time, channels, expected
):
    asked = []

    def attention_of(query, key, value, *, is_causal, implementation):
        assert is_causal
        asked.append(implementation)
        return query

    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    monkeypatch.setattr(jax.nn, "dot_product_attention", attention_of)
    heads = jnp.ones((2, time, 2, channels), dtype)
    attention.attend(heads, heads, heads, None)
    assert asked == [expected]
