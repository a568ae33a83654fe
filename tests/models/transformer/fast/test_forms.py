"""Feed-forward layers of every form: what is quick agrees with what is said."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from hypothesis import given
from hypothesis import strategies as st

from factcap.models import Transformer, TransformerConfig, model_vocabulary
from factcap.models.training.steps import loss_and_gradient
from factcap.models.transformer.fast import attention
from factcap.models.transformer.fast.experts import _places
from factcap.models.transformer.fast.values import Reading, value_logits, value_nll_and_balance
from factcap.models.transformer.layout import context_length, to_device
from factcap.models.transformer.routing import BALANCE, routed
from tests.conftest import make_facts

FORMS = {
    "gated": {"feed_forward": "gated"},
    "top-1": {"feed_forward": "experts", "experts": 4, "active": 1},
    "top-2": {"feed_forward": "experts", "experts": 5, "active": 2, "hidden": 12},
    "masked": {"feed_forward": "masked", "active": 20},
}


def some(*quick):
    """The forms, all but these in the slow tests."""
    return [form if form in quick else pytest.param(form, marks=pytest.mark.slow) for form in FORMS]


def case(form, facts=12):
    made = make_facts(facts, keys=(2, 4), values=(1, 3))
    model = TransformerConfig(model_vocabulary(made), width=16, depth=2, heads=2, **FORMS[form])
    graph, state = nnx.split(Transformer(model, rngs=nnx.Rngs(0)), nnx.Param)
    # Larger than at the start, so that attention is not flat and experts differ.
    state = jax.tree.map(lambda leaf: 8 * leaf if leaf.ndim >= 2 else leaf + 0.3, state)
    batch = to_device(made).take(jnp.arange(facts))
    return Reading(model, context_length(made)), graph, state, batch


def reference(graph, state, reading, batch):
    logits = nnx.merge(graph, state)(batch.tokens_BxT[:, :-1], batch.start_B, reading.context - 1)
    target = batch.tokens_BxT[:, reading.context :]
    nll = optax.softmax_cross_entropy_with_integer_labels(logits, target)
    return logits, jnp.where(batch.counted_BxV, nll, 0)


@pytest.mark.parametrize("short", [True, pytest.param(False, marks=pytest.mark.slow)])
@pytest.mark.parametrize("form", some("gated", "top-1", "masked"))
def test_logits_loss_and_gradient_are_those_of_the_module(form, short, monkeypatch):
    monkeypatch.setattr(attention, "_SHORT_TIME", 24 if short else 0)
    # The module has no balancing loss.
    monkeypatch.setattr("factcap.models.training.steps.BALANCE", 0.0)
    reading, graph, state, batch = case(form)
    params = nnx.to_pure_dict(state)
    logits, nll = reference(graph, state, reading, batch)
    np.testing.assert_allclose(
        jax.jit(lambda *args: value_logits(reading, *args))(params, batch), logits, atol=5e-5
    )
    assert batch.counted_BxV is not None
    tokens = batch.counted_BxV.sum()
    wanted = jax.jit(
        jax.grad(lambda state: reference(graph, state, reading, batch)[1].sum() / tokens)
    )
    loss, gradient = jax.jit(lambda *args: loss_and_gradient(reading, *args))(params, batch)
    assert loss == pytest.approx(float(nll.sum() / tokens), rel=1e-5)
    jax.tree.map(
        lambda got, want: np.testing.assert_allclose(got, want, atol=5e-5 * np.abs(want).max()),
        gradient,
        nnx.to_pure_dict(wanted(state)),
    )


@pytest.mark.slow  # tests/models/runs/test_forms.py trains several together, too
@pytest.mark.parametrize("form", FORMS)
def test_many_models_at_once_are_each_alone(form):
    reading, _, state, batch = case(form)
    several = [jax.tree.map(lambda leaf, k=k: k * leaf, nnx.to_pure_dict(state)) for k in (1, 2)]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *several)
    members = jax.vmap(lambda params: loss_and_gradient(reading, params, batch))
    losses, _ = jax.jit(members)(stacked)
    for loss, params in zip(losses, several, strict=True):
        assert loss == pytest.approx(float(loss_and_gradient(reading, params, batch)[0]), rel=1e-5)


@pytest.mark.slow
def test_the_balancing_loss_moves_the_router_and_is_not_reported(monkeypatch):
    reading, _, state, batch = case("top-1")
    params = nnx.to_pure_dict(state)
    nats, gradient = loss_and_gradient(reading, params, batch)
    nll, balance = value_nll_and_balance(reading, params, batch)
    assert balance is not None
    assert batch.counted_BxV is not None
    assert nats == pytest.approx(float(nll.sum() / batch.counted_BxV.sum()), rel=1e-6)
    assert balance >= 0.9 * reading.model.depth
    monkeypatch.setattr("factcap.models.training.steps.BALANCE", 0.0)
    plain_nats, plain = loss_and_gradient(reading, params, batch)
    assert plain_nats == nats
    of_balance = jax.grad(lambda params: value_nll_and_balance(reading, params, batch)[1])(params)
    router = [tree["blocks"][0]["router"]["kernel"] for tree in (gradient, plain, of_balance)]
    np.testing.assert_allclose(router[0] - router[1], BALANCE * router[2], atol=1e-6)
    assert np.abs(router[2]).max() > 0


def test_equal_choices_have_the_balance_1_and_one_expert_for_all_the_most():
    equal = 50.0 * jnp.eye(4)
    assert routed(equal, 1)[2] == pytest.approx(1, abs=1e-5)
    assert routed(equal[:1].repeat(4, axis=0), 1)[2] == pytest.approx(4, abs=1e-5)


def test_weights_are_probabilities_and_of_several_experts_shares():
    logits = jnp.log(jnp.asarray([[0.5, 0.3, 0.2]]))
    chosen, weight, _ = routed(logits, 1)
    assert (chosen.tolist(), float(weight[0, 0])) == ([[0]], pytest.approx(0.5))
    chosen, weight, _ = routed(logits, 2)
    assert chosen.tolist() == [[0, 1]]
    np.testing.assert_allclose(weight, [[0.625, 0.375]], rtol=1e-5)


@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=80), st.sampled_from([1, 2, 8]), st.booleans()
)
def test_every_row_has_a_place_in_a_tile_of_its_expert(chosen, tile, same):
    expert_P = np.zeros_like(chosen) + 3 if same else np.asarray(chosen)
    places, experts = map(np.asarray, _places(jnp.asarray(expert_P), 7, tile))
    assert len(set(places)) == len(places)
    np.testing.assert_array_equal(experts[places // tile], expert_P)
