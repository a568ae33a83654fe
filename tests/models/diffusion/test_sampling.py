import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.tree_util import Partial

from factcap.capacity.memorized_prior import empirical_weights, memorized_fraction
from factcap.models.diffusion import Mixture, clusters, memorized, sample, sample_posterior
from factcap.synth import BadInput

KEY = jax.random.key(0)


def first(x):
    return x[:1]


def assert_moments(samples, true):
    """First and second moments and shares of the clusters, within 3 standard errors."""
    count = len(samples)
    which = ((samples[:, None] - true.centers) ** 2).sum(axis=2).argmin(axis=1)
    fresh = true.draw(count, np.random.default_rng(1))
    nearest = ((fresh[:, None] - true.centers) ** 2).sum(axis=2).argmin(axis=1)
    for cluster in range(len(true.weights)):
        expected = np.mean(nearest == cluster)
        error = math.sqrt(2 * expected * (1 - expected) / count)
        assert abs(np.mean(which == cluster) - expected) < 3 * error
    mean = true.weights @ true.centers
    square = true.weights @ (true.centers**2 + true.spreads[:, None] ** 2)
    for found, expected in ((samples, mean), (samples**2, square)):
        error = found.std(axis=0) / math.sqrt(count)
        assert np.all(np.abs(found.mean(axis=0) - expected) < 3 * error)


def test_the_exact_score_gives_the_moments_of_the_distribution():
    true = clusters(4, 8, spread=0.5, seed=0)
    # 0.01 lies far below the spread, so that what is left below it does not count
    samples = sample(true.denoiser(), 4000, 8, KEY, least_noise=0.01, steps=96)
    assert_moments(samples, true)


def test_steps_are_of_second_order():
    # For N(c, s^2) the flow moves x - c in proportion to sqrt(s^2 + sigma^2).
    center, spread = np.array([[0.7, -0.2]]), 0.5
    denoiser = Mixture(np.ones(1), center, np.array([spread])).denoiser()
    most, least = 3.0, 0.3
    start = np.asarray(jax.random.normal(KEY, (50, 2)) * math.sqrt(1 + most**2))
    end = (start - center) * math.sqrt((spread**2 + least**2) / (spread**2 + most**2))
    exact = center + end * spread**2 / (spread**2 + least**2)
    errors = [
        np.abs(
            sample(denoiser, 50, 2, KEY, most_noise=most, least_noise=least, steps=steps) - exact
        ).max()
        for steps in (8, 16, 32)
    ]
    assert errors[2] < 3e-3
    assert 3 < errors[0] / errors[1] < 5
    assert 3 < errors[1] / errors[2] < 5


def test_the_memorized_mixture_samples_training_points():
    points = clusters(4, 8, spread=0.5, seed=0).draw(64, np.random.default_rng(0))
    samples = sample(memorized(points).denoiser(), 2000, 8, KEY)
    assert memorized_fraction(samples, points) > 0.99
    assert memorized_fraction(samples, points, threshold=0.05) > 0.97
    nearest = ((samples[:, None] - points) ** 2).sum(axis=2).argmin(axis=1)
    counts = np.bincount(nearest, minlength=64)
    # chi-squared of 63 degrees of freedom: mean 63, standard deviation 11
    assert np.sum((counts - 2000 / 64) ** 2) / (2000 / 64) < 63 + 3 * 11.3


def test_posterior_samples_of_what_says_nothing_are_samples():
    true = clusters(3, 2, spread=0.3, seed=0)
    samples = sample_posterior(
        true.denoiser(), first, [5.0], 1e4, 4000, 2, KEY, least_noise=0.01, steps=600
    )
    assert_moments(samples, true)


def test_posterior_samples_of_memorized_points_follow_the_weights():
    points = np.array([[-1.0, 0.3], [1.0, -0.4]])
    for seen, gamma in ((0.2, 1.0), (-0.3, 0.7), (0.5, 0.4)):
        weights = empirical_weights(points[:, :1], [seen], gamma)
        samples = sample_posterior(memorized(points).denoiser(), first, [seen], gamma, 4000, 2, KEY)
        assert memorized_fraction(samples, points) > 0.99
        share = np.mean(samples[:, 0] > 0)
        # DPS leaves out what is not known of the clean point
        assert abs(share - weights[1]) < 0.09
        assert abs(share - 0.5) > 0.05


def test_the_same_key_gives_the_same_samples():
    denoiser = memorized([[0.0], [1.0]]).denoiser()
    for draw in (
        lambda key: sample(denoiser, 20, 1, key),
        lambda key: sample_posterior(denoiser, first, [0.4], 0.5, 20, 1, key),
    ):
        np.testing.assert_array_equal(draw(KEY), draw(KEY))
        assert not np.allclose(draw(KEY), draw(jax.random.key(1)))


def test_bad_input_is_refused():
    denoiser = memorized([[0.0, 0.0], [1.0, 1.0]]).denoiser()
    with pytest.raises(BadInput, match="count must be at least 1, not 0"):
        sample(denoiser, 0, 2, KEY)
    with pytest.raises(BadInput, match="steps must be at least 1, not 0"):
        sample(denoiser, 5, 2, KEY, steps=0)
    with pytest.raises(BadInput, match=r"least_noise must be > 0 and below most_noise, not 10.0"):
        sample(denoiser, 5, 2, KEY, least_noise=10.0)
    with pytest.raises(BadInput, match="observation_noise must be finite and > 0, not 0"):
        sample_posterior(denoiser, first, [1.0], 0.0, 5, 2, KEY)
    with pytest.raises(BadInput, match=r"have the shape \(1,\) of the operator's output"):
        sample_posterior(denoiser, first, [1.0, 2.0], 0.1, 5, 2, KEY)
    with pytest.raises(BadInput, match="observation must be finite"):
        sample_posterior(denoiser, first, [np.nan], 0.1, 5, 2, KEY)
    assert jnp.isfinite(sample(denoiser, 1, 2, KEY)).all()


def test_posterior_samples_of_a_precise_observation_do_not_diverge():
    # Explicit steps of t J r / gamma^2 would grow by some 1e5 each.
    broad = Mixture(np.ones(1), np.zeros((1, 2)), np.ones(1)).denoiser()
    samples = sample_posterior(broad, first, [0.7], 1e-3, 500, 2, KEY, steps=50)
    np.testing.assert_allclose(samples[:, 0], 0.7, atol=0.1)
    # what is not observed keeps its distribution, N(0, 1), about
    assert abs(samples[:, 1].mean()) < 3 / math.sqrt(500)
    assert abs(samples[:, 1].var() - 1) < 0.25


def test_samples_that_are_not_finite_are_an_error():
    broken = Partial(lambda x, noise: x * jnp.nan)
    with pytest.raises(FloatingPointError, match="samples are not finite; take more steps"):
        sample(broken, 3, 2, KEY)
    with pytest.raises(FloatingPointError, match="samples are not finite; take more steps"):
        sample_posterior(broken, first, [0.0], 1.0, 3, 2, KEY)
