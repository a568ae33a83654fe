import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import t

from factcap.figures.equivalent.read_off import Equivalent, crossing, equivalent
from factcap.synth import BadInput

known = st.floats(0, 1e4).map(lambda x: round(x, 3))
curves = st.lists(known, min_size=1, max_size=6)
sizes = st.lists(st.integers(1, 10**6), min_size=6, max_size=6, unique=True).map(sorted)


@given(sizes, curves, known)
def test_the_crossing_is_the_first_place_that_a_walk_along_the_curve_reaches(sizes, curve, target):
    sizes = sizes[: len(curve)]
    found = crossing(sizes, curve, target)
    if curve[0] >= target:
        assert found == 0
        return
    if max(curve) < target:
        assert found == math.inf
        return
    assert sizes[0] < found <= sizes[-1] * (1 + 1e-9)
    at = np.interp(np.log(found), np.log(sizes), curve)
    assert at == pytest.approx(target, rel=1e-6, abs=1e-3)
    walk = np.geomspace(sizes[0], found, 500)[:-1]
    walked = np.interp(np.log(walk), np.log(sizes), curve)
    assert (walked <= target * (1 + 1e-6) + 1e-3).all()


@given(sizes, curves, known, known)
def test_who_knows_more_is_worth_as_large_a_model_or_a_larger(sizes, curve, one, other):
    sizes = sizes[: len(curve)]
    low, high = sorted((one, other))
    assert crossing(sizes, curve, low) <= crossing(sizes, curve, high)


def test_half_of_the_way_is_the_geometric_mean():
    assert crossing([100, 400], [0, 10], 5) == pytest.approx(200)
    assert crossing([100, 400, 1600], [0, 0, 10], 10) == pytest.approx(1600)
    # it rises, falls and rises again: the first time counts
    assert crossing([1, 10, 100, 1000], [0, 8, 2, 9], 4) == pytest.approx(math.sqrt(10))


spread = st.lists(st.floats(1.1, 15.0), min_size=2, max_size=6)


@given(spread, st.integers(1, 10**5))
def test_the_interval_is_that_of_the_logarithms(times, smallest):
    sizes = [smallest, 16 * smallest]
    # known = log16 of the size, so that each target is reached at its size
    targets = [math.log(one, 16) for one in times]
    found = equivalent(sizes, np.array([[0.0, 1.0]] * len(times)), targets)
    logs = np.log(times)
    half = t.ppf(0.975, len(logs) - 1) * logs.std(ddof=1) / math.sqrt(len(logs))
    assert found.times == pytest.approx(math.exp(logs.mean()))
    assert found.low == pytest.approx(math.exp(logs.mean() - half))
    assert found.high == pytest.approx(math.exp(logs.mean() + half))
    assert found.largest == 16


@given(st.lists(st.floats(0, 2), min_size=1, max_size=7))
def test_what_is_not_bracketed_is_the_median_and_open(targets):
    curve = np.array([[0.5, 1.5]] * len(targets))
    found = equivalent([10, 1000], curve, targets)
    each = [
        crossing([10, 1000], row, target) / 10 for row, target in zip(curve, targets, strict=True)
    ]
    assume(0 in each or math.inf in each)
    assert (found.low, found.high) == (min(each), max(each))
    assert found.times in each
    assert sum(one <= found.times for one in each) * 2 > len(each)
    assert sum(one >= found.times for one in each) * 2 >= len(each)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Equivalent(2.84, 2.84, 2.84, 16.2), "2.8"),
        (Equivalent(2.84, 2.5, 3.21, 16.2), "2.8 (2.5 to 3.2)"),
        (Equivalent(math.inf, math.inf, math.inf, 16.2), "more than 16.2"),
        (Equivalent(math.inf, 9, math.inf, 16.2), "more than 16.2 (9.0 to more)"),
        (Equivalent(0, 0, 0, 16.2), "less than 1"),
        (Equivalent(0, 0, 1.2, 16.2), "less than 1 (less to 1.2)"),
    ],
)
def test_what_is_said(found, said):
    assert found.said == said


@pytest.mark.parametrize(
    ("sizes", "curve", "target", "line"),
    [
        ([], [], 1, "each size needs what is known there; there are 0 and 0"),
        ([1, 2], [1], 1, "each size needs what is known there; there are 2 and 1"),
        ([2, 1], [1, 2], 1, "sizes must be positive and rise"),
        ([0, 1], [1, 2], 1, "sizes must be positive and rise"),
        ([1, 2], [1, math.nan], 1, "what is known must be a number"),
        ([1, 2], [1, 2], math.inf, "what is known must be a number"),
    ],
)
def test_bad_curves_get_one_line(sizes, curve, target, line):
    with pytest.raises(BadInput) as error:
        crossing(sizes, curve, target)
    assert str(error.value) == line


def test_each_seed_needs_a_target():
    with pytest.raises(BadInput, match="each seed needs a target; there are 2 and 1"):
        equivalent([1, 2], np.zeros((2, 2)), [1.0])
