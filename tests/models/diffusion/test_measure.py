import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.tree_util import Partial

from factcap.models.diffusion import Mixture, clusters, memorized, saved_bits, score_error
from factcap.synth import BadInput

KEY = jax.random.key(0)
TRUE = clusters(4, 8, spread=0.5, seed=0)
POINTS = TRUE.draw(32, np.random.default_rng(0))
FRESH = TRUE.draw(500, np.random.default_rng(1))


def difference(mixture, other, points, noise, draws=200):
    """Mean of ln p - ln q over points blurred by a noise, and its standard error."""
    standard = np.random.default_rng(2).standard_normal((draws, *points.shape))
    blurred = (points + noise * standard).reshape(-1, points.shape[1])
    nats = mixture.log_density(blurred, noise) - other.log_density(blurred, noise)
    by_draw = nats.reshape(draws, -1).mean(axis=1)
    return by_draw.mean(), by_draw.std(ddof=1) / math.sqrt(draws)


@pytest.mark.parametrize("points", [POINTS, FRESH[:100]])
@pytest.mark.parametrize("least", [0.05, 0.3])
def test_saved_bits_are_a_difference_of_log_densities(points, least):
    # Both are denoisers of distributions, so the integral must give their densities at its ends.
    wide = Mixture(np.ones(1), np.zeros((1, 8)), np.ones(1))
    found = saved_bits(
        TRUE.denoiser(), wide.denoiser(), points, KEY, least_noise=least, draws=20_000
    )
    low, low_error = difference(TRUE, wide, points, least)
    high, high_error = difference(TRUE, wide, points, 10.0)
    error = math.hypot(low_error, high_error) / math.log(2)
    expected = (low - high) / math.log(2)
    assert abs(found.mean - expected) < 3 * math.hypot(error, found.standard_error)
    assert found.standard_error < 0.05


def test_the_memorized_mixture_saves_what_there_is_to_know_less_the_order():
    found = saved_bits(memorized(POINTS).denoiser(), TRUE.denoiser(), POINTS, KEY, draws=20_000)
    low, error = difference(memorized(POINTS), TRUE, POINTS, 0.05)
    high, _ = difference(memorized(POINTS), TRUE, POINTS, 10.0)
    expected = (low - high) / math.log(2)
    assert abs(found.mean - expected) < 3 * math.hypot(error / math.log(2), found.standard_error)
    # ln p of a point of its own is that of one Gaussian less ln 32: the points lie far apart
    entropy = 8 / 2 * math.log(2 * math.pi * math.e * 0.05**2)
    standard = np.random.default_rng(3).standard_normal((200, 32, 8))
    blurred = (POINTS + 0.05 * standard).reshape(-1, 8)
    know = (-entropy - TRUE.log_density(blurred, 0.05).mean()) / math.log(2)
    assert low / math.log(2) == pytest.approx(know - math.log2(32), abs=0.2)
    assert know > 24


def test_one_point_against_a_gaussian_by_hand():
    # KL(N(x, s0^2) || N(0, 1 + s0^2)), less the same at the most noise
    point = np.array([[0.9, -0.4, 1.3]])
    wide = Mixture(np.ones(1), np.zeros((1, 3)), np.ones(1))

    def nats(noise):
        total = 1 + noise**2
        mean_square = (point**2).sum()
        return (3 * (math.log(total / noise**2) + noise**2 / total - 1) + mean_square / total) / 2

    found = saved_bits(memorized(point).denoiser(), wide.denoiser(), point, KEY, draws=50_000)
    expected = (nats(0.05) - nats(10.0)) / math.log(2)
    assert abs(found.mean - expected) < 3 * found.standard_error
    assert found.standard_error < 0.1


def test_fresh_points_cost_least_under_the_true_distribution():
    for wrong in (memorized(POINTS), clusters(4, 8, spread=0.6, seed=0)):
        assert saved_bits(wrong.denoiser(), TRUE.denoiser(), FRESH, KEY).mean < -0.3
    same = saved_bits(TRUE.denoiser(), TRUE.denoiser(), FRESH, KEY)
    assert same == (0.0, 0.0)


def test_score_errors_are_relative_to_the_noise():
    same = memorized(POINTS).denoiser()
    assert score_error(same, same, POINTS, 0.1, KEY) == 0
    # x itself is a score of 0; at one point the score is -z / sigma
    nothing = Partial(lambda x, noise: x)
    one = np.array([[0.3, -0.7]])
    for noise in (0.05, 2.0):
        found = score_error(nothing, memorized(one).denoiser(), one, noise, KEY, draws=20_000)
        assert found == pytest.approx(1, abs=3 * math.sqrt(1 / 20_000))


def test_score_error_is_the_excess_of_the_loss():
    # On the points a denoiser is best for, |D - x|^2 is least and errors add to it.
    noise, true, wrong = 0.4, TRUE.denoiser(), clusters(4, 8, spread=0.7, seed=0).denoiser()
    many = TRUE.draw(40_000, np.random.default_rng(4)).astype(np.float32)
    noisy = many + np.float32(noise) * jax.random.normal(KEY, many.shape)
    level = jnp.full(len(many), noise, jnp.float32)
    losses = [
        np.mean((np.asarray(each(noisy, level)) - many) ** 2, axis=1) / noise**2
        for each in (wrong, true)
    ]
    excess = losses[0] - losses[1]
    found = score_error(wrong, true, many, noise, KEY)
    assert abs(found - excess.mean()) < 3 * excess.std() / math.sqrt(len(many))
    assert found > 0.01


def test_the_same_key_gives_the_same_numbers():
    arguments = (memorized(POINTS).denoiser(), TRUE.denoiser(), POINTS, KEY)
    assert saved_bits(*arguments) == saved_bits(*arguments)
    assert saved_bits(*arguments) != saved_bits(*arguments[:3], jax.random.key(1))


def test_bad_input_is_refused():
    denoiser = TRUE.denoiser()
    with pytest.raises(BadInput, match="levels and draws must be at least 1"):
        saved_bits(denoiser, denoiser, POINTS, KEY, levels=0)
    with pytest.raises(BadInput, match="least_noise must be > 0 and below most_noise, not 0"):
        saved_bits(denoiser, denoiser, POINTS, KEY, least_noise=0.0)
    with pytest.raises(BadInput, match="noise must be finite and > 0, not 0"):
        score_error(denoiser, denoiser, POINTS, 0.0, KEY)
    with pytest.raises(BadInput, match="draws must be at least 1, not 0"):
        score_error(denoiser, denoiser, POINTS, 0.1, KEY, draws=0)
