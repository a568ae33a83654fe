from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax.sharding import Mesh

from factcap.models import TrainConfig
from factcap.models.runs.slots import Slots, TrainingArrays, evaluated_params
from factcap.models.training.devices.mesh import AXES
from factcap.models.training.schedule import make_schedule
from factcap.models.training.steps import TrainState
from factcap.models.transformer.layout import to_device
from tests.conftest import make_facts


@cache
def training(number):
    """Small arrays that no other number has."""
    params = {"weight": jnp.full((3, 2), float(number)), "scale": jnp.arange(2.0) - number}
    config = TrainConfig(seed=number, learning_rate=number + 1, optimizer="adamw")
    return TrainingArrays(
        TrainState(params, (), jnp.asarray(100 * number, jnp.int32)),
        to_device(make_facts(10, keys=(2, 2), values=(1, 1), seed=number)),
        make_schedule(config, 10, 8),
    )


def plain(tree):
    """Arrays that can be compared; the key of a schedule is none as it is."""
    return [
        np.asarray(
            jax.random.key_data(leaf) if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key) else leaf
        )
        for leaf in jax.tree.leaves(tree)
    ]


def assert_same(found, expected):
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    for one, other in zip(plain(found), plain(expected), strict=True):
        np.testing.assert_array_equal(one, other)


def assert_holds(slots, numbers):
    for slot, number in enumerate(numbers):
        assert_same(slots.take(slot), training(number))


numbers = st.integers(0, 9)


@settings(max_examples=15)
@given(st.data())
def test_what_is_put_into_slots_is_taken_out_of_them(data):
    held = data.draw(st.lists(numbers, min_size=1, max_size=3))
    slots = Slots.of([training(number) for number in held])
    assert_holds(slots, held)
    # Two devices: an odd number of slots, but for one, gets another.
    assert len(slots) == (1 if len(held) == 1 else len(held) + len(held) % 2)
    held += held[:1] * (len(slots) - len(held))
    others = data.draw(st.dictionaries(st.integers(0, len(slots) - 1), numbers))
    slots = slots.put({slot: training(number) for slot, number in others.items()})
    held = [others.get(slot, number) for slot, number in enumerate(held)]
    assert_holds(slots, held)
    kept = data.draw(
        st.lists(st.integers(0, len(slots) - 1), min_size=1, max_size=len(slots), unique=True)
    )
    assert_holds(slots.keep(kept), [held[slot] for slot in kept])


@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_replacement_touches_one_slot_and_one_of_its_arrays(count):
    slots, weights = Slots.of([training(number) for number in range(count)]), np.arange(1.0, 11)
    for slot in range(count):
        state, facts, schedule = training(slot)
        with_weights = slots.with_weights(slot, weights)
        assert_same(with_weights.take(slot).state, state)
        assert_same(with_weights.take(slot).facts, facts.weighted(weights))
        assert_same(with_weights.take(slot).schedule, schedule)
        assert np.any(plain(facts.keep_F)[0] != plain(with_weights.take(slot).facts.keep_F)[0])
        with_schedule = slots.with_schedule(slot, training(9).schedule)
        assert_same(with_schedule.take(slot).state, state)
        assert_same(with_schedule.take(slot).facts, facts)
        assert_same(with_schedule.take(slot).schedule, training(9).schedule)
        for other in set(range(count)) - {slot}:
            assert_same(with_weights.take(other), training(other))
            assert_same(with_schedule.take(other), training(other))
    assert_holds(slots, range(count))


def test_several_slots_are_spread_over_the_devices_and_a_single_one_is_not():
    assert jax.device_count() == 2
    slots = Slots.of([training(number) for number in range(3)])
    assert {len(leaf.devices()) for leaf in jax.tree.leaves(slots.arrays)} == {2}
    again = slots.with_weights(2, np.arange(1.0, 11))
    assert len(again.arrays.facts.keep_F.devices()) == 2
    alone = slots.keep([1])
    assert {len(leaf.devices()) for leaf in jax.tree.leaves(alone.arrays)} == {1}
    assert slots.stacked
    assert not alone.stacked


def test_on_a_mesh_facts_and_schedule_are_whole_on_each_device():
    mesh = Mesh(np.asarray(jax.devices()).reshape(2, 1), AXES)
    slots = Slots.of([training(3)], mesh)
    assert_holds(slots, [3])
    slots = slots.with_weights(0, np.arange(1.0, 11)).with_schedule(0, training(5).schedule)
    assert_same(slots.take(0).facts, training(3).facts.weighted(np.arange(1.0, 11)))
    assert_same(slots.take(0).schedule, training(5).schedule)
    for leaf in jax.tree.leaves((slots.arrays.facts, slots.arrays.schedule)):
        assert leaf.sharding.is_fully_replicated
        assert len(leaf.devices()) == 2


def test_the_parameters_measured_are_those_trained_where_nothing_is_averaged():
    assert evaluated_params(training(4)) is training(4).state.params
