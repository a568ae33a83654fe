import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.special import erf
from scipy.stats import norm

from factcap.capacity import gardner_overlap
from factcap.capacity.rules_and_facts import (
    ConvergenceWarning,
    arc_cosine_kernel,
    bayes_optimal_error,
    kernel_coefficients,
    optimal_ridge,
    rbf_kernel,
    separability_threshold,
    solve,
    solve_curve,
)
from factcap.capacity.rules_and_facts.features import Features
from factcap.capacity.rules_and_facts.losses import HARD, LOSSES, LossName
from factcap.capacity.rules_and_facts.state_evolution import State, conjugates, fixed_point

SCALARS = {
    "square": lambda z: (1 - z) ** 2 / 2,
    "hinge": lambda z: max(0.0, 1 - z),
    "logistic": lambda z: float(np.logaddexp(0, -z)),
}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("v", [1e-3, 0.3, 2.0, 50.0, 1e6])
def test_response_is_that_of_the_proximal_point(loss, v):
    fields = np.array([-40.0, -3.0, -0.7, 0.1, 0.95, 2.0, 30.0])
    g, slope = LOSSES[loss].response(fields, v)
    for omega, one in zip(fields, g, strict=True):
        found: Any = minimize_scalar(
            lambda z, omega=omega: (z - omega) ** 2 / (2 * v) + SCALARS[loss](z),
            bounds=(omega - 1, omega + v + 100),
            method="bounded",
            options={"xatol": 1e-10, "maxiter": 2000},
        )
        # the objective at the claimed point is no worse than the minimizer's
        claimed = omega + v * one
        value = (claimed - omega) ** 2 / (2 * v) + SCALARS[loss](claimed)
        assert value <= found.fun * (1 + 1e-9) + 1e-12
    step = 1e-5
    up, down = (LOSSES[loss].response(fields + sign * step, v)[0] for sign in (1, -1))
    assert slope == pytest.approx((down - up) / (2 * step), rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(
    ("m", "s", "v"), [(0.5, 0.3, 0.8), (2.0, 1e-4, 0.05), (0.0, 2.0, 3.0), (30.0, 100.0, 40.0)]
)
def test_averages_are_the_integrals(loss, m, s, v):
    """The conjugates, by adaptive quadrature over the rule's field and the learner's."""
    alpha, epsilon = 1.7, 0.3
    q = m**2 + s
    spread = math.sqrt(s / q)

    def g(omega):
        return LOSSES[loss].response(np.array([omega]), v)[0][0]

    def slope(omega):
        return LOSSES[loss].response(np.array([omega]), v)[1][0]

    def average(function):
        bends = [b / math.sqrt(q) for b in LOSSES[loss].bends(v)]
        places = sorted({b for b in (*bends, 0.0, -6 * spread, 6 * spread) if -11 < b < 11})
        edges = [-11.0, *places, 11.0]
        return sum(
            quad(lambda x: function(x) * norm.pdf(x), *ends, epsabs=1e-12, limit=200)[0]
            for ends in pairwise(edges)
        )

    # P(y = 1 | field) with the rule's field normal around m omega / q, variance s / q
    def twice_label(x):
        return 1 + (1 - epsilon) * erf(m / math.sqrt(q) * x / spread / math.sqrt(2))

    def slope_of_label(x):
        return 2 * (1 - epsilon) * norm.pdf(m / math.sqrt(q) * x / spread) / spread

    expected = (
        alpha * average(lambda x: slope_of_label(x) * g(math.sqrt(q) * x)),
        alpha * average(lambda x: twice_label(x) * g(math.sqrt(q) * x) ** 2),
        alpha * average(lambda x: twice_label(x) * slope(math.sqrt(q) * x)),
    )
    found = conjugates(LOSSES[loss], alpha, epsilon, State(m, s, v))
    assert found == pytest.approx(expected, rel=1e-7)


@given(
    st.floats(0.05, 20),
    st.floats(0, 1),
    st.floats(1e-4, 30),
    st.sampled_from([0.0, 0.3, 1.5]),
    st.floats(0.3, 2),
)
@settings(deadline=None, max_examples=30)
def test_closed_form_of_ridge_is_the_fixed_point(alpha, epsilon, ridge, mu_star, mu1):
    closed = solve(
        loss="square", alpha=alpha, epsilon=epsilon, ridge=ridge, mu1=mu1, mu_star=mu_star
    )
    features = Features(mu1, mu_star, math.inf)
    found = fixed_point(LOSSES["square"], features, alpha, epsilon, ridge)
    assert found.converged
    q = found.state.m**2 + found.state.s
    assert (closed.m, closed.q, closed.v) == pytest.approx(
        (found.state.m, q, found.state.v), rel=1e-6, abs=1e-9
    )


@pytest.mark.parametrize(("alpha", "mu_star"), [(0.5, 0.0), (0.5, 1.0), (3.0, 1.0), (3.0, 0.0)])
def test_no_ridge_is_the_limit_of_little(alpha, mu_star):
    for loss in LOSSES:
        none, little = (
            solve(loss=loss, alpha=alpha, epsilon=0.5, ridge=ridge, mu_star=mu_star)
            for ridge in (0.0, 1e-7)
        )
        # the norm of logistic regression grows as the logarithm of the ridge
        rough = 2e-2 if loss == "logistic" and none.v == math.inf else 1e-4
        assert none.generalization_error == pytest.approx(little.generalization_error, rel=rough)
        assert none.memorization_error == pytest.approx(little.memorization_error, abs=1e-4)
        if none.v == math.inf:
            assert none.memorization_error == none.rule_training_error == 0


def test_the_interpolation_threshold_of_ridge():
    edge = solve(loss="square", alpha=1.0, epsilon=0.3, ridge=0.0)
    assert (edge.q, edge.generalization_error, edge.memorization_error) == (math.inf, 0.5, 0.0)
    for alpha in (1 - 1e-6, 1 + 1e-6):
        near = solve(loss="square", alpha=alpha, epsilon=0.3, ridge=0.0)
        assert near.generalization_error == pytest.approx(0.5, abs=1e-3)
        assert near.memorization_error < 1e-3


def test_features_without_end_are_a_kernel():
    cases: list[tuple[LossName, float]] = [
        ("square", 0.1),
        ("hinge", 0.3),
        ("logistic", 0.02),
        ("hinge", 0.0),
    ]
    for loss, ridge in cases:
        kernel, wide = (
            solve(loss=loss, alpha=2.0, epsilon=0.2, ridge=ridge, mu1=0.6, mu_star=0.3, width=width)
            for width in (math.inf, 1e5)
        )
        assert wide.generalization_error == pytest.approx(kernel.generalization_error, rel=1e-3)
        assert wide.memorization_error == pytest.approx(kernel.memorization_error, abs=1e-4)
    # few features see the rule through a p-dimensional projection: E = arccos sqrt(p/d) at best
    narrow = solve(loss="square", alpha=1e4, epsilon=0.0, ridge=1e-6, width=0.25)
    assert narrow.generalization_error == pytest.approx(math.acos(0.5) / math.pi, abs=2e-3)


def test_spectrum_of_the_features_has_its_moments():
    for width in (0.2, 0.9, 1.0, 1.3, 8.0):
        values, shares = Features(2.0, 0.5, width)._linear_spectrum()
        assert shares.sum() == pytest.approx(1, abs=2e-3)
        # E x = 1 and E x^2 = 1 + p/d of F F^T / d, times mu1^2 and its square
        assert shares @ values == pytest.approx(4, rel=1e-6)
        assert shares @ values**2 == pytest.approx(16 * (1 + width), rel=1e-6)


def test_perceptrons_without_facts_learn_as_they_are_known_to():
    # Error times load, far out: 0.442 Bayes-optimal (Gyorgyi 1990), 0.50 at the largest margin
    # (Opper et al. 1990).
    alpha = 400.0
    assert alpha * bayes_optimal_error(alpha, 0.0) == pytest.approx(0.442, abs=2e-3)
    margin = solve(loss="hinge", alpha=alpha, epsilon=0.0, ridge=0.0)
    assert alpha * margin.generalization_error == pytest.approx(0.50, abs=5e-3)
    # Little data, any learner: the sum of y x, with cosine sqrt(2 alpha / pi)
    few = 1e-4
    hebb = math.acos(math.sqrt(2 * few / math.pi)) / math.pi
    assert bayes_optimal_error(few, 0.0) == pytest.approx(hebb, abs=1e-5)
    for loss in LOSSES:
        found = solve(loss=loss, alpha=few, epsilon=0.0, ridge=1.0)
        assert found.generalization_error == pytest.approx(hebb, abs=1e-5)


def test_facts_alone_teach_no_rule():
    for loss in LOSSES:
        found = solve(loss=loss, alpha=1.5, epsilon=1.0, ridge=0.3)
        assert (found.generalization_error, found.m) == (0.5, 0)
    # the largest margin kappa of random labels, 1/sqrt(q), is Gardner's: alpha J(kappa) = 1
    for alpha in (0.5, 1.0, 1.9):
        found = solve(loss="hinge", alpha=alpha, epsilon=1.0, ridge=0.0)
        assert alpha * gardner_overlap(1 / math.sqrt(found.q)) == pytest.approx(1, rel=1e-8)


def test_what_did_not_converge_warns_and_is_marked(monkeypatch):
    tolerance = "factcap.capacity.rules_and_facts.state_evolution.TOLERANCE"
    said = "no fixed point for loss hinge, alpha 2, epsilon 0.4, ridge 1"
    monkeypatch.setattr(tolerance, 0.0)
    with pytest.warns(ConvergenceWarning, match=said):
        found = solve(loss="hinge", alpha=2.0, epsilon=0.4, ridge=1.0)
    monkeypatch.undo()
    assert not found.converged
    # what is not converged is no start for the next
    again = solve(loss="hinge", alpha=2.0, epsilon=0.4, ridge=1.0, start=found)
    assert again == solve(loss="hinge", alpha=2.0, epsilon=0.4, ridge=1.0)


@given(
    st.sampled_from(sorted(LOSSES)),
    st.floats(0.02, 200),
    st.floats(0, 0.95),
    st.floats(1e-5, 100),
    st.sampled_from([0.0, 0.2, 1.0]),
    st.sampled_from([math.inf, 0.5, 3.0]),
)
@settings(deadline=None, max_examples=40)
def test_no_learner_beats_bayes(loss, alpha, epsilon, ridge, mu_star, width):
    found = solve(
        loss=loss, alpha=alpha, epsilon=epsilon, ridge=ridge, mu_star=mu_star, width=width
    )
    assert found.converged
    assert bayes_optimal_error(alpha, epsilon) <= found.generalization_error + 1e-9
    assert 0 <= found.rule_training_error <= found.memorization_error <= 0.5
    assert found.generalization_error <= 0.5


@given(st.floats(0.01, 200), st.floats(0, 1))
@settings(deadline=None, max_examples=40)
def test_bayes_is_worse_with_fewer_points_or_more_facts(alpha, epsilon):
    error = bayes_optimal_error(alpha, epsilon)
    assert bayes_optimal_error(alpha * 1.1, epsilon) <= error + 1e-12
    assert bayes_optimal_error(alpha, min(1.0, epsilon + 0.05)) >= error - 1e-12


def test_a_grid_of_hinge_takes_few_steps_and_far_loads_are_found(monkeypatch):
    steps = []

    def counted(*args):
        steps.append(args)
        return conjugates(*args)

    module = "factcap.capacity.rules_and_facts.state_evolution"
    monkeypatch.setattr(f"{module}.conjugates", counted)
    found = solve_curve(
        loss="hinge", alpha=np.geomspace(0.05, 200, 200).tolist(), epsilon=0.2, ridge=0.05
    )
    # 19 for each of the loads
    assert 200 < len(steps) < 200 * 50
    assert all(one.converged for one in found)
    errors = [one.generalization_error for one in found]
    assert all(a > b for a, b in pairwise(errors))
    for alpha, one in list(zip(np.geomspace(0.05, 200, 200), found, strict=True))[::40]:
        cold = solve(loss="hinge", alpha=float(alpha), epsilon=0.2, ridge=0.05)
        assert cold.generalization_error == pytest.approx(one.generalization_error, rel=1e-7)


@pytest.mark.parametrize("loss", ["hinge", "logistic"])
@pytest.mark.parametrize("width", [math.inf, 1.5])
def test_two_hundred_points_a_dimension(loss, width):
    for epsilon in (0.0, 0.3, 1.0):
        for ridge in (0.0, 1e-6, 10.0):
            found = solve(
                loss=loss, alpha=200.0, epsilon=epsilon, ridge=ridge, mu_star=0.1, width=width
            )
            assert found.converged


def test_hard_losses_are_the_limit_of_a_vanishing_ridge():
    fields, scale = np.linspace(-3, 3, 13), 1e9
    for name in ("hinge", "square"):
        g, slope = HARD[name].response(fields, 1.0)
        near, near_slope = LOSSES[name].response(fields, scale)
        assert near * scale == pytest.approx(g, abs=1e-6)
        # at 1 itself the hinge has no slope
        smooth = fields != 1
        assert near_slope[smooth] * scale == pytest.approx(slope[smooth], abs=1e-6)


GOOD = {"loss": "hinge", "alpha": 1.0, "epsilon": 0.2, "ridge": 1.0}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"epsilon": -0.1}, r"epsilon must lie in \[0, 1\], not -0.1"),
        ({"epsilon": math.nan}, r"epsilon must lie in \[0, 1\], not nan"),
        ({"alpha": 0.0}, "alpha must be finite and > 0, not 0"),
        ({"alpha": math.inf}, "alpha must be finite and > 0, not inf"),
        ({"ridge": -1.0}, "ridge must be finite and >= 0, not -1"),
        ({"mu1": 0.0}, "mu1 must be finite and > 0, not 0"),
        ({"mu1": -1.0}, "mu1 must be finite and > 0, not -1"),
        ({"mu_star": -1.0}, "mu_star must be finite and >= 0, not -1"),
        ({"width": 0.0}, "width must be > 0, not 0"),
    ],
)
def test_bad_arguments_of_the_solver_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        solve(**(GOOD | wrong))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bayes_optimal_error(0.0, 0.1), "alpha must be finite and > 0, not 0"),
        (lambda: bayes_optimal_error(1.0, 1.1), r"epsilon must lie in \[0, 1\], not 1.1"),
        (lambda: separability_threshold(2.0), r"epsilon must lie in \[0, 1\], not 2"),
        (lambda: optimal_ridge(0.1, 0.0), "mu1 must be finite and > 0"),
        (lambda: optimal_ridge(0.1, 1.0, -1.0), "mu_star must be finite and >= 0"),
        (lambda: kernel_coefficients(), "give either activation or kernel"),
        (lambda: kernel_coefficients("gelu"), "activation must be one of relu"),
        (lambda: kernel_coefficients(lambda z: np.exp(z**2)), "activation must have a finite"),
        (lambda: kernel_coefficients(lambda z: z * np.nan), "activation must have a finite"),
        (lambda: kernel_coefficients(kernel=lambda t: 1 - t), r"kernel must .* kappa'\(0\) is -1"),
        (lambda: kernel_coefficients(kernel=lambda t: t - 1), r"kernel must .* kappa\(0\) is -1"),
        (lambda: kernel_coefficients(kernel=lambda t: 2 * t - t**2), r"kernel must .* is -1"),
        (lambda: kernel_coefficients(kernel=lambda t: t * np.nan), "kernel must .* is nan"),
        (lambda: rbf_kernel(0.0), "bandwidth must be finite and > 0"),
        (lambda: arc_cosine_kernel(3), "order must be a whole number"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
