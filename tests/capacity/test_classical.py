import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import linprog
from scipy.stats import norm

from factcap.capacity import (
    BINARY_WEIGHT_CAPACITY,
    binary_entropy,
    error_floor,
    gardner_bits,
    gardner_capacity,
    gardner_overlap,
    log2_dichotomies,
    log2_separable_probability,
    separable_probability,
)
from factcap.capacity.classical import log_gardner_overlap


@pytest.mark.parametrize("points", [1, 2, 5, 30, 200])
def test_cover_is_the_sum_of_binomials(points):
    for dimension in range(1, points + 3):
        exact = 2 * sum(math.comb(points - 1, k) for k in range(dimension))
        assert log2_dichotomies(points, dimension) == pytest.approx(math.log2(exact), rel=1e-12)
        found = separable_probability(points, dimension)
        assert found == pytest.approx(exact / 2**points, rel=1e-11)


def test_cover_obeys_its_recursion():
    # C(n + 1, d) = C(n, d) + C(n, d - 1)
    for points, dimension in ((10, 4), (40, 20), (50, 3)):
        left = 2 ** log2_dichotomies(points + 1, dimension)
        right = 2 ** log2_dichotomies(points, dimension)
        right += 2 ** log2_dichotomies(points, dimension - 1)
        assert left == pytest.approx(right, rel=1e-10)


def test_cover_of_a_million_points():
    million = 10**6
    assert separable_probability(million, million // 2) == 0.5
    # The normal limit with continuity, on both sides of the transition
    for shift in (-1000, 500):
        limit = norm.cdf((2 * shift) / math.sqrt(million - 1))
        assert separable_probability(million, million // 2 + shift) == pytest.approx(
            limit, rel=1e-3
        )
    # Far out only logarithms are left: the last binomial and a geometric series
    n, d = million, 1000
    top = (math.lgamma(n) - math.lgamma(d) - math.lgamma(n - d + 1)) / math.log(2)
    series = math.log2(1 / (1 - (d - 1) / (n - d + 1)))
    found = log2_separable_probability(n, d)
    assert found == pytest.approx(top + series - (n - 1), abs=1e-4)
    assert math.isfinite(log2_separable_probability(million, 499_000))


def test_cover_of_a_billion_points():
    billion = 10**9
    for dimension in (1, 2, 3, 10):
        exact = 2 * sum(math.comb(billion - 1, k) for k in range(dimension))
        assert log2_dichotomies(billion, dimension) == pytest.approx(math.log2(exact), rel=1e-13)
    for shift in (-30_000, 20_000):
        limit = norm.cdf(2 * shift / math.sqrt(billion - 1))
        found = separable_probability(billion, billion // 2 + shift)
        assert found == pytest.approx(limit, rel=1e-4)
    # both ways through the change of method
    near = [2 * log2_separable_probability(billion, billion // 2 + d) for d in (-1, 0, 1)]
    assert near[0] < near[1] < near[2]
    assert near[0] + near[2] == pytest.approx(2 * near[1], rel=1e-6)


@pytest.mark.parametrize(("points", "dimension"), [(8, 4), (10, 4), (9, 6)])
def test_cover_is_how_often_a_linear_program_separates(points, dimension):
    rng = np.random.default_rng(0)
    trials = 300
    separated = 0
    for _ in range(trials):
        inputs = rng.normal(size=(points, dimension))
        labels = rng.choice([-1, 1], size=points)
        found = linprog(
            np.zeros(dimension),
            A_ub=-labels[:, None] * inputs,
            b_ub=-np.ones(points),
            bounds=(None, None),
        )
        separated += found.status == 0
    expected = separable_probability(points, dimension)
    assert abs(separated / trials - expected) < 4 * math.sqrt(expected * (1 - expected) / trials)


@given(st.floats(-12, 12))
@settings(deadline=None)
def test_overlap_is_the_integral(margin):
    far = max(margin, 0) + 40
    exact = quad(lambda t: t**2 * norm.pdf(t - margin), 0, far, epsabs=0, epsrel=1e-11, limit=400)[
        0
    ]
    assert gardner_overlap(margin) == pytest.approx(exact, rel=1e-7, abs=1e-300)


def test_overlap_where_doubles_end():
    # both sides of the change to the series agree, and the slope is that of -x^2/2 - 3 ln x
    below, above = log_gardner_overlap(-24.999999), log_gardner_overlap(-25.000001)
    assert below - above == pytest.approx(2e-6 * (25 + 3 / 25), rel=1e-3)
    assert log_gardner_overlap(-1e4) == pytest.approx(
        -5e7 - 0.5 * math.log(2 * math.pi) + math.log(2) - 3 * math.log(1e4), rel=1e-12
    )
    assert gardner_overlap(-1e4) == 0.0
    assert gardner_capacity(-1e4) == math.inf
    assert gardner_overlap(1e4) == pytest.approx(1e8 + 1)
    assert log_gardner_overlap(1e200) == pytest.approx(400 * math.log(10))
    assert gardner_capacity(-1e200) == math.inf


def test_published_values():
    assert gardner_capacity() == 2.0  # Cover 1965, Gardner 1988
    assert gardner_bits() == 2.0
    assert gardner_bits() > BINARY_WEIGHT_CAPACITY  # one bit a weight holds less than a real one
    # 1 / (2 Phi(1) + phi(1)), from tables of the normal distribution
    assert gardner_capacity(1.0) == pytest.approx(1 / (2 * 0.8413447461 + 0.2419707245), rel=1e-9)


@given(st.floats(-3, 5), st.floats(0.01, 0.99))
@settings(deadline=None, max_examples=40)
def test_biased_labels_take_the_best_threshold(margin, share):
    grid = np.linspace(-12, 12, 2401)
    costs = [
        share * gardner_overlap(margin - b) + (1 - share) * gardner_overlap(margin + b)
        for b in grid
    ]
    found = gardner_capacity(margin, share)
    assert 1 / found <= min(costs) * (1 + 1e-9)
    assert 1 / found == pytest.approx(min(costs), rel=1e-2, abs=1e-6)
    assert found == pytest.approx(gardner_capacity(margin, 1 - share), rel=1e-6)
    assert found >= gardner_capacity(margin, 0.5) * (1 - 1e-9)


def test_biased_labels_carry_fewer_bits_a_weight():
    bits = [gardner_bits(0.0, share) for share in (0.5, 0.3, 0.1, 0.01)]
    assert np.all(np.diff(bits) < 0)
    assert gardner_capacity(0.0, 1.0) == math.inf
    assert gardner_bits(0.0, 0.0) == 0.0


@given(st.floats(-5, 5), st.floats(0, 3))
@settings(deadline=None, max_examples=40)
def test_a_larger_margin_costs_capacity(margin, more):
    assert gardner_capacity(margin + more) <= gardner_capacity(margin) * (1 + 1e-12)


@given(st.floats(1e-6, 1e9), st.floats(0, 2))
@settings(deadline=None)
def test_error_floor_solves_the_converse(load, share):
    capacity = share * load
    floor = error_floor(load, capacity)
    assert 0 <= floor <= 0.5
    held = load * (1 - binary_entropy(floor))
    assert held == pytest.approx(min(capacity, load), rel=1e-9, abs=1e-9 * load)


def test_error_floor_is_below_what_a_random_codebook_reaches():
    rng = np.random.default_rng(0)
    labels, bits = 24, 12
    sheets = rng.integers(2, size=(2**bits, labels), dtype=np.int8)
    wrong = [
        (sheets != rng.integers(2, size=labels, dtype=np.int8)).sum(axis=1).min() / labels
        for _ in range(200)
    ]
    assert error_floor(labels, bits) < np.mean(wrong) < error_floor(labels, bits) + 0.08


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: separable_probability(0, 1), "points must be a whole number >= 1"),
        (lambda: separable_probability(2 * 10**9, 5), r"points must be .* <= 1e\+09"),
        (lambda: log2_dichotomies(4, 0), "dimension must be a whole number >= 1, not 0"),
        (lambda: gardner_capacity(math.nan), "margin must be finite, not nan"),
        (lambda: gardner_capacity(0, 1.1), r"positive_fraction must lie in \[0, 1\], not 1.1"),
        (lambda: gardner_overlap(math.inf), "margin must be finite"),
        (lambda: binary_entropy(-0.1), r"share must lie in \[0, 1\], not -0.1"),
        (lambda: error_floor(0, 1), "load_bits must be finite and > 0, not 0"),
        (lambda: error_floor(1, -1), "capacity_bits must be >= 0, not -1"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
