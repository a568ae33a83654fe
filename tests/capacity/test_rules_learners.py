import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize
from scipy.special import expit

from factcap.capacity.rules_and_facts import fit

LOSSES = {
    "square": lambda u: (1 - u) ** 2 / 2,
    "hinge": lambda u: np.maximum(1 - u, 0),
    "logistic": lambda u: np.logaddexp(0, -u),
}


def problem(points, dimension, seed=0):
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(points, dimension))
    return inputs, inputs @ inputs.T / dimension, rng.choice([-1.0, 1.0], size=points)


def objective(loss, gram, labels, ridge, coefficients):
    field = gram @ coefficients
    return LOSSES[loss](labels * field).sum() + ridge / 2 * coefficients @ field


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("points", "dimension"), [(12, 30), (60, 20)])
@given(ridge=st.floats(1e-3, 30), seed=st.integers(0, 1000))
@settings(deadline=None, max_examples=10)
def test_no_change_of_the_weights_is_better(loss, points, dimension, ridge, seed):
    inputs, gram, labels = problem(points, dimension, seed)
    learned = fit(loss, gram, labels, ridge)
    assert learned.converged
    assert learned.margins == pytest.approx(labels * (gram @ learned.coefficients), abs=1e-6)
    least = objective(loss, gram, labels, ridge, learned.coefficients)
    scaled = inputs / np.sqrt(dimension)
    weights = scaled.T @ learned.coefficients
    rng = np.random.default_rng(seed + 1)
    for size in (1e-3, 0.1, 1.0):
        other = weights + size * rng.normal(size=dimension) / np.sqrt(dimension)
        value = LOSSES[loss](labels * (scaled @ other)).sum() + ridge / 2 * other @ other
        assert value >= least * (1 - 1e-7)


def test_logistic_is_what_a_general_minimizer_finds():
    inputs, gram, labels = problem(50, 8)
    scaled = inputs / np.sqrt(8)

    def cost(w):
        u = labels * (scaled @ w)
        slope = -(labels * expit(-u)) @ scaled + 0.05 * w
        return np.logaddexp(0, -u).sum() + 0.025 * w @ w, slope

    found = minimize(cost, np.zeros(8), jac=True, method="L-BFGS-B", options={"gtol": 1e-10})
    learned = fit("logistic", gram, labels, 0.05)
    assert scaled.T @ learned.coefficients == pytest.approx(found.x, abs=1e-4)


def test_hinge_is_what_a_quadratic_program_finds():
    _, gram, labels = problem(30, 10)
    ridge = 0.4
    signed = labels[:, None] * gram * labels

    def dual(a):
        return a @ signed @ a / (2 * ridge) - a.sum(), signed @ a / ridge - 1

    found = minimize(dual, np.full(30, 0.5), jac=True, bounds=[(0, 1)] * 30, method="L-BFGS-B")
    learned = fit("hinge", gram, labels, ridge)
    primal = objective("hinge", gram, labels, ridge, learned.coefficients)
    assert primal == pytest.approx(-found.fun, rel=1e-5)
    assert 0 <= learned.gap <= 1e-8


def test_the_largest_margin():
    _, gram, labels = problem(15, 20)
    learned = fit("hinge", gram, labels, 0.0)
    assert learned.converged
    assert learned.margins.min() == pytest.approx(1, abs=1e-5)
    # no weights reach a larger one: minus the subgradient is 0, c y >= 0, only on the margin
    force = learned.coefficients * labels
    assert force.min() > -1e-9
    assert force @ (learned.margins - 1) == pytest.approx(0, abs=1e-4)
    little = fit("hinge", gram, labels, 1e-5)
    assert little.coefficients == pytest.approx(learned.coefficients, abs=2e-3)


def test_what_cannot_be_separated_is_marked():
    for seed in range(4):
        inputs, gram, labels = problem(20, 8, seed)
        signed = labels[:, None] * inputs
        separable = linprog(np.zeros(8), -signed, -np.ones(20), bounds=(None, None)).status == 0
        assert fit("hinge", gram, labels, 0.0).converged == separable


def test_no_ridge_is_the_pseudo_inverse():
    for points, dimension in ((10, 25), (25, 10)):
        inputs, gram, labels = problem(points, dimension)
        learned = fit("square", gram, labels, 0.0)
        least = np.linalg.lstsq(inputs, labels)[0]
        assert inputs.T @ learned.coefficients / dimension == pytest.approx(least, abs=1e-9)
        assert learned.converged


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda g, y: fit("cube", g, y, 1.0), "loss must be one of square, hinge, logistic"),
        (lambda g, y: fit("hinge", g * np.nan, y, 1.0), "gram must be finite; it has a NaN"),
        (lambda g, y: fit("hinge", g[:2], y, 1.0), "gram must be points by points, 3 each"),
        (lambda g, y: fit("hinge", g, y * np.nan, 1.0), "labels must be a list of -1 and 1"),
        (lambda g, y: fit("hinge", g, y * 0.5, 1.0), "labels must be a list of -1 and 1"),
        (lambda g, y: fit("hinge", g, y[:0], 1.0), "labels must be a list of -1 and 1"),
        (lambda g, y: fit("square", g, y, -1.0), "ridge must be finite and >= 0, not -1"),
        (lambda g, y: fit("logistic", g, y, 0.0), "ridge must be finite and > 0, not 0"),
        (lambda g, y: fit("square", g, y, np.nan), "ridge must be finite and >= 0, not nan"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.eye(3), np.array([1.0, -1.0, 1.0]))
