import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from factcap.capacity.memorized_prior import (
    arrays,
    effective_modes,
    empirical_weights,
    linear_posterior,
    mixture_posterior,
    mixture_prior,
)

GAUSSIAN: Any = stats.multivariate_normal


def log_sum(logs) -> float:
    return float(np.logaddexp.reduce(np.asarray(logs, float)))


def cubic(x):
    """F(x) = x + 0.3 x^3 in one dimension, and its derivatives."""
    return x + 0.3 * x**3, (1 + 0.9 * x**2)[..., None], 1.8 * x


def bent(x):
    """F(x) = [x1 + 0.3 x1 x2, x2 + 0.2 x1^2], and its Jacobian."""
    one, two = x[..., 0], x[..., 1]
    outputs = np.stack([one + 0.3 * one * two, two + 0.2 * one**2], axis=-1)
    rows = [[1 + 0.3 * two, 0.3 * one], [0.4 * one, np.ones_like(one)]]
    return outputs, np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def folded(x):
    """F(x) = x^3 + x^2/2 - 3x/2: 0 at 1, 0 and -1.5, with slopes 5/2, -3/2 and 15/4."""
    return x**3 + x**2 / 2 - 1.5 * x, (3 * x**2 + x - 1.5)[..., None]


def quadrature(function, points, seen, sigma, gamma, steps=2001, widths=12.0):
    """Log evidence and mean of each component, by the trapezoid rule in each dimension."""
    dimension = points.shape[1]
    line = np.linspace(-widths, widths, steps if dimension == 1 else 241)
    z = np.stack(np.meshgrid(*[line] * dimension, indexing="ij"), axis=-1).reshape(-1, dimension)
    logs, means = [], []
    for point in points:
        x = point + sigma * z
        misfit = (function(x)[0] - seen) / gamma
        powers = -(z**2).sum(axis=1) / 2 - (misfit**2).sum(axis=1) / 2
        total = log_sum(powers)
        means.append(np.exp(powers - total) @ x)
        cell = dimension * math.log((line[1] - line[0]) / math.sqrt(2 * math.pi))
        logs.append(total + cell - len(seen) * math.log(math.sqrt(2 * math.pi) * gamma))
    return np.array(logs), np.array(means)


def error_of_linearization(function, points, seen, sigma, gamma):
    """Largest errors of the weights' logarithms, the evidence's, and the means'."""
    outputs, jacobian = function(points)[:2]
    found = mixture_posterior(points, outputs, jacobian, seen, sigma, gamma)
    logs, means = quadrature(function, points, seen, sigma, gamma)
    total = log_sum(logs)
    return (
        np.abs(found.log_weights - (logs - total)).max(),
        abs(found.log_evidence - (total - math.log(len(points)))),
        np.abs(found.means() - means).max(),
    )


SHAPES = [(1, 1), (2, 5), (3, 3), (6, 2)]  # m and d


@pytest.mark.parametrize(("m", "dimension"), SHAPES)
@pytest.mark.parametrize("kind", ["shared", "own", "deficient"])
@pytest.mark.parametrize(("sigma", "gamma"), [(0.7, 0.4), (0.05, 2.0), (3.0, 0.1)])
def test_linear_operators_are_bayes_by_dense_algebra(m, dimension, kind, sigma, gamma):
    rng = np.random.default_rng(m)
    points, seen = rng.normal(size=(8, dimension)), rng.normal(size=m)
    jacobian = rng.normal(size=(8, m, dimension))
    if kind == "shared":
        jacobian[:] = jacobian[0]
    if kind == "deficient":
        jacobian[:, 0] = 0
        jacobian[3] = 0
    outputs = np.einsum("nmd,nd->nm", jacobian, points)
    if kind == "shared":
        found = linear_posterior(points, jacobian[0], seen, sigma, gamma)
    else:
        found = mixture_posterior(points, outputs, jacobian, seen, sigma, gamma)
    logs = []
    vectors = np.eye(dimension)
    for n, (x, slope) in enumerate(zip(points, jacobian, strict=True)):
        # x and y are jointly Gaussian: condition on y
        cross = sigma**2 * slope.T
        total = slope @ cross + gamma**2 * np.eye(m)
        mean = x + cross @ np.linalg.solve(total, seen - slope @ x)
        covariance = sigma**2 * np.eye(dimension) - cross @ np.linalg.solve(total, cross.T)
        logs.append(GAUSSIAN.logpdf(seen, slope @ x, total))
        assert found.means()[n] == pytest.approx(mean, rel=1e-10, abs=1e-10)
        assert found.covariance_times(n, vectors) == pytest.approx(covariance, rel=1e-8, abs=1e-10)
        assert found.covariance_times(n, vectors[0]) == pytest.approx(covariance[0], abs=1e-10)
    evidence = log_sum(logs) - math.log(8)
    assert found.log_evidence == pytest.approx(evidence, rel=1e-10)
    assert found.log_weights == pytest.approx(np.array(logs) - log_sum(logs), rel=1e-10, abs=1e-10)
    assert found.mean() == pytest.approx(found.weights @ found.means(), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("slope", [0.0, 1.0, -3.0])
def test_linear_posterior_is_bayes_by_quadrature(slope):
    points, seen, sigma, gamma = np.array([[-1.0], [0.3], [2.0]]), np.array([0.8]), 0.6, 0.5
    found = linear_posterior(points, [[slope]], seen, sigma, gamma)
    grid = np.linspace(-12, 12, 4001)[:, None]
    prior = mixture_prior(points).log_density(grid, sigma)
    joint = np.exp(prior + stats.norm.logpdf(seen[0], slope * grid[:, 0], gamma))
    evidence = joint.sum() * (grid[1, 0] - grid[0, 0])
    assert found.log_evidence == pytest.approx(math.log(evidence), abs=1e-10)
    assert np.exp(found.log_density(grid)) == pytest.approx(joint / evidence, abs=1e-10)
    assert found.mean() == pytest.approx(joint @ grid / joint.sum(), abs=1e-10)


CASES = [
    (cubic, np.array([[-1.4], [-0.3], [0.5], [0.9], [1.6]]), np.array([0.9])),
    (bent, np.array([[-1.0, 0.4], [0.2, -0.9], [0.8, 0.7], [1.5, -0.2]]), np.array([0.6, 0.5])),
]


@pytest.mark.parametrize(("function", "points", "seen"), CASES)
def test_linearization_errs_by_squares_of_sigma(function, points, seen):
    gamma = 0.5
    errors = np.array(
        [error_of_linearization(function, points, seen, s, gamma) for s in (0.02, 0.01, 0.005)]
    )
    orders = np.log2(errors[:-1] / errors[1:])
    # ln weights and ln evidence of order 2, means of order 4
    assert orders[1] == pytest.approx([2, 2, 4], abs=0.15)
    weights, evidence, means = error_of_linearization(function, points, seen, 1e-4, gamma)
    assert weights < 1e-6
    assert evidence < 1e-6
    assert means < 1e-12
    assert errors[0, 0] > 1e-4  # there is an error to speak of


def test_the_first_error_is_the_second_derivative():
    # ln p(y | n) exact less linearized: sigma^2 r F'' / (2 gamma^2)
    _, points, seen = CASES[0]
    sigma, gamma = 1e-4, 0.5
    logs, _ = quadrature(cubic, points, seen, sigma, gamma)
    output, slope, second = cubic(points)
    for n in range(len(points)):
        one = mixture_posterior(points[[n]], output[[n]], slope[[n]], seen, sigma, gamma)
        expected = sigma**2 * (seen - output[n]) * second[n] / (2 * gamma**2)
        assert logs[n] - one.log_evidence == pytest.approx(expected[0], rel=1e-4, abs=1e-12)


@pytest.mark.parametrize(("function", "points", "seen"), CASES)
def test_the_limit_of_no_noise_is_the_empirical_prior(function, points, seen):
    outputs, jacobian = function(points)[:2]
    found = mixture_posterior(points, outputs, jacobian, seen, 1e-9, 0.5)
    assert found.weights == pytest.approx(empirical_weights(outputs, seen, 0.5), rel=1e-9)
    assert found.means() == pytest.approx(points, abs=1e-15)


def without_determinant(found, jacobian, sigma, gamma):
    """Log-weights as they would be without |S_n|^(-1/2)."""
    system = sigma**2 * jacobian @ jacobian.swapaxes(1, 2) + gamma**2 * np.eye(jacobian.shape[1])
    return special.log_softmax(found.log_weights + np.linalg.slogdet(system)[1] / 2)


def test_the_determinant_cancels_for_one_linear_operator():
    rng = np.random.default_rng(0)
    points, operator, seen = rng.normal(size=(9, 4)), rng.normal(size=(2, 4)), rng.normal(size=2)
    found = linear_posterior(points, operator, seen, 0.7, 0.2)
    each = np.broadcast_to(operator, (9, 2, 4))
    assert without_determinant(found, each, 0.7, 0.2) == pytest.approx(found.log_weights, abs=1e-12)
    one_by_one = mixture_posterior(points, points @ operator.T, each, seen, 0.7, 0.2)
    assert one_by_one.log_weights == pytest.approx(found.log_weights, abs=1e-12)


def test_the_determinant_is_needed_where_slopes_differ():
    # Three training points all explain y. The exact weights tend to 1/|slope| as both noises go
    # to 0 with sigma far above gamma; without the determinant they stay alike.
    points, seen = np.array([[1.0], [0.0], [-1.5]]), np.array([0.0])
    outputs, jacobian = folded(points)
    inverse = np.array([2 / 5, 2 / 3, 4 / 15])
    for sigma, close in ((0.03, 0.02), (0.003, 2e-4)):
        gamma = sigma / 20
        logs, _ = quadrature(folded, points, seen, sigma, gamma, steps=8001)
        exact = special.softmax(logs)
        found = mixture_posterior(points, outputs, jacobian, seen, sigma, gamma)
        assert found.weights == pytest.approx(exact, abs=close)
        wrong = np.exp(without_determinant(found, jacobian, sigma, gamma))
        assert wrong == pytest.approx(np.full(3, 1 / 3))
        assert np.abs(wrong - exact).max() > 0.1
    assert found.weights == pytest.approx(inverse / inverse.sum(), abs=2e-3)


@pytest.mark.parametrize(("m", "dimension"), SHAPES)
@pytest.mark.parametrize("shared", [True, False])
def test_density_and_samples_are_those_of_the_components(m, dimension, shared):
    rng = np.random.default_rng(3)
    points = rng.normal(size=(4, dimension))
    jacobian = rng.normal(size=(m, dimension) if shared else (4, m, dimension))
    outputs = rng.normal(size=(4, m)) * 0.3
    found = mixture_posterior(points, outputs, jacobian, np.zeros(m), 0.8, 0.5)
    covariances = [found.covariance_times(n, np.eye(dimension)) for n in range(4)]
    samples, components = found.draw(40_000, np.random.default_rng(5))
    again, _ = found.draw(40_000, np.random.default_rng(5))
    assert np.array_equal(samples, again)
    share = np.bincount(components, minlength=4) / len(samples)
    assert share == pytest.approx(found.weights, abs=5 * 0.5 / math.sqrt(len(samples)))
    density = np.zeros(10)
    for n, covariance in enumerate(covariances):
        density += found.weights[n] * GAUSSIAN.pdf(samples[:10], found.means()[n], covariance)
        mine = samples[components == n]
        if len(mine) > 1000:
            error = 6 / math.sqrt(len(mine))
            assert mine.mean(axis=0) == pytest.approx(found.means()[n], abs=0.8 * error)
            assert np.cov(mine.T).reshape(covariance.shape) == pytest.approx(
                covariance, abs=0.64 * 2 * error
            )
    assert np.exp(found.log_density(samples[:10])) == pytest.approx(density, rel=1e-9)
    assert samples.mean(axis=0) == pytest.approx(found.mean(), abs=0.05)


@pytest.mark.parametrize("shared", [True, False])
def test_blocks_change_nothing(shared, monkeypatch):
    rng = np.random.default_rng(6)
    points, outputs, seen = rng.normal(size=(9, 3)), rng.normal(size=(9, 2)), rng.normal(size=2)
    jacobian = rng.normal(size=(2, 3) if shared else (9, 2, 3))

    def everything():
        found = mixture_posterior(points, outputs, jacobian, seen, 0.5, 0.3)
        samples, components = found.draw(6, np.random.default_rng(0))
        parts = (found.log_weights, found.means(), found.mean(), found.log_density(points[:5]))
        return [*parts, samples, components, found.log_evidence]

    whole = everything()
    for block in (1, 7, 40):
        monkeypatch.setattr(arrays, "BLOCK", block)
        for one, other in zip(everything(), whole, strict=True):
            assert one == pytest.approx(other, rel=1e-12, abs=1e-12)


def test_weights_hold_far_from_the_data():
    # In exact arithmetic: ln w_n = -(y - a x_n)^2 / (2 (sigma^2 a^2 + gamma^2)) + const
    x, slope, sigma, gamma = [0.25, 0.5, 0.75], 3, 0.5, 0.125
    variance = Fraction(sigma) ** 2 * slope**2 + Fraction(gamma) ** 2
    for seen in (1.0, 1e4, 1e12):
        powers = [-((Fraction(seen) - slope * Fraction(one)) ** 2) / (2 * variance) for one in x]
        least = float(max(powers))
        powers = np.array([float(power - max(powers)) for power in powers])
        found = linear_posterior(np.reshape(x, (3, 1)), [[slope]], [seen], sigma, gamma)
        logs = powers - log_sum(powers)
        assert found.log_weights == pytest.approx(logs, rel=1e-13, abs=1e-13)
        size = math.log(2 * math.pi * variance) / 2
        evidence = least + log_sum(powers) - math.log(3) - size
        assert found.log_evidence == pytest.approx(evidence, rel=1e-12)


def test_a_thousand_dimensions_with_many_outputs():
    # one point, so that the mean solves a ridge regression
    rng = np.random.default_rng(8)
    point, operator = rng.normal(size=(1, 1000)), rng.normal(size=(30, 1000))
    seen, sigma, gamma = rng.normal(size=30), 1.0, 1e-3
    found = linear_posterior(point, operator, seen, sigma, gamma)
    assert operator @ found.mean() == pytest.approx(seen, abs=1e-5)
    away = found.mean() - point[0]
    gradient = away / sigma**2 - operator.T @ (seen - operator @ found.mean()) / gamma**2
    assert np.abs(gradient).max() < 1e-5


def test_much_prior_noise_leaves_what_was_observed():
    # All directions are observed: samples scatter by A^-1 gamma, however large sigma is
    operator, truth = np.array([[1.0, 2.0], [-1.0, 3.0]]), np.array([3.0, 2.0])
    found = linear_posterior([[0.0, 1.0]], operator, operator @ truth, 1e20, 0.1)
    samples, _ = found.draw(4000, np.random.default_rng(0))
    inverse = np.linalg.inv(operator)
    covariance = 0.01 * inverse @ inverse.T
    assert found.covariance_times(0, np.eye(2)) == pytest.approx(covariance)
    assert samples.mean(axis=0) == pytest.approx(truth, abs=0.01)
    assert np.cov(samples.T) == pytest.approx(covariance, rel=0.1)


NUMBERS = st.sampled_from([-1e75, -1e3, -1.0, 0.0, 1e-9, 1.0, 7.0, 1e75])
NOISES = st.sampled_from([1e-75, 1e-6, 1.0, 1e6, 1e75])


@given(st.data(), NOISES, NOISES)
@settings(deadline=None)
def test_posterior_at_extremes(data, sigma, gamma):
    count, m, dimension = (data.draw(st.integers(1, 3)) for _ in range(3))

    def table(*shape, numbers=NUMBERS):
        size = math.prod(shape)
        return np.reshape(data.draw(st.lists(numbers, min_size=size, max_size=size)), shape)

    shape = (m, dimension) if data.draw(st.booleans()) else (count, m, dimension)
    slopes = table(*shape, numbers=st.sampled_from([-1e9, -1.0, 0.0, 1e-9, 1.0, 3.0, 1e9]))
    found = mixture_posterior(
        table(count, dimension), table(count, m), slopes, table(m), sigma, gamma
    )
    assert found.weights.sum() == pytest.approx(1)
    assert 1 <= effective_modes(found.weights) <= count
    assert np.all(found.log_weights <= 0)
    samples, _ = found.draw(3, np.random.default_rng(0))
    parts = (found.log_weights, found.log_evidence, found.means(), found.mean(), samples)
    assert all(np.all(np.isfinite(part)) for part in parts)
    assert not np.any(np.isnan(found.log_density(np.zeros((1, dimension)))))
    spread = [found.covariance_times(n, np.eye(dimension)) for n in range(count)]
    assert np.all(np.isfinite(spread))


@given(st.integers(0, 10**6), st.booleans(), st.floats(-300, 300))
@settings(deadline=None, max_examples=40)
def test_order_and_origin_do_not_matter(seed, shared, shift):
    rng = np.random.default_rng(seed)
    points, outputs, seen = rng.normal(size=(6, 3)), rng.normal(size=(6, 2)), rng.normal(size=2)
    jacobian = rng.normal(size=(2, 3) if shared else (6, 2, 3))
    order = rng.permutation(6)
    one = mixture_posterior(points, outputs, jacobian, seen, 0.5, 0.3)
    moved = mixture_posterior(
        points[order] + shift,
        outputs[order] - shift,
        jacobian if shared else jacobian[order],
        seen - shift,
        0.5,
        0.3,
    )
    assert moved.log_weights == pytest.approx(one.log_weights[order], rel=1e-9, abs=1e-9)
    assert moved.means() - shift == pytest.approx(one.means()[order], rel=1e-9, abs=1e-9)
    assert moved.log_evidence == pytest.approx(one.log_evidence, rel=1e-9)


def make(**changes):
    arguments = {
        "points": np.zeros((2, 3)),
        "outputs": np.zeros((2, 1)),
        "jacobian": np.ones((2, 1, 3)),
        "observation": np.zeros(1),
        "noise": 1.0,
        "observation_noise": 1.0,
    }
    return mixture_posterior(**{**arguments, **changes})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: make(points=np.zeros(3)), "points must have the shape"),
        (lambda: make(points=np.full((2, 3), math.nan)), "points must be finite"),
        (lambda: make(outputs=np.zeros((3, 1))), r"outputs .* shape \(2, any\), not \(3, 1\)"),
        (lambda: make(outputs=[[math.inf], [0]]), "outputs must be finite"),
        (lambda: make(jacobian=np.ones((2, 3))), r"jacobian must have the shape \(1, 3\)"),
        (lambda: make(jacobian=np.ones((1, 1, 3))), r"jacobian must have the shape \(2, 1, 3\)"),
        (lambda: make(jacobian=np.ones(3)), r"jacobian must have the shape \(2, 1, 3\)"),
        (lambda: make(jacobian=np.full((1, 3), math.nan)), "jacobian must be finite"),
        (lambda: make(observation=np.zeros(2)), r"observation must have the shape \(1\)"),
        (lambda: make(observation=[math.nan]), "observation must be finite"),
        (lambda: make(noise=0), "noise must lie in .*, not 0"),
        (lambda: make(noise=math.nan), "noise must lie in .*, not nan"),
        (lambda: make(observation_noise=-2), "observation_noise must lie in .*, not -2"),
        (lambda: make(observation_noise=math.inf), "observation_noise must lie in .*, not inf"),
        (lambda: make().draw(0, np.random.default_rng(0)), "count must be a whole number >= 1"),
        (lambda: make().covariance_times(2, np.zeros(3)), "component must be .* <= 1, not 2"),
        (lambda: make().covariance_times(0, np.zeros(2)), r"vectors must have the shape \(3\)"),
        (lambda: make().log_density(np.zeros(3)), r"queries must have the shape \(any, 3\)"),
        (
            lambda: linear_posterior(np.zeros((2, 3)), np.zeros((1, 2)), [0.0], 1, 1),
            r"operator must have the shape \(any, 3\)",
        ),
        (
            lambda: linear_posterior([[0.0]], [[math.nan]], [0.0], 1, 1),
            "operator must be finite",
        ),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
