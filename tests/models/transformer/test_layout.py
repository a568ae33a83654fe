import jax
import jax.numpy as jnp
import numpy as np
import pytest

from factcap.models.transformer.layout import context_length, model_vocabulary, to_device
from tests.conftest import make_facts


@pytest.mark.parametrize("keys", [(2, 4), (3, 3), (0, 0), (0, 2)])
@pytest.mark.parametrize("values", [(1, 3), (2, 2)])
def test_rows_hold_the_facts(keys, values):
    facts = make_facts(30, keys=keys, values=values)
    rows = to_device(facts).rows
    context, start_token = context_length(facts), facts.vocabulary_size
    for number in range(30):
        real = list(facts.tokens[number, : facts.length[number]])
        key_length = int(facts.key_length[number])
        if 0 in facts.key_length:
            real = [start_token, *real]
            key_length += 1
        row = np.asarray(rows.tokens_BxT[number])
        first = context - key_length
        np.testing.assert_array_equal(row[first : first + len(real)], real)
        assert first == (0 if rows.start_B is None else rows.start_B[number])
        counted = (
            np.ones(row.size - context, bool)
            if rows.counted_BxV is None
            else rows.counted_BxV[number]
        )
        assert int(np.sum(counted)) == len(real) - key_length
        assert bool(counted[: len(real) - key_length].all())


def test_no_masks_where_nothing_is_padded():
    rows = to_device(make_facts(30, keys=(3, 3), values=(2, 2))).rows
    assert rows.start_B is None
    assert rows.counted_BxV is None


def test_only_keyless_facts_need_a_start_token():
    assert model_vocabulary(make_facts(5)) == 12
    assert model_vocabulary(make_facts(5, keys=(0, 2))) == 13


def test_draws_follow_the_frequency():
    facts = make_facts(40, exponent=1.0)
    device = to_device(facts)
    number = {bytes(np.asarray(row)): i for i, row in enumerate(device.rows.tokens_BxT[:40])}
    assert len(number) == 40
    draws = 200_000
    batch = jax.jit(lambda key: device.take(device.draw(draws, key)))(jax.random.key(0))
    drawn = [number[bytes(row)] for row in np.asarray(batch.tokens_BxT)]
    observed = np.bincount(drawn, minlength=40)
    expected = draws * facts.frequency
    chi_square = np.sum((observed - expected) ** 2 / expected)
    # 39 degrees of freedom: mean 39, standard deviation 8.8.
    assert chi_square < 39 + 5 * 8.8


def test_padding_rows_are_never_drawn():
    device = to_device(make_facts(3))
    assert len(device.keep_F) > 3
    batch = device.take(device.draw(5000, jax.random.key(1)))
    first = {bytes(np.asarray(row)) for row in device.rows.tokens_BxT[:3]}
    assert {bytes(row) for row in np.asarray(batch.tokens_BxT)} == first
    assert jnp.all(device.rows.tokens_BxT[3:] == 0)
