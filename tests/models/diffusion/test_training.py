from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from factcap.models.diffusion import Denoiser, DenoiserConfig, DiffusionTraining, train_denoiser
from factcap.models.diffusion.network import as_denoiser, initial_params
from factcap.synth import BadInput

CONFIG = DenoiserConfig(dimension=2, width=16, depth=2)
TRAINING = DiffusionTraining(steps=200, batch=64)


def noised(point, noise, count=200):
    standard = np.random.default_rng(0).standard_normal((count, len(point)))
    return jnp.asarray(point + noise * standard, jnp.float32), jnp.full(count, noise, jnp.float32)


def test_a_denoiser_trained_on_one_point_returns_it():
    point = np.array([0.8, -1.1])
    training = DiffusionTraining(steps=3000, batch=128)
    denoiser = train_denoiser([point], replace(CONFIG, width=32), training, seed=0)
    for noise in (0.05, 0.2, 1.0, 5.0):
        away = np.asarray(denoiser(*noised(point, noise))) - point
        # noise has been taken out nearly whole, in units of the noise
        assert np.sqrt(np.mean(away**2)) < 0.1 * noise


def test_before_training_it_is_the_best_linear_guess():
    denoiser = as_denoiser(CONFIG, initial_params(CONFIG, jax.random.key(0)))
    x, noise = noised(np.zeros(2), 2.0)
    np.testing.assert_allclose(denoiser(x, noise), x / 5, rtol=1e-5)


@pytest.mark.parametrize("config", [CONFIG, DenoiserConfig(dimension=3, width=5, depth=1)])
def test_parameters_counts_every_array(config):
    params = nnx.state(Denoiser(config, rngs=nnx.Rngs(0)), nnx.Param)
    assert sum(leaf.size for leaf in jax.tree.leaves(params)) == config.parameters


def test_the_same_seed_gives_the_same_denoiser():
    points = np.random.default_rng(0).normal(size=(10, 2))
    seen = []
    first = train_denoiser(
        points, CONFIG, TRAINING, seed=3, progress=lambda *done: seen.append(done)
    )
    assert seen == [(100, 200), (200, 200)]
    again = train_denoiser(points, CONFIG, TRAINING, seed=3)
    other = train_denoiser(points, CONFIG, TRAINING, seed=4)
    query = noised(points[0], 0.3)
    np.testing.assert_array_equal(first(*query), again(*query))
    assert not np.allclose(first(*query), other(*query))


def test_what_is_compiled_for_a_denoiser_serves_another_of_its_shape():
    one, other = (
        as_denoiser(CONFIG, initial_params(CONFIG, jax.random.key(seed))) for seed in (0, 1)
    )
    assert jax.tree.structure(one) == jax.tree.structure(other)


def test_a_loss_that_is_not_finite_ends_the_training():
    with pytest.raises(FloatingPointError, match="the loss at step 100 is not finite"):
        train_denoiser([[0.5, 0.5]], CONFIG, replace(TRAINING, learning_rate=1e30), seed=0)


def test_bad_input_is_refused():
    with pytest.raises(BadInput, match=r"points must be a table of 2 columns; shape \(4, 3\)"):
        train_denoiser(np.zeros((4, 3)), CONFIG, TRAINING, seed=0)
    with pytest.raises(BadInput, match="points must be finite"):
        train_denoiser([[0.0, np.nan]], CONFIG, TRAINING, seed=0)
    with pytest.raises(BadInput, match="width must be at least 1, not 0"):
        DenoiserConfig(dimension=2, width=0)
    with pytest.raises(BadInput, match="steps must be a multiple of 100 and not 0, not 150"):
        DiffusionTraining(steps=150)
    with pytest.raises(BadInput, match="batch must be at least 1, not 0"):
        DiffusionTraining(batch=0)
    with pytest.raises(BadInput, match="learning_rate must be > 0, not 0"):
        DiffusionTraining(learning_rate=0.0)
    with pytest.raises(BadInput, match=r"least_noise must be > 0 and below most_noise, not 2.0"):
        DiffusionTraining(least_noise=2.0, most_noise=1.0)
