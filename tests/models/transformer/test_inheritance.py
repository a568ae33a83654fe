from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from factcap.models import Transformer, TransformerConfig, model_vocabulary
from factcap.models.transformer.fast.values import Reading, value_logits
from factcap.models.transformer.inheritance import (
    PREDICTOR_ADDED,
    PRUNED,
    WHOLE,
    inherited,
    most_important,
    takes_over,
)
from factcap.models.transformer.layout import context_length, to_device
from tests.conftest import make_facts

FACTS = make_facts(12, keys=(2, 4), values=(1, 3))
DENSE = TransformerConfig(model_vocabulary(FACTS), width=16, depth=2, heads=2, hidden=24)


def drawn(config, seed=0):
    _, state = nnx.split(Transformer(config, rngs=nnx.Rngs(seed)), nnx.Param)
    return nnx.to_pure_dict(state)


def logits(config, params):
    batch = to_device(FACTS).take(jnp.arange(12))
    return np.asarray(value_logits(Reading(config, context_length(FACTS)), params, batch))


@pytest.mark.parametrize(
    ("change", "how"),
    [
        ({}, WHOLE),
        ({"weight_bits": 4}, WHOLE),
        ({"feed_forward": "masked", "active": 6}, PREDICTOR_ADDED),
        ({"hidden": 10}, PRUNED),
        ({"hidden": 30}, None),
        ({"hidden": 10, "feed_forward": "masked", "active": 6}, None),
        ({"feed_forward": "gated"}, None),
        ({"width": 32}, None),
        ({"heads": 1}, None),
        ({"tied": False}, None),
        ({"vocabulary": 99}, None),
    ],
)
def test_how_a_model_begins_with_another(change, how):
    assert takes_over(DENSE, replace(DENSE, **change)) == how


def test_a_masked_model_does_not_become_dense():
    masked = replace(DENSE, feed_forward="masked", active=6)
    assert takes_over(masked, DENSE) is None
    assert takes_over(masked, replace(masked, active=8, mask_reads="first")) == WHOLE


def test_the_usual_number_of_units_is_that_number():
    assert takes_over(replace(DENSE, hidden=0), replace(DENSE, hidden=64)) == WHOLE


@pytest.mark.slow
def test_a_masked_model_of_which_all_units_stay_is_the_dense_one():
    masked = replace(DENSE, feed_forward="masked", active=24)
    params = drawn(DENSE)
    begun = inherited(DENSE, masked, params, drawn(masked, 1))
    jax.tree.map(np.testing.assert_array_equal, begun, {**drawn(masked, 1), **params})
    np.testing.assert_allclose(logits(masked, begun), logits(DENSE, params), atol=1e-5)


@pytest.mark.slow
def test_units_without_weights_are_pruned_first_and_nothing_changes():
    params = drawn(DENSE)
    for number, idle in ((0, slice(0, 14)), (1, slice(5, 19))):
        block = params["blocks"][number]
        inner = block["feed_forward_in"]["kernel"]
        outer = block["feed_forward_out"]["kernel"]
        block["feed_forward_in"]["kernel"] = inner.at[:, idle].multiply(1e-3)
        block["feed_forward_out"]["kernel"] = outer.at[idle].set(0.0)
    small = replace(DENSE, hidden=10)
    begun = inherited(DENSE, small, params, drawn(small, 1))
    shapes = jax.tree.map(jnp.shape, drawn(small))
    assert jax.tree.map(jnp.shape, begun) == shapes
    np.testing.assert_allclose(logits(small, begun), logits(DENSE, params), atol=1e-5)


def test_a_unit_counts_by_both_of_its_vectors_and_units_keep_their_order():
    inner = jnp.asarray([[3.0, 1.0, 2.0, 0.1]])
    outer = jnp.asarray([[0.1], [1.0], [1.0], [9.0]])
    # 0.3, 1, 2, 0.9
    assert most_important(inner, outer, 2).tolist() == [1, 2]
    assert most_important(inner, outer, 3).tolist() == [1, 2, 3]
