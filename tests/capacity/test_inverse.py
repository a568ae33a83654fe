import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factcap.capacity import (
    largest_load,
    most_facts_known_whole,
    smallest_budget,
    smallest_power_law_budget,
)
from factcap.capacity.bounds.inverse import _BOUNDS as BOUNDS
from tests.capacity.test_bounds import problems


@pytest.mark.parametrize("kind", BOUNDS)
@given(problem=problems(), share=st.floats(0, 1))
@settings(deadline=None, max_examples=50)
def test_the_budget_reaches_the_accuracy_and_less_does_not(kind, problem, share):
    weights, choices, _ = problem
    guess, most = float((weights / choices).sum()), float(weights.sum())
    accuracy = guess + share * (most - guess)
    budget = smallest_budget(weights, choices, accuracy, kind=kind)
    assert 0 <= budget <= np.log2(choices).sum() * (1 + 1e-12)
    reached = BOUNDS[kind](weights, choices, budget).accuracy
    assert reached == pytest.approx(accuracy, rel=1e-7) or reached >= accuracy
    if budget > 1e-6:
        less = BOUNDS[kind](weights, choices, budget * (1 - 1e-6)).accuracy
        assert less <= accuracy


@given(st.integers(2, 3000), st.floats(2, 1e5), st.floats(0, 4), st.floats(0.3, 0.99))
@settings(deadline=None, max_examples=30)
def test_without_an_array_as_with_one(facts, choices, exponent, accuracy):
    weights = np.arange(1, facts + 1) ** -exponent
    for kind in BOUNDS:
        array = smallest_budget(weights / weights.sum(), choices, accuracy, kind=kind)
        found = smallest_power_law_budget(facts, choices, exponent, accuracy, kind=kind)
        assert found == pytest.approx(array, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("kind", BOUNDS)
@given(problem=problems(), asked=st.lists(st.booleans(), min_size=8, max_size=8))
@settings(deadline=None, max_examples=40)
def test_facts_that_nobody_asks_for_cost_nothing(kind, problem, asked):
    weights, choices, _ = problem
    weights = weights * asked[: len(weights)]
    budget = smallest_budget(weights, choices, float(weights.sum()), kind=kind)
    reached = BOUNDS[kind](weights, choices, budget).accuracy
    assert reached == pytest.approx(weights.sum(), rel=1e-12)
    entropy = np.log2(choices)
    if kind != "even_spreading":
        assert budget == pytest.approx(entropy[weights > 0].sum(), rel=1e-12)
    elif weights.any():
        level = entropy[weights > 0].max()
        assert budget == pytest.approx(np.minimum(entropy, level).sum(), rel=1e-12)


def test_a_trillion_facts():
    budget = smallest_power_law_budget(10**12, 1e6, 1.2, 0.95)
    stored = smallest_power_law_budget(10**12, 1e6, 1.2, 0.95, kind="all_or_nothing")
    assert budget < stored < 1.02 * budget


def test_uniform_facts_have_the_closed_forms():
    uniform = np.full(64, 1 / 64)
    accuracy, choices = 0.8, 32.0
    miss = 1 - accuracy
    rate = 5 + accuracy * np.log2(accuracy) + miss * np.log2(miss) - miss * np.log2(31)
    assert largest_load(uniform, choices, accuracy) == pytest.approx(5 / rate)
    stored = (1 - 1 / 32) / (accuracy - 1 / 32)
    assert largest_load(uniform, choices, accuracy, kind="all_or_nothing") == pytest.approx(stored)
    even = 5 / (5 + math.log2(accuracy))
    assert largest_load(uniform, choices, accuracy, kind="even_spreading") == pytest.approx(even)
    for kind in BOUNDS:
        assert largest_load(uniform, choices, 1.0, kind=kind) == 1.0
    assert largest_load(uniform, choices, 1 / 40) == math.inf
    assert most_facts_known_whole(320, choices) == 64
    assert most_facts_known_whole(1, 1) == math.inf


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: smallest_budget([0.5], 2, 0.6), r"accuracy must lie in \[0, 0.5\], not 0.6"),
        (lambda: smallest_budget([0.5], 2, math.nan), "accuracy must lie in"),
        (lambda: smallest_budget([0.5], 2, 0.1, kind="best"), "kind must be one of"),
        (lambda: smallest_power_law_budget(10, 2, 5.0, 0.5), "exponent must lie in"),
        (lambda: smallest_power_law_budget(10, 2, 1.0, 1.5), r"accuracy must lie in \[0, 1\]"),
        (lambda: most_facts_known_whole(-1, 2), "budget_bits must be >= 0"),
        (lambda: most_facts_known_whole(1, 0.5), "choices must be finite and >= 1"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
