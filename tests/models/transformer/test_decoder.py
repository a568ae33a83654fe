import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from factcap.models import SIZES, Transformer, TransformerConfig, named_size
from factcap.models.transformer.rotary import rotate
from factcap.synth import BadInput

CONFIG = TransformerConfig(vocabulary=11, width=16, depth=2, heads=2)


def build(config=CONFIG, seed=0):
    return Transformer(config, rngs=nnx.Rngs(seed))


def tokens(batch=3, time=7, seed=0):
    return jnp.asarray(np.random.default_rng(seed).integers(0, 11, (batch, time)))


@pytest.mark.parametrize("tied", [True, False])
def test_parameters_counts_every_array(tied):
    config = TransformerConfig(vocabulary=11, width=16, depth=3, heads=2, tied=tied)
    params = nnx.state(build(config), nnx.Param)
    assert sum(leaf.size for leaf in jax.tree.leaves(params)) == config.parameters


def test_named_sizes_have_the_parameters_their_names_say():
    units = {"k": 1e3, "M": 1e6}
    for name in SIZES:
        if name == "gpt2-small":
            assert abs(named_size(name, 50_257).parameters / 124e6 - 1) < 0.01
        else:
            said = float(name[:-1]) * units[name[-1]]
            assert 0.85 < named_size(name, 135).parameters / said < 1.2, name


def test_gradients_flow_from_no_later_token():
    model = build()
    ids = tokens(batch=1)

    def logit_at(embedded, position):
        stream = embedded
        visible = jnp.tril(jnp.ones((7, 7), bool))[None]
        for block in model.blocks:
            stream = block(stream, visible)
        return model.norm(stream)[0, position].sum()

    embedded = model.embedding(ids)
    for position in range(7):
        gradient = np.abs(jax.grad(logit_at)(embedded, position))[0].sum(axis=-1)
        assert np.all(gradient[position + 1 :] == 0)
        # The norm removes the mean, so the sum of its outputs still depends on the position.
        assert np.all(gradient[: position + 1] > 0)


def test_later_tokens_do_not_change_earlier_logits():
    model, ids = build(), tokens()
    changed = ids.at[:, 4].set((ids[:, 4] + 1) % 11)
    before, after = model(ids), model(changed)
    assert jnp.array_equal(before[:, :4], after[:, :4])
    assert not jnp.allclose(before[:, 4:], after[:, 4:], atol=1e-6)


def test_padding_on_the_left_changes_nothing():
    model = build()
    ids = tokens(batch=2, time=5)
    padded = jnp.concatenate([jnp.full((2, 3), 7), ids], axis=1)
    plain = model(ids)
    shifted = model(padded, jnp.asarray([3, 3]), 3)
    np.testing.assert_allclose(shifted, plain, atol=2e-6)


def test_first_returns_the_last_logits():
    model, ids = build(), tokens()
    np.testing.assert_allclose(model(ids, None, 4), model(ids)[:, 4:], atol=1e-6)


def test_jitted_equals_not_jitted():
    model, ids = build(), tokens()
    graph, params = nnx.split(model, nnx.Param)
    jitted = jax.jit(lambda params, ids: nnx.merge(graph, params)(ids))
    np.testing.assert_allclose(jitted(params, ids), model(ids), atol=1e-6)


def test_rotation_keeps_norms_and_depends_on_distance_alone():
    rng = np.random.default_rng(0)
    query, key = (jnp.asarray(rng.normal(size=8), jnp.float32) for _ in range(2))
    queries, keys = (
        rotate(jnp.broadcast_to(vector, (1, 9, 1, 8)))[0, :, 0] for vector in (query, key)
    )
    np.testing.assert_allclose(jnp.linalg.norm(queries, axis=-1), jnp.linalg.norm(query), rtol=1e-5)
    products = np.asarray(queries @ keys.T)
    for distance in range(-8, 9):
        diagonal = np.diagonal(products, distance)
        np.testing.assert_allclose(diagonal, diagonal[0], atol=1e-5)
    assert np.std(products[0]) > 0.01


def test_readout_is_the_embedding_only_where_tied():
    tied = build()
    untied = build(TransformerConfig(vocabulary=11, width=16, depth=2, heads=2, tied=False))
    assert tied.readout is None
    assert untied.readout is not None
    hidden = untied.norm(untied.embedding(tokens()))
    assert not jnp.allclose(untied.readout(hidden), untied.embedding.attend(hidden))


def test_sizes_that_cannot_be_built_are_refused():
    with pytest.raises(BadInput, match="multiple of 2 x heads = 6, not 16"):
        TransformerConfig(vocabulary=11, width=16, depth=2, heads=3)
    with pytest.raises(BadInput, match="depth must be at least 1, not 0"):
        TransformerConfig(vocabulary=11, width=16, depth=0, heads=2)
    with pytest.raises(BadInput, match=r"no model is called 'gpt5'; there are 8k, .*gpt2-small"):
        named_size("gpt5", 11)
