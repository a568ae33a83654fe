import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from factcap.models import Transformer, TransformerConfig
from factcap.models.transformer.masks import soft_top, top_units, unit_masks
from factcap.synth import BadInput

SCORES = jnp.asarray(np.random.default_rng(0).normal(size=(4, 20)), jnp.float32)


@pytest.mark.parametrize("active", [1, 7, 19])
def test_the_highest_scores_stay(active):
    masks = np.asarray(top_units(SCORES, active))
    assert set(np.unique(masks)) == {0.0, 1.0}
    assert np.all(masks.sum(axis=1) == active)
    for scores, mask in zip(np.asarray(SCORES), masks, strict=True):
        assert scores[mask == 1].min() > scores[mask == 0].max()


@pytest.mark.parametrize("active", [1, 7, 19])
def test_the_soft_top_has_the_same_sum(active):
    soft = soft_top(3 * SCORES, active)
    np.testing.assert_allclose(soft.sum(axis=1), active, rtol=1e-4)
    assert np.all(np.diff(np.asarray(soft[0])[np.argsort(SCORES[0])]) >= 0)


def test_the_gradient_is_that_of_the_soft_top():
    rng = np.random.default_rng(1)
    direction, weights = (jnp.asarray(rng.normal(size=(4, 20)), jnp.float32) for _ in range(2))
    of_hard = jax.grad(lambda scores: jnp.sum(weights * top_units(scores, 7)))(SCORES)
    step = 1e-2
    ends = [jnp.sum(weights * soft_top(SCORES + s * direction, 7)) for s in (step, -step)]
    slope = (ends[0] - ends[1]) / (2 * step)
    np.testing.assert_allclose(jnp.sum(of_hard * direction), slope, rtol=0.01)
    # the sum is fixed, so that nothing is won by raising all scores of a row
    np.testing.assert_allclose(of_hard.sum(axis=1), 0, atol=1e-5)


def test_a_mask_depends_on_the_order_of_the_key_and_not_on_padding():
    rng = np.random.default_rng(2)
    inner, outer = (jnp.asarray(rng.normal(size=shape), jnp.float32) for shape in ((8, 8), (8, 60)))
    key = jnp.asarray(rng.normal(size=(1, 3, 8)), jnp.float32)

    def masks(key, start=None):
        return np.asarray(unit_masks(key, start, inner, outer, 3, 5))

    found = masks(key)
    assert found.shape == (3, 1, 20)
    assert np.any(found != masks(key[:, ::-1]))
    padded = jnp.concatenate([jnp.ones((1, 2, 8)), key], axis=1)
    np.testing.assert_array_equal(masks(padded, jnp.asarray([2])), found)


@pytest.mark.parametrize(("reads", "seen"), [("key", {0, 1, 2}), ("first", {0}), ("rest", {1, 2})])
def test_masks_are_chosen_by_the_tokens_that_the_predictor_reads(reads, seen):
    rng = np.random.default_rng(3)
    inner, outer = (jnp.asarray(rng.normal(size=shape), jnp.float32) for shape in ((8, 8), (8, 60)))
    key = rng.normal(size=(1, 5, 8)).astype(np.float32)

    def masks(key, start):
        rows = jnp.asarray(key[:, 2:] if start is None else key)
        return np.asarray(unit_masks(rows, start, inner, outer, 3, 5, reads))

    for start in (None, jnp.asarray([2])):
        found = masks(key, start)
        for place in range(3):
            changed = key.copy()
            changed[0, 2 + place] = rng.normal(size=8)
            assert np.any(masks(changed, start) != found) == (place in seen)


def test_tokens_that_choose_are_named_and_of_a_masked_model():
    with pytest.raises(BadInput, match="mask_reads must be one of key, first, rest, not 'last'"):
        TransformerConfig(11, 16, 1, 1, feed_forward="masked", active=4, mask_reads="last")
    with pytest.raises(BadInput, match="only feed_forward masked has a predictor"):
        TransformerConfig(11, 16, 1, 1, mask_reads="first")


@pytest.mark.slow
def test_the_same_units_stay_at_all_positions(monkeypatch):
    """What stays is decided by the key: a later token changes nothing."""
    config = TransformerConfig(11, 16, 2, 2, feed_forward="masked", active=16)
    model = Transformer(config, rngs=nnx.Rngs(0))
    assert model.predictor is not None
    seen = []

    def recorded(*args):
        seen.append(np.asarray(unit_masks(*args)))
        return unit_masks(*args)

    monkeypatch.setattr("factcap.models.transformer.decoder.unit_masks", recorded)
    ids = jnp.asarray(np.random.default_rng(0).integers(0, 11, (5, 6)))
    model(ids, None, 2)
    model(ids.at[:, 4].set((ids[:, 4] + 1) % 11), None, 2)
    model(ids.at[:, 1].set((ids[:, 1] + 1) % 11), None, 2)
    np.testing.assert_array_equal(seen[0], seen[1])
    assert np.any(seen[0] != seen[2])
    assert np.all(seen[0].sum(axis=2) == 16)
