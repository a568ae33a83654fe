import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from factcap.capacity import (
    log2_chance,
    log2_chance_known,
    luck_bound,
    most_known_by_luck,
    rate_distortion_bound,
)
from tests.capacity.test_bounds import problems


@given(problems(), st.floats(-60, 0))
@settings(deadline=None, max_examples=60)
def test_the_band_is_chernoff_with_the_best_t(problem, log2_probability):
    weights, choices, capacity = problem

    def edge(log_t):
        # 2^C e^(-tA) prod (1 + (e^(tw) - 1)/K) = delta, solved for A
        t = math.exp(log_t)
        with np.errstate(divide="ignore"):  # one choice: a certain hit
            miss = np.log1p(-1 / choices)
        moments = np.where(
            t * weights < 1,  # there the sum below would cancel
            np.log1p(np.expm1(np.minimum(t * weights, 1)) / choices),
            np.logaddexp(miss, t * weights - np.log(choices)),
        )
        return ((capacity - log2_probability) * math.log(2) + moments.sum()) / t

    grid = np.linspace(-20, 12, 400)
    start = grid[int(np.argmin([edge(point) for point in grid]))]
    best: Any = minimize_scalar(edge, bounds=(start - 0.2, start + 0.2), method="bounded")
    found = luck_bound(weights, choices, capacity, 2.0**log2_probability).accuracy
    assert found == pytest.approx(min(best.fun, weights.sum()), rel=1e-5)


@given(problems(), st.floats(0, 1))
@settings(deadline=None, max_examples=60)
def test_chance_and_band_are_inverse(problem, share):
    weights, choices, capacity = problem
    guess, most = float((weights / choices).sum()), float(weights.sum())
    accuracy = guess + share * (most - guess)
    chance = log2_chance(weights, choices, capacity, accuracy)
    assert chance <= 0
    if -900 < chance < 0:
        edge = luck_bound(weights, choices, capacity, 2.0**chance).accuracy
        assert edge == pytest.approx(accuracy, rel=1e-6)


def binomial_tail(facts, choices, known):
    return sum(
        math.comb(facts, m) * (1 / choices) ** m * (1 - 1 / choices) ** (facts - m)
        for m in range(known, facts + 1)
    )


@pytest.mark.parametrize("facts", [1, 7, 40])
@pytest.mark.parametrize("choices", [2, 10])
def test_counting_is_the_union_of_binomials_and_below_chernoff(facts, choices):
    uniform = np.full(facts, 1 / facts)
    for known in range(facts + 2):
        exact = 3 + math.log2(binomial_tail(facts, choices, known)) if known <= facts else -math.inf
        found = log2_chance_known(facts, choices, 3.0, known)
        assert found == pytest.approx(min(0.0, exact), abs=1e-9)
        assert found <= log2_chance(uniform, choices, 3.0, known / facts) + 1e-6


def test_counting_far_beyond_doubles():
    # all of 10,000 facts of 20 bits with half of the bits: the other half by luck
    assert log2_chance_known(10_000, 2**20, 100_000.0, 10_000) == pytest.approx(-100_000)
    assert log2_chance_known(10_000, 2.0, 0.0, 9_999) == pytest.approx(math.log2(10_001) - 10_000)


def test_counting_many_facts():
    # near the mean of a billion facts the normal limit, beyond it nothing is lost of the tail
    billion, half = 10**9, 5 * 10**8
    assert log2_chance_known(billion, 2.0, 0.0, half) == pytest.approx(-1, abs=1e-4)
    assert log2_chance_known(billion, 2.0, 0.0, 4 * 10**8) == 0.0
    assert log2_chance_known(billion, 2.0, 10.0, half) == 0.0
    deviations = 40.0
    known = half + round(deviations * math.sqrt(billion) / 2)
    normal = -(deviations**2) / 2 - math.log(deviations * math.sqrt(2 * math.pi))
    found = log2_chance_known(billion, 2.0, 0.0, known) * math.log(2)
    assert found == pytest.approx(normal + math.log1p(-1 / deviations**2), abs=1e-3)
    assert most_known_by_luck(billion, 2.0, 0.0, 0.5) in (half, half + 1)
    assert log2_chance([0.0, 1.0], 2, 1.0, 1.0) == 0.0  # the one that counts fits


@pytest.mark.parametrize(("facts", "choices", "bits"), [(12, 2, 6), (8, 4, 6), (10, 3, 5)])
def test_no_codebook_passes_the_converse(facts, choices, bits):
    rng = np.random.default_rng(0)
    draws = 4000
    truth_DxN = rng.integers(choices, size=(draws, facts))
    random_SxN = rng.integers(choices, size=(2**bits, facts))
    # as many facts as fit, stored whole, and the same guess for the others
    whole = int(bits / math.log2(choices))
    stored_SxN = np.zeros((choices**whole, facts), int)
    stored_SxN[:, :whole] = list(itertools.product(range(choices), repeat=whole))
    for sheets_SxN in (random_SxN, stored_SxN):
        known_D = np.zeros(draws, int)
        for sheet_N in sheets_SxN:
            known_D = np.maximum(known_D, (truth_DxN == sheet_N).sum(axis=1))
        limit = rate_distortion_bound(np.full(facts, 1 / facts), choices, bits).accuracy
        assert known_D.mean() / facts <= limit + 4 * known_D.std() / facts / math.sqrt(draws)
        for known in range(facts + 1):
            share = (known_D >= known).mean()
            chance = 2 ** log2_chance_known(facts, choices, float(bits), known)
            assert share <= chance + 4 * math.sqrt(chance * (1 - chance) / draws) + 1e-12


def test_random_codebooks_approach_the_rate_distortion_bound():
    rng = np.random.default_rng(1)
    gaps = []
    for facts in (4, 8, 16, 28):
        sheets_SxN = rng.integers(2, size=(2 ** (facts // 2), facts), dtype=np.int8)
        best = [
            (sheets_SxN == rng.integers(2, size=facts, dtype=np.int8)).sum(axis=1).max()
            for _ in range(150)
        ]
        limit = rate_distortion_bound(np.full(facts, 1 / facts), 2, facts / 2).accuracy
        gaps.append(limit - np.mean(best) / facts)
    assert all(gap > 0 for gap in gaps)
    assert gaps[-1] < 0.6 * gaps[0]
    assert gaps[-1] < 0.06


@given(st.integers(1, 500), st.floats(1.5, 1e4), st.floats(0, 3000), st.floats(-50, 0))
@settings(deadline=None, max_examples=60)
def test_most_known_by_luck_is_the_edge(facts, choices, bits, log2_probability):
    known = most_known_by_luck(facts, choices, bits, 2.0**log2_probability)
    assert log2_chance_known(facts, choices, bits, known) >= log2_probability - 1e-9
    assert known == facts or log2_chance_known(facts, choices, bits, known + 1) < log2_probability
    uniform = np.full(facts, 1 / facts)
    band = luck_bound(uniform, choices, bits, 2.0**log2_probability).accuracy
    assert known <= facts * band * (1 + 1e-6) + 1e-6


def test_the_band_closes_on_the_bound_as_facts_grow():
    widths = []
    for facts in (10, 100, 1000, 10_000):
        uniform = np.full(facts, 1 / facts)
        limit = rate_distortion_bound(uniform, 100, facts * 3.0).accuracy
        known = most_known_by_luck(facts, 100, facts * 3.0, 1e-9)
        widths.append(abs(known / facts - limit))
    assert np.all(np.diff(widths) < 0)
    assert widths[-1] < 2e-3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: luck_bound([1.0], 2, -1, 0.5), "capacity_bits must be >= 0, not -1"),
        (lambda: luck_bound([1.0], 2, 1, 0), r"probability must lie in \(0, 1\], not 0"),
        (lambda: luck_bound([1.0], 2, 1, 1.5), "probability must lie in"),
        (lambda: log2_chance_known(0, 2, 1.0, 0), "facts must be a whole number >= 1"),
        (lambda: log2_chance_known(10**10, 2, 1.0, 0), r"facts must be .* <= 1e\+09"),
        (lambda: log2_chance_known(2, 2, 1.0, -1), "known must be a whole number >= 0"),
        (lambda: most_known_by_luck(0, 2, 1.0, 0.5), "facts must be a whole number >= 1"),
        (lambda: log2_chance_known(2, 0.5, 1.0, 0), "choices must be finite and >= 1"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
