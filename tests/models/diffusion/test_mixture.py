import math

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, stats

from factcap.capacity.memorized_prior import mixture_prior
from factcap.models.diffusion import Mixture, clusters, memorized
from factcap.synth import BadInput

# Components of different weights and spreads, one of them a point.
UNEVEN = Mixture(
    np.array([0.2, 0.5, 0.3]),
    np.array([[-1.0, 0.5], [0.3, 0.0], [1.5, -2.0]]),
    np.array([0.4, 0.0, 1.2]),
)


def denoised(mixture, x, noise):
    return np.asarray(
        mixture.denoiser()(jnp.asarray(x, jnp.float32), jnp.full(len(x), noise, jnp.float32))
    )


@pytest.mark.parametrize("noise", [0.05, 0.3, 1.0, 10.0])
def test_the_memorized_mixture_is_that_of_the_theory(noise):
    rng = np.random.default_rng(0)
    points = rng.normal(size=(300, 8))
    queries = points[rng.integers(300, size=100)] + noise * rng.normal(size=(100, 8))
    prior = mixture_prior(points)
    np.testing.assert_allclose(
        denoised(memorized(points), queries, noise), prior.denoise(queries, noise), atol=2e-3
    )
    np.testing.assert_allclose(
        memorized(points).log_density(queries, noise), prior.log_density(queries, noise), rtol=1e-9
    )


@pytest.mark.parametrize("noise", [0.1, 0.7, 3.0])
def test_denoiser_is_the_point_plus_noise_squared_times_score(noise):
    x = np.random.default_rng(1).normal(size=(50, 2))
    step = 1e-5
    score = np.stack(
        [
            (UNEVEN.log_density(x + move, noise) - UNEVEN.log_density(x - move, noise)) / (2 * step)
            for move in step * np.eye(2)
        ],
        axis=1,
    )
    np.testing.assert_allclose(denoised(UNEVEN, x, noise), x + noise**2 * score, atol=2e-5)


def test_density_is_that_of_its_components_and_a_density():
    x = np.random.default_rng(2).normal(size=(20, 2))
    parts = [
        weight * stats.multivariate_normal(center, spread**2 + 0.25).pdf(x)
        for weight, center, spread in zip(
            UNEVEN.weights, UNEVEN.centers, UNEVEN.spreads, strict=True
        )
    ]
    np.testing.assert_allclose(np.exp(UNEVEN.log_density(x, 0.5)), np.sum(parts, axis=0))
    line = Mixture(np.array([0.4, 0.6]), np.array([[-1.0], [2.0]]), np.array([0.3, 0.5]))
    total, _ = integrate.quad(
        lambda at: float(np.exp(line.log_density(np.array([[at]]), 0.2))[0]), -10, 10
    )
    assert total == pytest.approx(1, abs=1e-7)


def test_samples_have_the_moments_and_begin_alike():
    draws = UNEVEN.draw(40_000, np.random.default_rng(3))
    mean = UNEVEN.weights @ UNEVEN.centers
    error = draws.std(axis=0) / math.sqrt(len(draws))
    assert np.all(np.abs(draws.mean(axis=0) - mean) < 3 * error)
    square = UNEVEN.weights @ (UNEVEN.centers**2 + UNEVEN.spreads[:, None] ** 2)
    error = (draws**2).std(axis=0) / math.sqrt(len(draws))
    assert np.all(np.abs((draws**2).mean(axis=0) - square) < 3 * error)
    few = UNEVEN.draw(7, np.random.default_rng(3))
    np.testing.assert_array_equal(few, draws[:7])


def test_clusters_are_centered_and_of_unit_variance():
    mixture = clusters(4, 8, spread=0.5, seed=0)
    np.testing.assert_allclose(mixture.weights @ mixture.centers, 0, atol=1e-12)
    assert np.mean(mixture.centers**2) + 0.5**2 == pytest.approx(1)
    np.testing.assert_array_equal(mixture.centers, clusters(4, 8, spread=0.5, seed=0).centers)
    assert not np.allclose(mixture.centers, clusters(4, 8, spread=0.5, seed=1).centers)


def test_bad_input_is_refused():
    one, point = np.ones(1), np.zeros((1, 2))
    with pytest.raises(BadInput, match="weights must be > 0 and sum to 1, not 2"):
        Mixture(2 * one, point, one)
    with pytest.raises(BadInput, match="spreads must be >= 0"):
        Mixture(one, point, -one)
    with pytest.raises(BadInput, match="must be finite"):
        Mixture(one, point * np.nan, one)
    with pytest.raises(BadInput, match=r"points must be a table, a row a point; shape \(3,\)"):
        memorized(np.zeros(3))
    with pytest.raises(BadInput, match="must be finite"):
        memorized([[0.0], [np.inf]])
    with pytest.raises(BadInput, match="count must be at least 1, not 0"):
        UNEVEN.draw(0, np.random.default_rng(0))
    with pytest.raises(BadInput, match="components must be at least 2, not 1"):
        clusters(1, 2, spread=0.5, seed=0)
    with pytest.raises(BadInput, match="dimension must be at least 1, not 0"):
        clusters(2, 0, spread=0.5, seed=0)
    with pytest.raises(BadInput, match="spread must lie between 0 and 1, not 1"):
        clusters(2, 2, spread=1.0, seed=0)
