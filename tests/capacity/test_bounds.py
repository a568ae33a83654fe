import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize

from factcap.capacity import all_or_nothing_bound, even_spreading, rate_distortion_bound

BOUNDS = [all_or_nothing_bound, rate_distortion_bound, even_spreading]


def rate_bits(recall, choices):
    """R(a) = log2 K - h2(a) - (1 - a) log2(K - 1), as it stands in the textbook."""
    miss = 1 - recall
    entropy = sum(-p * np.log2(p) if p > 0 else 0.0 for p in (recall, miss))
    return np.log2(choices) - entropy - (miss * np.log2(choices - 1) if choices > 1 else 0.0)


@st.composite
def problems(draw):
    facts = draw(st.integers(1, 8))
    weights = draw(st.lists(st.floats(1e-3, 1.0), min_size=facts, max_size=facts))
    choices = draw(st.lists(st.floats(1.0, 1e9), min_size=facts, max_size=facts))
    share = draw(st.floats(0.0, 1.2))
    return np.array(weights), np.array(choices), share * float(np.log2(choices).sum())


@given(problems())
@settings(deadline=None, max_examples=60)
def test_all_or_nothing_is_the_best_of_all_subsets_and_one_part(problem):
    weights, choices, budget = problem
    cost, gain = np.log2(choices), weights * (1 - 1 / choices)
    best = 0.0
    for subset in itertools.product([0, 1], repeat=len(weights)):
        held = np.array(subset)
        left = budget - held @ cost
        if left < 0:
            continue
        part = [
            gain[i] * min(1.0, left / cost[i] if cost[i] > 0 else 1.0)
            for i in range(len(weights))
            if not held[i]
        ]
        best = max(best, held @ gain + max(part, default=0.0))
    found = all_or_nothing_bound(weights, choices, budget)
    assert found.accuracy == pytest.approx(best + (weights / choices).sum(), rel=1e-9)
    program = linprog(-gain, A_ub=cost[None], b_ub=[budget], bounds=(0, 1))
    assert found.accuracy == pytest.approx((weights / choices).sum() - program.fun, rel=1e-7)


@pytest.mark.parametrize("seed", range(6))
def test_rate_distortion_is_what_a_general_solver_finds(seed):
    rng = np.random.default_rng(seed)
    weights, choices = rng.dirichlet(np.ones(4)), rng.integers(2, 30, 4).astype(float)
    budget = rng.uniform(0.1, 0.9) * np.log2(choices).sum()
    found = rate_distortion_bound(weights, choices, budget)
    solved = minimize(
        lambda a: -weights @ a,
        1 / choices + 0.5 * (1 - 1 / choices),
        bounds=[(1 / k, 1 - 1e-12) for k in choices],
        constraints={
            "type": "ineq",
            "fun": lambda a: budget - sum(map(rate_bits, a, choices)),
        },
        method="SLSQP",
        options={"maxiter": 500, "ftol": 1e-13},
    )
    assert found.accuracy == pytest.approx(-solved.fun, rel=1e-6)


@given(problems())
@settings(deadline=None)
def test_rate_distortion_spends_the_budget_at_one_price(problem):
    weights, choices, budget = problem
    total = float(np.log2(choices).sum())
    found = rate_distortion_bound(weights, choices, budget)
    rates = sum(map(rate_bits, found.recall, choices))
    assert rates == pytest.approx(min(budget, total), rel=1e-9, abs=1e-6)
    inner = (found.recall < 1 - 1e-6) & (found.recall > 1e-300) & (choices > 1.001)
    # dR/da = log2(a (K - 1) / (1 - a)) = w / theta
    a, k = found.recall[inner], choices[inner]
    price = np.log2(a * (k - 1) / (1 - a)) / weights[inner]
    if budget < total:
        assert np.ptp(price) <= 1e-3 * max(price.max(initial=0), 1e-3)


@given(problems())
@settings(deadline=None)
def test_order_of_the_bounds(problem):
    even, stored, limit = (
        bound(*problem).accuracy
        for bound in (even_spreading, all_or_nothing_bound, rate_distortion_bound)
    )
    assert even <= stored + 1e-9
    assert stored <= limit + 1e-9


@pytest.mark.parametrize("bound", BOUNDS)
@given(problem=problems(), more=st.floats(0, 100))
@settings(deadline=None, max_examples=50)
def test_more_bits_never_hurt_and_recall_is_a_probability(bound, problem, more):
    weights, choices, budget = problem
    small, large = bound(weights, choices, budget), bound(weights, choices, budget + more)
    assert small.accuracy <= large.accuracy + 1e-9
    assert np.all((small.recall >= 0) & (small.recall <= 1 + 1e-12))
    assert small.accuracy == pytest.approx(weights @ small.recall, rel=1e-12)


@pytest.mark.parametrize("bound", BOUNDS)
@given(problem=problems(), random=st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=50)
def test_order_of_the_facts_does_not_matter(bound, problem, random):
    weights, choices, budget = problem
    order = list(range(len(weights)))
    random.shuffle(order)
    plain, mixed = bound(weights, choices, budget), bound(weights[order], choices[order], budget)
    np.testing.assert_allclose(mixed.recall, plain.recall[order], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("bound", BOUNDS)
def test_the_two_ends_are_exact(bound):
    rng = np.random.default_rng(0)
    weights, choices = rng.random(50), rng.integers(1, 1000, 50).astype(float)
    np.testing.assert_allclose(bound(weights, choices, 0).recall, 1 / choices, rtol=1e-12)
    total = float(np.log2(choices).sum())
    for budget in (total, 2 * total, float("inf")):
        assert np.all(bound(weights, choices, budget).recall == 1)


def test_uniform_facts_have_the_closed_form():
    stored = all_or_nothing_bound(np.full(100, 0.01), 16.0, 100.0)
    assert stored.accuracy == pytest.approx(0.25 + 0.75 / 16)
    even = even_spreading(np.full(100, 0.01), 16.0, 100.0)
    assert even.accuracy == pytest.approx(2.0 ** (1 - 4))


@pytest.mark.parametrize("share", [1e-12, 1e-6, 0.3, 0.999, 1 - 1e-12])
def test_extreme_weights_and_choices_stay_in_order(share):
    rng = np.random.default_rng(1)
    weights, choices = 10 ** rng.uniform(-300, 0, 200), 10 ** rng.uniform(0, 300, 200)
    budget = share * np.log2(choices).sum()
    stored = all_or_nothing_bound(weights, choices, budget)
    limit = rate_distortion_bound(weights, choices, budget)
    assert np.all(np.isfinite(limit.recall))
    assert limit.accuracy >= stored.accuracy * (1 - 1e-9)


def test_large_sets_meet_the_budget():
    weights = np.arange(1, 50_001) ** -1.0
    found = rate_distortion_bound(weights, 1000.0, 1e5)
    assert sum(rate_bits(a, 1000.0) for a in found.recall) == pytest.approx(1e5, rel=1e-9)


@pytest.mark.parametrize("bound", BOUNDS)
@pytest.mark.parametrize(
    ("weights", "choices", "budget", "message"),
    [
        ([], 2, 1, "weights must be one number a fact"),
        ([0.5, -0.5], 2, 1, "weights must be finite and >= 0; found -0.5"),
        ([np.nan], 2, 1, "weights must be finite"),
        ([1.0], 0.5, 1, "choices must be finite and >= 1; found 0.5"),
        ([1.0, 1.0], [2.0], 1, "choices must be one number or one a fact"),
        ([1.0], 2, -1, "budget_bits must be >= 0, not -1"),
        ([1.0], 2, float("nan"), "budget_bits must be >= 0, not nan"),
    ],
)
def test_bad_arguments_are_named(bound, weights, choices, budget, message):
    with pytest.raises(ValueError, match=message):
        bound(weights, choices, budget)
