import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import digamma, zeta

from factcap.capacity import (
    all_or_nothing_bound,
    even_spreading,
    power_law_bound,
    rate_distortion_bound,
)
from factcap.capacity.bounds.asymptotics import (
    all_or_nothing_deficit,
    captured_mass,
    deficit_exponent,
    joint_coding_multiplier,
)
from factcap.capacity.bounds.harmonic import generalized_harmonic
from factcap.capacity.bounds.power_law import KINDS, OBJECTIVES
from factcap.capacity.bounds.summation import power_law_nodes

ARRAYS = {
    "rate_distortion": rate_distortion_bound,
    "all_or_nothing": all_or_nothing_bound,
    "even_spreading": even_spreading,
}
MANY = 10**12


def weights(facts, exponent, objective="weighted"):
    power = np.arange(1, facts + 1) ** -float(exponent if objective == "weighted" else 0)
    return power / math.fsum(power)


@given(st.integers(0, 5000), st.floats(0, 8))
@settings(deadline=None)
def test_harmonic_numbers_are_the_sums(facts, exponent):
    direct = math.fsum(i**-exponent for i in range(1, facts + 1))
    assert generalized_harmonic(facts, exponent) == pytest.approx(direct, rel=2e-14)


def test_harmonic_numbers_of_many_terms():
    for exponent in (1.5, 2.0, 4.0):
        exact = zeta(exponent) - zeta(exponent, MANY + 1)
        assert generalized_harmonic(MANY, exponent) == pytest.approx(exact, rel=1e-14)
    exact = digamma(MANY + 1) + np.euler_gamma
    assert generalized_harmonic(MANY, 1.0) == pytest.approx(exact, rel=1e-14)
    # s = 1 is no special case: it lies between its neighbors, to the last digits
    near = [generalized_harmonic(MANY, 1 + shift) for shift in (-1e-9, 0.0, 1e-9)]
    assert near[0] > near[1] > near[2]
    assert near[1] == pytest.approx((near[0] + near[2]) / 2, rel=1e-13)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("exponent", [0, 1e-313, 1.1e-15, 1e-9, 0.3, 1, 1 + 1e-8, 1.2, 2, 4])
@pytest.mark.parametrize("choices", [1.0, 2.0, 1e6, 1e200])
def test_as_the_array_versions(kind, exponent, choices):
    for facts in (1, 3, 2100, 60_000):
        for share in (1e-9, 0.01, 0.3, 0.999, 1.0):
            budget = share * facts * math.log2(choices)
            found = power_law_bound(facts, choices, exponent, budget, kind=kind)
            array = ARRAYS[kind](weights(facts, exponent), choices, budget)
            assert found.accuracy == pytest.approx(array.accuracy, rel=1e-9)


@given(
    st.sampled_from(KINDS),
    st.sampled_from(OBJECTIVES),
    st.integers(1, 30_000),
    st.floats(1.0, 1e9),
    st.floats(0, 4),
    st.floats(0, 1.1),
)
@settings(deadline=None, max_examples=60)
def test_as_the_array_versions_anywhere(kind, objective, facts, choices, exponent, share):
    budget = share * facts * math.log2(choices)
    found = power_law_bound(facts, choices, exponent, budget, kind=kind, objective=objective)
    weight = weights(facts, exponent, objective)
    array = ARRAYS[kind](weight, choices, budget)
    assert found.accuracy == pytest.approx(array.accuracy, rel=1e-9)
    ranks = np.array([1, (facts + 1) // 2, facts])
    recall = found.recall(ranks)
    if weight[-1] > 1e-6 * weight[0] > 0 and exponent > 1e-3 and objective == "weighted":
        np.testing.assert_allclose(recall, array.recall[ranks - 1], rtol=1e-5, atol=1e-9)
    assert np.all((recall >= 0) & (recall <= 1))


def test_as_the_array_version_with_a_million_facts():
    found = power_law_bound(10**6, 1e4, 0.8, 3e6)
    array = rate_distortion_bound(weights(10**6, 0.8), 1e4, 3e6)
    assert found.accuracy == pytest.approx(array.accuracy, rel=1e-9)


@pytest.mark.parametrize("exponent", [0.5, 1.0, 1.2, 4.0])
def test_a_trillion_facts_in_order_and_with_few_terms(exponent, monkeypatch):
    terms = []

    def counted(*args, **options):
        ranks, count = power_law_nodes(*args, **options)
        terms[-1] += len(ranks)
        return ranks, count

    monkeypatch.setattr("factcap.capacity.bounds.power_law.power_law_nodes", counted)

    def accuracy(bits, kind):
        terms.append(0)
        return power_law_bound(MANY, 1e6, exponent, bits, kind=kind).accuracy

    budgets = [1e3, 1e6, 1e9, 1e12]
    curves = {kind: [accuracy(bits, kind) for bits in budgets] for kind in KINDS}
    for curve in curves.values():
        assert np.all(np.diff(curve) >= 0)
    assert np.all(np.array(curves["rate_distortion"]) >= np.array(curves["all_or_nothing"]))
    assert np.all(np.array(curves["all_or_nothing"]) >= np.array(curves["even_spreading"]))
    # all that a bound sums up; 37,000 at exponent 4
    assert 1000 < max(terms) < 100_000


@given(st.integers(1, 10**6), st.floats(0.05, 4), st.floats(-3, 30))
@settings(deadline=None, max_examples=40)
def test_nodes_sum_a_smooth_step_as_the_ranks_do(facts, exponent, log_scale):
    def step(ranks):
        x = np.exp(np.minimum(log_scale - exponent * np.log(ranks), 700))
        return 1 / (1 + np.exp(np.clip(10 - x, -700, 700)))

    ranks, count = power_law_nodes(facts, exponent, log_scale, finest=4.0, constant_from=50.0)
    direct = math.fsum(step(np.arange(1.0, facts + 1)))
    assert float(count @ step(ranks)) == pytest.approx(direct, rel=1e-9)


@pytest.mark.parametrize("exponent", [1.2, 1.5, 2.0, 3.0])
@pytest.mark.parametrize("kind", ["all_or_nothing", "rate_distortion"])
def test_deficit_falls_with_its_exponent(exponent, kind):
    stored = np.array([1e3, 1e4])
    deficit = [
        1 - power_law_bound(MANY, 100, exponent, n * math.log2(100), kind=kind).accuracy
        for n in stored
    ]
    tail = all_or_nothing_deficit(MANY, math.inf, exponent)  # what N < infinity leaves out
    slope = np.log((deficit[0] + tail) / (deficit[1] + tail)) / np.log(10)
    assert slope == pytest.approx(deficit_exponent(exponent), abs=0.01)
    if kind == "all_or_nothing":
        limit = all_or_nothing_deficit(stored[1], 100, exponent)
        assert deficit[1] == pytest.approx((limit - 0.99 * tail) / (1 - tail), rel=1e-3)


def test_captured_mass_is_the_leading_term():
    stored, facts = 10**9, MANY
    for exponent, tolerance in ((0.2, 1e-3), (0.5, 1e-3), (1.0, 0.01), (1.5, 1e-6), (2.0, 1e-9)):
        exact = generalized_harmonic(stored, exponent) / generalized_harmonic(facts, exponent)
        assert captured_mass(stored, facts, exponent) == pytest.approx(exact, rel=2e-2)
        whole = captured_mass(stored, 10**15, exponent), captured_mass(10**15, 10**15, exponent)
        assert whole[0] <= whole[1] <= 1
        assert captured_mass(stored, facts, exponent) == pytest.approx(exact, rel=30 * tolerance)


@pytest.mark.parametrize("exponent", [1.05, 1.2, 1.5])
@pytest.mark.parametrize("choices", [2, 100, 1e6])
def test_multiplier_of_joint_coding_is_that_of_the_exact_bounds(exponent, choices):
    budget = 1e7 * math.log2(choices)
    wanted = 1 - power_law_bound(MANY, choices, exponent, budget).accuracy

    def excess(log_multiplier):
        more = budget * math.exp(log_multiplier)
        stored = power_law_bound(MANY, choices, exponent, more, kind="all_or_nothing")
        return math.log((1 - stored.accuracy) / wanted)

    exact = math.exp(float(np.asarray(brentq(excess, 0.0, 3.0))))
    assert joint_coding_multiplier(choices, exponent) == pytest.approx(exact, rel=5e-5)


def test_multiplier_as_it_was_derived():
    found = [joint_coding_multiplier(choices, 1.5) for choices in (10, 100, 1e4)]
    assert found == pytest.approx([1.15, 1.06, 1.014], abs=0.005)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 2, 1, 1), "facts must be a whole number from 1 to 1e12, not 0"),
        ((1.5, 2, 1, 1), "facts must be a whole number"),
        ((2e12, 2, 1, 1), "facts must be a whole number from 1 to 1e12"),
        ((10, 0.5, 1, 1), "choices must be finite and >= 1, not 0.5"),
        ((10, math.inf, 1, 1), "choices must be finite"),
        ((10, 2, -0.1, 1), r"exponent must lie in \[0, 4\], not -0.1"),
        ((10, 2, math.nan, 1), "exponent must lie in"),
        ((10, 2, 1, -1), "budget_bits must be >= 0, not -1"),
        ((10, 2, 1, math.nan), "budget_bits must be >= 0, not nan"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        power_law_bound(*arguments)


@pytest.mark.parametrize("kind", KINDS)
def test_recall_is_of_ranks_that_are_there(kind):
    found = power_law_bound(100, 16, 1.0, 100, kind=kind)
    assert found.recall(3).shape == ()
    assert found.recall([[1, 2], [3, 100]]).shape == (2, 2)
    assert float(found.recall(3)) == found.recall([1, 2, 3])[2]
    for ranks in (0, 101, 1.5, math.nan):
        with pytest.raises(ValueError, match="ranks must be whole numbers from 1 to 100"):
            found.recall(ranks)


def test_unknown_names_list_the_known():
    with pytest.raises(ValueError, match="kind must be one of rate_distortion, all_or_nothing"):
        power_law_bound(10, 2, 1, 1, kind="best")
    with pytest.raises(ValueError, match="objective must be one of weighted, accuracy"):
        power_law_bound(10, 2, 1, 1, objective="best")


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (captured_mass, (math.inf, math.inf, 0.5), "facts must be finite"),
        (generalized_harmonic, (-1, 1.0), "facts must be a whole number >= 0 and <= 1e"),
        (generalized_harmonic, (1, math.inf), "exponent must be finite"),
        (deficit_exponent, (1.0,), "exponent must be finite and > 1"),
        (all_or_nothing_deficit, (0.5, 2, 1.5), "stored must be >= 1, not 0.5"),
        (captured_mass, (5, 4, 1.0), "stored must lie in"),
        (captured_mass, (5, 10, -1.0), "exponent must be >= 0"),
        (joint_coding_multiplier, (1.0, 1.5), "choices must be finite and >= 2"),
    ],
)
def test_bad_arguments_of_the_asymptotics(function, arguments, message):
    with pytest.raises(ValueError, match=message):
        function(*arguments)
