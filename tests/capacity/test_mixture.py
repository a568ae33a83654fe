import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from factcap.capacity import (
    Background,
    allocate,
    best_subsample,
    subsample,
    threshold_capacity,
    threshold_ratio,
)

TEXT = Background(scale=30.0, power=0.4)


@pytest.mark.parametrize("seed", range(8))
def test_allocation_is_what_a_general_solver_finds(seed):
    rng = np.random.default_rng(seed)
    kinds = 4
    frequency = rng.dirichlet(np.ones(kinds)) * 10 ** rng.uniform(-3, 0)
    entropy, count = rng.uniform(5, 30, kinds), rng.integers(1, 20, kinds)
    capacity, ratio = rng.uniform(20, 800), rng.uniform(0.05, 0.95)
    found = allocate(capacity, ratio, TEXT, frequency, entropy, count)
    total = entropy * count

    def loss(share):
        missing = (frequency * total * (1 - share)).sum()
        left = capacity - share @ total
        return ratio * missing + (1 - ratio) * TEXT.loss(max(left, 1e-3))

    solved = min(
        (
            minimize(
                loss,
                start * min(1.0, 0.9 * capacity / total.sum()) * np.ones(kinds),
                bounds=[(0, 1)] * kinds,
                constraints={"type": "ineq", "fun": lambda s: capacity - 1e-3 - s @ total},
                method="SLSQP",
                options={"maxiter": 500, "ftol": 1e-12},
            )
            for start in (0.1, 0.5, 0.9)
        ),
        key=lambda one: one.fun,
    )
    assert found.loss == pytest.approx(loss(found.stored_share), rel=1e-9)
    assert found.loss <= solved.fun * (1 + 1e-6)
    assert found.loss == pytest.approx(solved.fun, rel=1e-3)
    assert found.background_bits + found.stored_share @ total == pytest.approx(capacity)


@given(
    st.lists(st.sampled_from([0.0, 1e-5, 1e-4, 1e-3, 1e-2]), min_size=1, max_size=6),
    st.floats(1, 1e5),
    st.floats(0, 1),
)
@settings(deadline=None)
def test_facts_fill_up_by_frequency_and_alike(frequency, capacity, ratio):
    found = allocate(capacity, ratio, TEXT, frequency, 20.0, 50)
    order = np.argsort(frequency, kind="stable")
    shares = found.stored_share[order]
    assert np.all(np.diff(shares) >= -1e-12)
    for value in set(frequency):
        same = found.stored_share[np.array(frequency) == value]
        assert np.ptp(same) == 0
    assert np.all((shares >= 0) & (shares <= 1))
    more = allocate(capacity * 1.5, ratio, TEXT, frequency, 20.0, 50)
    assert more.loss <= found.loss * (1 + 1e-12)


def test_nothing_below_the_threshold_and_all_above():
    frequency, ratio, total = 1e-4, 0.2, 50 * 20.0
    first = threshold_capacity(ratio, frequency, TEXT)
    for capacity, share in ((0.999 * first, 0.0), (first + 1.001 * total, 1.0)):
        assert allocate(capacity, ratio, TEXT, frequency, 20.0, 50).stored_share[0] == share
    half = allocate(first + total / 2, ratio, TEXT, frequency, 20.0, 50)
    assert half.stored_share[0] == pytest.approx(0.5)
    # M_thres ~ (1 / (r p))^(1/(a+1)) at a small ratio
    slope = math.log(threshold_capacity(1e-6, 1e-3, TEXT) / threshold_capacity(1e-6, 1e-2, TEXT))
    assert slope / math.log(10) == pytest.approx(1 / 1.4)


def test_threshold_ratio_is_the_other_way_round():
    for capacity in (10.0, 1e3, 1e6):
        ratio = threshold_ratio(capacity, 1e-3, TEXT)
        assert 0 < ratio < 1
        assert threshold_capacity(ratio, 1e-3, TEXT) == pytest.approx(capacity)
    # r_thres ~ M^-(a+1) / p where it is small
    steep = math.log(threshold_ratio(1e8, 1e-3, TEXT) / threshold_ratio(1e9, 1e-3, TEXT))
    assert steep / math.log(10) == pytest.approx(1.4, abs=1e-3)


def test_all_facts_and_no_text_is_the_plain_capacity():
    # the best loss at capacity M is const + p max(H_tot - M, 0)
    for capacity in (100.0, 900.0, 2000.0):
        found = allocate(capacity, 1.0, TEXT, 1e-3, 20.0, 50)
        assert found.loss == pytest.approx(1e-3 * max(1000 - capacity, 0))


@given(st.integers(10, 10**7), st.floats(1.5, 1e6), st.floats(10, 1e8), st.floats(0.001, 1))
@settings(deadline=None, max_examples=60)
def test_the_best_share_is_the_best_of_all(facts, choices, capacity, ratio):
    best = best_subsample(facts, choices, capacity, ratio, TEXT)
    assert 0 < best <= 1
    grid = np.append(np.geomspace(1e-6, 1, 400), best)
    known = subsample(grid, facts, choices, capacity, ratio, TEXT).all_or_nothing
    assert known[-1] >= known[:-1].max() - 1e-9
    assert np.all(known <= 1 + 1e-12)


def test_keeping_fewer_of_too_many_raises_accuracy():
    facts, choices, ratio = 100_000, 2.0**47.6, 0.2
    capacity = 0.6 * facts * 47.6
    # At a ratio of a tenth of the threshold for all facts nothing is learned, for a few much is.
    scarce = Background(scale=1e3, power=0.4)
    every = threshold_capacity(ratio, 1 / facts, scarce)
    assert every > 0
    shares = np.array([0.05, 0.25, 0.5, 1.0])
    found = subsample(shares, facts, choices, capacity, ratio, scarce)
    best = best_subsample(facts, choices, capacity, ratio, scarce)
    whole = subsample(best, facts, choices, capacity, ratio, scarce)
    assert whole.even_spreading[0] == pytest.approx(whole.all_or_nothing[0], rel=1e-3)
    assert whole.even_spreading[0] > 1000 * found.even_spreading[-1]
    assert found.all_or_nothing[-1] < whole.all_or_nothing[0]
    assert np.all(found.even_spreading <= found.all_or_nothing + 1e-12)


def test_no_capacity_for_facts_and_the_ends_of_doubles():
    steep = Background(1e300, 1.0)
    scarce = best_subsample(10, 2.0, 1.0, 0.5, Background(1e250, 0.01))
    assert 0 < scarce < 1e-240
    vast = best_subsample(10, 2.0, 1.0, 0.5, Background(1e300, 0.5), tokens_per_fact=1e200)
    assert vast == 0.0
    assert threshold_ratio(1.0, 1e-320, steep) == 1.0
    assert threshold_ratio(1e-320, 1.0, TEXT) == 1.0
    assert Background(1.0, 200.0).loss(1e-5) == math.inf
    assert TEXT.loss(0.0) == math.inf
    with pytest.raises(ValueError, match="bits must be >= 0, not nan"):
        TEXT.loss(math.nan)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Background(0, 1), "scale must be finite and > 0, not 0"),
        (lambda: Background(1, math.inf), "power must be finite and > 0"),
        (lambda: allocate(0, 0.5, TEXT, 1, 1), "capacity_bits must be finite and > 0"),
        (lambda: allocate(1, 1.5, TEXT, 1, 1), r"ratio must lie in \[0, 1\], not 1.5"),
        (lambda: allocate(1, 0.5, TEXT, -1, 1), "frequency must be one number a kind"),
        (lambda: allocate(1, 0.5, TEXT, 1, math.nan), "entropy_bits must be one number a kind"),
        (lambda: threshold_capacity(0, 1, TEXT), r"ratio must lie in \(0, 1\], not 0"),
        (lambda: threshold_ratio(1, 0, TEXT), "frequency must be finite and > 0"),
        (
            lambda: subsample(0, 10, 2, 1, 0.5, TEXT),
            "keep must be one share or several",
        ),
        (lambda: best_subsample(10, 1, 1, 0.5, TEXT), "choices must be above 1"),
        (lambda: best_subsample(10, 2, 1, 0, TEXT), "ratio must be above 0"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
