import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.spatial.distance import cdist

from factcap import capacity
from factcap.capacity.memorized_prior import (
    arrays,
    effective_modes,
    empirical_weights,
    memorized_fraction,
    mixture_prior,
    nearest_ratio,
    takeover_noise,
)

SIZES = st.floats(-5, 5)
WIDE = st.sampled_from([1e-75, 1e-9, 1e-3, 1.0, 1e3, 1e9, 1e75])


@st.composite
def clouds(draw, most=8):
    """Training points of one to three dimensions, some of them alike, near or far off."""
    shape = (draw(st.integers(1, most)), draw(st.integers(1, 3)))
    numbers = draw(st.lists(SIZES, min_size=math.prod(shape), max_size=math.prod(shape)))
    return np.reshape(numbers, shape) * draw(st.sampled_from([1e-70, 1.0, 1e3, 1e74]))


def plain(queries, points, sigma):
    """Log density, weights and denoised points as the formulas stand, in extended precision."""
    away = np.asarray(queries)[:, None].astype(np.longdouble) - points
    powers = -(away**2).sum(axis=2) / (2 * np.longdouble(sigma) ** 2)
    most = powers.max(axis=1, keepdims=True)
    shares = np.exp(powers - most)
    total = shares.sum(axis=1, keepdims=True)
    size = points.shape[1] * np.log(np.sqrt(2 * np.longdouble(math.pi)) * sigma)
    logs = (most + np.log(total))[:, 0] - math.log(len(points)) - size
    return logs.astype(float), (shares / total).astype(float), (shares / total @ points)


@pytest.mark.parametrize("offset", [0.0, 1e6, 1e10])
@pytest.mark.parametrize("sigma", [1e-3, 0.05, 1.0, 1e4])
@pytest.mark.parametrize("far", [0.0, 1.0, 1e9])
def test_prior_is_the_formula(offset, sigma, far):
    rng = np.random.default_rng(0)
    points = offset + rng.normal(size=(60, 7))
    points[30:50] = points[:20] + 1e-3 * rng.normal(size=(20, 7))
    queries = points[::4] + sigma * rng.normal(size=(15, 7)) + far * rng.normal(size=(15, 7))
    logs, weights, denoised = plain(queries, points, sigma)
    prior = mixture_prior(points)
    assert prior.log_density(queries, sigma) == pytest.approx(logs, rel=1e-9, abs=1e-8)
    assert prior.weights(queries, sigma) == pytest.approx(weights, rel=1e-6, abs=1e-9)
    assert prior.denoise(queries, sigma) == pytest.approx(
        denoised.astype(float), rel=1e-14, abs=1e-8
    )
    score = (denoised - queries).astype(float) / sigma**2
    rounding = 1e-14 * (offset + far + 1) / sigma**2
    assert prior.score(queries, sigma) == pytest.approx(score, rel=1e-6, abs=rounding)
    assert prior.score(queries[3], sigma) == pytest.approx(score[3], rel=1e-6, abs=rounding)


def test_rounding_is_mended_before_it_shows():
    # Noise on both sides of where the matrix product alone is good to 1e-10
    rng = np.random.default_rng(1)
    points = rng.normal(size=(100, 200)) + 3
    for sigma in np.geomspace(3e-3, 3, 13):
        queries = points[:20] / 2 + points[20:40] / 2 + 1e-3 * sigma * rng.normal(size=(20, 200))
        _, weights, _ = plain(queries, points, sigma)
        assert mixture_prior(points).weights(queries, sigma) == pytest.approx(
            weights, rel=1e-15, abs=5e-12
        )


@pytest.mark.parametrize("dimension", [1, 2, 5])
@pytest.mark.parametrize("sigma", [0.3, 1.0, 5.0])
def test_score_is_the_gradient_and_denoises(dimension, sigma):
    rng = np.random.default_rng(dimension)
    prior = mixture_prior(rng.normal(size=(20, dimension)))
    step = 1e-4 * sigma
    for x in rng.normal(size=(5, dimension)) * 2:
        ends = x + step * np.concatenate([np.eye(dimension), -np.eye(dimension)])
        up, down = prior.log_density(ends, sigma).reshape(2, dimension)
        score = prior.score(x, sigma)
        assert score == pytest.approx((up - down) / (2 * step), rel=1e-6, abs=1e-6 / sigma)
        assert prior.denoise(x, sigma) == pytest.approx(x + sigma**2 * score, rel=1e-12, abs=1e-12)


def test_denoiser_is_the_mean_of_clean_points():
    # By simulation: the clean points behind noisy ones that fall near x
    rng = np.random.default_rng(2)
    points, sigma = np.array([[-1.0], [0.2], [1.5]]), 0.8
    clean = points[rng.integers(3, size=10**6), 0]
    noisy = clean + sigma * rng.normal(size=10**6)
    for x in (-0.5, 0.7):
        near = clean[np.abs(noisy - x) < 0.02]
        error = 4 * near.std() / math.sqrt(len(near)) + 1e-3
        assert mixture_prior(points).denoise([x], sigma) == pytest.approx(near.mean(), abs=error)


def test_density_integrates_to_one():
    grid = np.linspace(-30, 30, 6001)
    prior = mixture_prior([[-2.0], [0.0], [0.1]])
    for sigma in (0.05, 1.0, 3.0):
        density = np.exp(prior.log_density(grid[:, None], sigma))
        assert density.sum() * 0.01 == pytest.approx(1, rel=1e-9)


def test_blocks_change_nothing(monkeypatch):
    rng = np.random.default_rng(3)
    points, queries = rng.normal(size=(11, 3)), rng.normal(size=(7, 3))

    def everything():
        prior = mixture_prior(points)
        functions = (prior.score, prior.weights, prior.log_density)
        found = [function(queries, noise) for function in functions for noise in (1e-3, 1.0)]
        found += [nearest_ratio(queries, points), empirical_weights(points, queries[0], 0.5)]
        return [*found, takeover_noise(queries[0], points)]

    whole = everything()
    for block in (1, 5, 30):
        monkeypatch.setattr(arrays, "BLOCK", block)
        for one, other in zip(everything(), whole, strict=True):
            assert one == pytest.approx(other, rel=1e-9, abs=1e-12)


def test_memory_does_not_grow_with_queries():
    rng = np.random.default_rng(4)
    points = rng.normal(size=(100_000, 4))
    prior = mixture_prior(points)
    tracemalloc.start()
    prior.score(rng.normal(size=(300, 4)), 0.3)  # weights alone would be 240 MB
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 160e6


@given(clouds(), clouds(), WIDE)
@settings(deadline=None)
def test_prior_at_extremes(points, others, sigma):
    queries = others[:, :1] * np.ones(points.shape[1])
    prior = mixture_prior(points)
    weights = prior.weights(queries, sigma)
    assert np.all(weights >= 0)
    assert weights.sum(axis=1) == pytest.approx(np.ones(len(queries)))
    assert np.all(np.isfinite(prior.log_density(queries, sigma)))
    assert np.all(np.isfinite(prior.score(queries, sigma)))
    denoised, slack = prior.denoise(queries, sigma), 1e-12 * np.abs(points).max()
    assert np.all(denoised <= points.max(axis=0) + slack)
    assert np.all(denoised >= points.min(axis=0) - slack)
    modes = effective_modes(weights)
    assert np.all((modes >= 1) & (modes <= len(points)))


@given(clouds(), st.randoms(use_true_random=False), st.sampled_from([0.1, 1.0, 10.0]))
@settings(deadline=None)
def test_order_of_points_does_not_matter(points, random, sigma):
    order = list(range(len(points)))
    random.shuffle(order)
    scale = np.abs(points).max() or 1.0
    points = points / scale
    x = points.mean(axis=0) + 0.1
    one, other = mixture_prior(points), mixture_prior(points[order])
    assert one.weights(x, sigma)[order] == pytest.approx(other.weights(x, sigma), abs=1e-9)
    assert one.score(x, sigma) == pytest.approx(other.score(x, sigma), abs=1e-9 / sigma**2)
    assert empirical_weights(points, x, sigma)[order] == pytest.approx(
        empirical_weights(points[order], x, sigma), abs=1e-9
    )


@pytest.mark.parametrize("gamma", [1e-3, 0.2, 1.0, 100.0])
def test_empirical_weights_are_bayes(gamma):
    rng = np.random.default_rng(5)
    outputs, seen = rng.normal(size=(9, 3)), rng.normal(size=3)
    _, weights, _ = plain(seen[None], outputs, gamma)
    found = empirical_weights(outputs, seen, gamma)
    assert found == pytest.approx(weights[0], rel=1e-9, abs=1e-300)
    # from far away, that is ranked by direction alone, in exact arithmetic
    far = 1e12 * np.array([1.0, 0, 0])
    powers = (outputs[:, 0] * 1e12 - (outputs**2).sum(axis=1) / 2) / gamma**2
    weights = np.exp(powers - powers.max())
    found = empirical_weights(outputs, far, gamma)
    assert found == pytest.approx(weights / weights.sum(), rel=1e-3, abs=1e-12)


@given(clouds(), clouds(), WIDE)
@settings(deadline=None)
def test_empirical_weights_at_extremes(outputs, others, gamma):
    found = empirical_weights(outputs, others[0, 0] * np.ones(outputs.shape[1]), gamma)
    assert np.all(found >= 0)
    assert found.sum() == pytest.approx(1)
    assert 1 <= effective_modes(found) <= len(outputs)


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=20), st.floats(-600, 600))
def test_modes_are_the_entropy_and_only_ratios_count(logs, shift):
    weights = np.exp(logs)
    share = weights / weights.sum()
    modes = effective_modes(weights)
    assert modes == pytest.approx(math.exp(-sum(share * np.log(share))), rel=1e-9)
    assert effective_modes(np.exp(np.array(logs) + shift)) == pytest.approx(modes, rel=1e-9)
    assert effective_modes([*weights, 0.0]) == pytest.approx(modes, rel=1e-12)
    assert effective_modes([*weights, *weights]) == pytest.approx(2 * modes, rel=1e-9)


def test_modes_are_counted():
    for count in (1, 2, 7, 100_000):
        assert effective_modes(np.full(count, 1e300)) == pytest.approx(count)
    assert effective_modes([1e-320, 0.0]) == 1


def equal_gaps(modes, others):
    """L such that one weight 1 and so many of e^-L have so many effective modes."""
    many = np.full(others, 1.0)
    found = brentq(lambda gap: effective_modes([1, *many * math.exp(-gap)]) - modes, 0, 700)
    return float(np.asarray(found))


@given(st.integers(0, 10**6), st.floats(1.01, 1.99), st.sampled_from([1e-60, 1.0, 1e70]))
@settings(deadline=None, max_examples=50)
def test_takeover_lies_between_its_bounds(seed, modes, scale):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(rng.integers(3, 40), rng.integers(1, 6)))
    x = points[0] if seed % 2 else rng.normal(size=points.shape[1])
    sigma = takeover_noise(x * scale, points * scale, modes) / scale
    assert effective_modes(mixture_prior(points).weights(x, sigma)) == pytest.approx(modes)
    near, second = np.sort(((points - x) ** 2).sum(axis=1))[:2]
    low, high = equal_gaps(modes, len(points) - 1), equal_gaps(modes, 1)
    assert math.sqrt((second - near) / (2 * low)) <= sigma * (1 + 1e-9)
    assert sigma <= math.sqrt((second - near) / (2 * high)) * (1 + 1e-9)


def test_takeover_of_two_points_and_of_equal_ones():
    sigma = 3 / math.sqrt(2 * equal_gaps(1.5, 1))
    assert takeover_noise([0.0], [[0.0], [3.0]]) == pytest.approx(sigma, rel=1e-9)
    assert sigma / 3 == pytest.approx(0.525, abs=5e-4)  # "0.53 of the nearest-neighbor distance"
    corners = np.eye(6)  # each sqrt 2 from all others
    sigma = math.sqrt(2 / (2 * equal_gaps(1.5, 5)))
    assert takeover_noise(corners[0], corners) == pytest.approx(sigma, rel=1e-9)
    assert takeover_noise([0.0], [[1.0], [-1.0], [7.0]]) == 0.0
    assert takeover_noise([0.0], [[1.0], [-1.0], [7.0]], modes=2.5) > 0
    assert takeover_noise([0.0], [[0.0], [1.0], [1e-200]]) == 0.0  # their squares are alike
    nearly = takeover_noise([0.0], [[0.0], [1.0]], modes=2 - 1e-15)
    assert nearly > 1e3


def test_modes_grow_with_noise():
    rng = np.random.default_rng(6)
    prior, x = mixture_prior(rng.normal(size=(50, 3))), rng.normal(size=3)
    modes = [float(effective_modes(prior.weights(x, sigma))) for sigma in np.geomspace(1e-3, 1e3)]
    assert modes[0] == pytest.approx(1)
    assert modes[-1] == pytest.approx(50, rel=1e-4)
    assert np.all(np.diff(modes) >= -1e-12)


@given(st.integers(0, 10**6), st.sampled_from([0.0, 1e8]))
@settings(deadline=None, max_examples=50)
def test_nearest_ratio_is_brute_force(seed, offset):
    rng = np.random.default_rng(seed)
    points = offset + rng.normal(size=(rng.integers(2, 30), rng.integers(1, 6)))
    samples = points[rng.integers(len(points), size=12)]
    samples = samples + rng.choice([1e-3, 1.0], size=(12, 1)) * rng.normal(size=samples.shape)
    two = np.sort(cdist(samples, points), axis=1)[:, :2]
    found = nearest_ratio(samples, points)
    assert found == pytest.approx(two[:, 0] / two[:, 1], rel=1e-7, abs=1e-300)
    assert memorized_fraction(samples, points, 0.5) == np.mean(found < 0.5)


def test_copies_are_memorized_and_fresh_samples_are_not():
    rng = np.random.default_rng(7)
    points, fresh = rng.normal(size=(2, 200, 50))
    assert memorized_fraction(points, points) == 1
    assert memorized_fraction(points + 0.01 * rng.normal(size=points.shape), points) == 1
    assert memorized_fraction(fresh, points) == 0
    assert memorized_fraction(fresh[:, :1], points[:, :1]) > 0.2  # by chance, in one dimension
    # twice the same point
    assert nearest_ratio(points[:1], points[[0, 0, 1]]) == 0
    assert nearest_ratio(fresh[:1], points[[0, 0]]) == 1


NAN = math.nan
PRIOR = mixture_prior([[0.0, 1.0], [2.0, 3.0]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mixture_prior([1.0, 2.0]), r"points must have the shape \(any, any\), not \(2,\)"),
        (lambda: mixture_prior(np.zeros((0, 2))), "points must have the shape"),
        (lambda: mixture_prior([[NAN]]), "points must be finite and at most 1e[+]75"),
        (lambda: mixture_prior([[1e76]]), "points must be finite and at most 1e[+]75"),
        (lambda: PRIOR.score([0.0, math.inf], 1), "queries must be finite"),
        (lambda: PRIOR.score([0.0], 1), r"queries must have the shape \(2\), not \(1,\)"),
        (lambda: PRIOR.score(np.zeros((1, 1, 2)), 1), "queries must be a point or"),
        (lambda: PRIOR.score(0.0, 1), r"queries must have the shape \(2\)"),
        (lambda: PRIOR.denoise([0.0, 0.0], 0), "noise must lie in .*, not 0"),
        (lambda: PRIOR.log_density([0.0, 0.0], -1), "noise must lie in .*, not -1"),
        (lambda: PRIOR.weights([0.0, 0.0], NAN), "noise must lie in .*, not nan"),
        (lambda: PRIOR.weights([0.0, 0.0], math.inf), "noise must lie in .*, not inf"),
        (lambda: empirical_weights([[1.0]], [1.0, 2.0], 1), r"observation must .*shape \(1\)"),
        (lambda: empirical_weights([[1.0], [NAN]], [1.0], 1), "outputs must be finite"),
        (lambda: empirical_weights([[1.0]], [-math.inf], 1), "observation must be finite"),
        (lambda: empirical_weights([[1.0]], [1.0], 0), "observation_noise must lie in .*, not 0"),
        (lambda: effective_modes([]), "weights must be one or more"),
        (lambda: effective_modes(1.0), "weights must be one or more"),
        (lambda: effective_modes([1.0, -0.1]), "weights must be finite, >= 0"),
        (lambda: effective_modes([[1.0], [0.0]]), "weights must be .* not all 0"),
        (lambda: effective_modes([1.0, NAN]), "weights must be finite"),
        (lambda: effective_modes([1.0, math.inf]), "weights must be finite"),
        (lambda: nearest_ratio([[1.0]], [[1.0]]), "points must be at least two"),
        (lambda: nearest_ratio([1.0], [[1.0], [2.0]]), "samples must have the shape"),
        (lambda: memorized_fraction([[1.0]], [[1.0], [2.0]], 0), r"threshold .* \(0, 1\], not 0"),
        (lambda: takeover_noise([0.0], [[1.0], [2.0]], 2), "modes must lie between 1 and"),
        (lambda: takeover_noise([0.0], [[1.0], [2.0]], 1), "modes must lie between 1 and"),
        (lambda: takeover_noise([NAN], [[1.0], [2.0]]), "query must be finite"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_names_are_reached_from_capacity():
    assert capacity.memorized_prior.mixture_prior is mixture_prior
