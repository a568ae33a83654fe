import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from factcap.models import Transformer, TransformerConfig, model_vocabulary
from factcap.models.training.steps import loss_and_gradient, trained_module
from factcap.models.transformer.fast.values import Reading, value_logits
from factcap.models.transformer.layout import context_length, to_device
from factcap.models.transformer.rounding import kept, rounded, weight_bits
from factcap.synth import BadInput
from tests.conftest import make_facts

FACTS = make_facts(12, keys=(2, 4), values=(1, 3))


def model(**fields):
    return TransformerConfig(model_vocabulary(FACTS), width=16, depth=2, heads=2, **fields)


def params(config):
    _, state = nnx.split(Transformer(config, rngs=nnx.Rngs(0)), nnx.Param)
    return nnx.to_pure_dict(jax.tree.map(lambda leaf: 8 * leaf, state))


@pytest.mark.parametrize("bits", [2, 3, 8])
def test_a_channel_has_few_values_none_off_by_more_than_half_a_step(bits):
    tree = params(model())
    kernel = np.asarray(tree["blocks"][0]["feed_forward_in"]["kernel"])
    embedding = np.asarray(tree["embedding"]["embedding"])
    found = rounded(tree, bits)
    most = 2 ** (bits - 1) - 1
    for before, after in (
        (kernel.T, np.asarray(found["blocks"][0]["feed_forward_in"]["kernel"]).T),
        (embedding, np.asarray(found["embedding"]["embedding"])),
    ):
        for channel, now in zip(before, after, strict=True):
            step = np.abs(channel).max() / most
            levels = now / step
            np.testing.assert_allclose(levels, np.round(levels), atol=1e-4)
            assert np.abs(now - channel).max() <= 0.5001 * step
            assert np.abs(now).max() == pytest.approx(np.abs(channel).max(), rel=1e-6)
    np.testing.assert_array_equal(found["norm"]["scale"], tree["norm"]["scale"])


def test_a_channel_of_zeros_stays():
    zeros = {"kernel": jnp.zeros((3, 2))}
    np.testing.assert_array_equal(rounded(zeros, 4)["kernel"], zeros["kernel"])


def test_rounding_twice_is_rounding_once():
    tree = rounded(params(model()), 4)
    jax.tree.map(
        lambda one, two: np.testing.assert_allclose(one, two, rtol=1e-5), tree, rounded(tree, 4)
    )


EXPERTS = {"feed_forward": "experts", "experts": 3, "active": 1}


@pytest.mark.parametrize(
    "layer", [{}, pytest.param(EXPERTS, marks=pytest.mark.slow), {"tied": False}], ids=str
)
def test_a_rounded_model_is_the_model_with_rounded_weights(layer):
    tree, batch = params(model(**layer)), to_device(FACTS).take(jnp.arange(12))
    context = context_length(FACTS)
    config = model(**layer, weight_bits=3)
    found = value_logits(Reading(config, context), tree, batch)
    plain = value_logits(Reading(model(**layer), context), rounded(tree, 3), batch)
    np.testing.assert_allclose(found, plain, atol=1e-4)
    assert not np.allclose(plain, value_logits(Reading(model(**layer), context), tree, batch))
    module = trained_module(config, tree)
    said = module(batch.tokens_BxT[:, :-1], batch.start_B, context - 1)
    np.testing.assert_allclose(found, said, atol=3e-4)


@pytest.mark.slow
def test_the_gradient_goes_straight_through():
    tree, batch = params(model()), to_device(FACTS).take(jnp.arange(12))
    context = context_length(FACTS)
    loss, gradient = loss_and_gradient(Reading(model(weight_bits=3), context), tree, batch)
    plain, wanted = loss_and_gradient(Reading(model(), context), rounded(tree, 3), batch)
    assert loss == pytest.approx(float(plain), rel=1e-5)
    jax.tree.map(
        lambda got, want: np.testing.assert_allclose(got, want, atol=2e-5 * np.abs(want).max()),
        gradient,
        wanted,
    )


def test_bits_of_weights_are_counted_with_their_scales():
    tree = {"embedding": {"embedding": np.zeros((5, 3))}, "norm": {"scale": np.zeros(3)}}
    assert weight_bits(tree, 0) == 32 * (15 + 3)
    assert weight_bits(tree, 4) == 4 * 15 + 32 * 5 + 32 * 3
    assert weight_bits({"kernel": np.zeros((3, 7))}, 2) == 2 * 21 + 32 * 7
    assert weight_bits({"kernel": np.zeros((2, 3, 7))}, 2) == 2 * 42 + 32 * 14


@pytest.mark.parametrize("bits", [-1, 1, 17])
def test_other_numbers_of_bits_are_refused(bits):
    with pytest.raises(BadInput, match=f"weight_bits must be 2 to 16, or 0 for none, not {bits}"):
        model(weight_bits=bits)


def test_kept_in_bfloat16_a_number_is_the_nearest_or_one_of_the_two_by_chance():
    numbers = np.random.default_rng(0).normal(size=500).astype(np.float32)

    def held(kept_in):
        of_a_key = jax.vmap(lambda key: kept({"a": jnp.asarray(numbers)}, kept_in, key)["a"])
        return np.asarray(jax.jit(of_a_key)(jax.random.split(jax.random.key(0), 300)))

    np.testing.assert_array_equal(held("float32")[0], numbers)
    nearest = numbers.astype(jnp.bfloat16).astype(np.float32)
    np.testing.assert_array_equal(held("bfloat16")[0], nearest)
    several = held("bfloat16-stochastic")
    np.testing.assert_array_equal(several, several.astype(jnp.bfloat16).astype(np.float32))
    step = 2.0 ** (np.floor(np.log2(np.abs(numbers))) - 7)
    assert (np.abs(several - numbers) < step).all()
    # the standard deviation of a mean over 300 is at most step / 2 / sqrt 300
    assert (np.abs(several.mean(0) - numbers) < 4.5 * step / 2 / 300**0.5).all()
    assert (np.ptp(several, axis=0) > 0).mean() > 0.9


def test_parameters_are_kept_in_one_of_a_few():
    with pytest.raises(BadInput, match="kept_in must be one of float32, bfloat16, bfloat16-stoch"):
        model(kept_in="float16")
