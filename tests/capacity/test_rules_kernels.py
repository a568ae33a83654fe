import math

import numpy as np
import pytest

from factcap.capacity.laws import EdgeWarning
from factcap.capacity.rules_and_facts import (
    ACTIVATIONS,
    arc_cosine_kernel,
    best_ridge,
    coincidence_ratio,
    kernel_coefficients,
    optimal_ridge,
    rbf_kernel,
    solve,
)


@pytest.mark.parametrize(
    ("alpha", "epsilon", "mu1", "mu_star"),
    [(0.5, 0.0, 1.0, 0.0), (3.0, 0.3, 0.6, 0.2), (1.0, 0.5, 0.8, 0.6), (2.0, 0.1, 0.5, 0.6)],
)
def test_optimal_ridge_is_the_minimum(alpha, epsilon, mu1, mu_star):
    ridge, found = best_ridge(loss="square", alpha=alpha, epsilon=epsilon, mu1=mu1, mu_star=mu_star)
    formula = optimal_ridge(epsilon, mu1, mu_star)
    assert ridge == pytest.approx(formula, rel=1e-3)
    best = solve(
        loss="square", alpha=alpha, epsilon=epsilon, ridge=formula, mu1=mu1, mu_star=mu_star
    )
    assert best.generalization_error <= found.generalization_error + 1e-12


def test_the_best_ridge_of_other_losses():
    for loss in ("hinge", "logistic"):
        ridge, found = best_ridge(loss=loss, alpha=2.0, epsilon=0.3)
        for factor in (0.8, 1.25):
            other = solve(loss=loss, alpha=2.0, epsilon=0.3, ridge=factor * ridge)
            assert found.generalization_error < other.generalization_error
    with pytest.raises(ValueError, match=r"epsilon must lie in \[0, 1\), not 1"):
        best_ridge(loss="hinge", alpha=2.0, epsilon=1.0)
    with pytest.warns(EdgeWarning, match="upper end"):
        best_ridge(loss="square", alpha=2.0, epsilon=0.999)


@pytest.mark.parametrize("epsilon", [0.0, 0.25, 0.6])
def test_perfect_memorization_and_the_best_rule_coincide_on_the_line(epsilon):
    ratio = coincidence_ratio(epsilon)
    assert optimal_ridge(epsilon, 0.7, 0.7 * math.sqrt(ratio)) == pytest.approx(0, abs=1e-12)
    for alpha in (0.5, 2.0, 10.0):

        def interpolating(factor, alpha=alpha):
            mu_star = math.sqrt(ratio * factor)
            found = solve(loss="square", alpha=alpha, epsilon=epsilon, ridge=0, mu_star=mu_star)
            assert found.memorization_error == 0
            return found.generalization_error

        on_line = interpolating(1.0)
        assert on_line < min(interpolating(0.9), interpolating(1.1))
        # as good as the best linear ridge, which forgets
        best = solve(loss="square", alpha=alpha, epsilon=epsilon, ridge=optimal_ridge(epsilon))
        assert on_line == pytest.approx(best.generalization_error, rel=1e-10)
        assert best.memorization_error > 0


def test_coefficients_of_activations_and_kernels():
    pi = math.pi
    published = {
        "relu": (1 / math.sqrt(2 * pi), 0.5, math.sqrt(0.25 - 1 / (2 * pi))),
        "erf": (0, 2 / math.sqrt(3 * pi), math.sqrt(2 / pi * math.asin(2 / 3) - 4 / (3 * pi))),
        "sign": (0, math.sqrt(2 / pi), math.sqrt(1 - 2 / pi)),
    }
    for name, expected in published.items():
        found = kernel_coefficients(name)
        assert (found.mu0, found.mu1, found.mu_star) == pytest.approx(expected, abs=1e-8)
    # tanh, by draws
    z = np.random.default_rng(0).normal(size=10**6)
    found = kernel_coefficients(np.tanh)
    assert found.mu1 == pytest.approx(np.mean(z * np.tanh(z)), abs=3e-3)
    assert found.mu1**2 + found.mu_star**2 == pytest.approx(np.mean(np.tanh(z) ** 2), abs=2e-3)
    for bandwidth in (0.3, 1.0, 5.0):
        g = bandwidth**-2
        found = kernel_coefficients(kernel=rbf_kernel(bandwidth))
        expected = (math.exp(-g / 2), math.sqrt(g * math.exp(-g)))
        assert (found.mu0, found.mu1) == pytest.approx(expected, rel=1e-8)
        assert found.ratio == pytest.approx((math.exp(g) - 1 - g) / g, rel=1e-7)


@pytest.mark.parametrize("order", [0, 1, 2])
def test_arc_cosine_kernels_are_those_of_their_activations(order):
    def activation(z):
        return math.sqrt(2) * np.maximum(z, 0.0) ** order * (z > 0)

    direct = kernel_coefficients(activation)
    found = kernel_coefficients(kernel=arc_cosine_kernel(order))
    assert (found.mu0, found.mu1) == pytest.approx((direct.mu0, direct.mu1), rel=1e-7)
    assert found.mu_star == pytest.approx(direct.mu_star, rel=1e-6)


def test_kernels_lie_where_they_should():
    assert kernel_coefficients("sign").ratio == pytest.approx(coincidence_ratio(0.0))
    assert all(kernel_coefficients(name).ratio < 0.58 for name in ACTIVATIONS)
    assert kernel_coefficients(kernel=lambda t: t).ratio == 0
    assert kernel_coefficients(kernel=lambda t: t**2).ratio == math.inf
