from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factcap.figures.lost.calibration import calibration_error, sure_and_wrong
from factcap.synth import BadInput

answers = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


def arrays(pairs):
    return np.array([p for p, _ in pairs]), np.array([right for _, right in pairs])


@given(answers)
def test_the_error_is_that_of_a_loop_over_bins(pairs):
    probability, right = arrays(pairs)
    total = 0.0
    for low in range(10):
        inside = [(p, r) for p, r in pairs if low == min(int(p * 10), 9)]
        if inside:
            share = len(inside) / len(pairs)
            apart = np.mean([r for _, r in inside]) - np.mean([p for p, _ in inside])
            total += share * abs(apart)
    assert calibration_error(probability, right) == pytest.approx(total, abs=1e-9)


@given(answers)
def test_who_is_always_as_sure_as_right_has_no_error(pairs):
    probability, _ = arrays(pairs)
    sure = np.round(probability)
    assert calibration_error(sure, sure == 1) == 0
    assert calibration_error(sure, sure == 0) == 1


@given(answers, st.floats(0, 1))
def test_wrong_answers_are_counted_above_a_probability(pairs, above):
    wrong = [p for p, right in pairs if not right]
    share = sum(p > above for p in wrong) / len(wrong) if wrong else 0
    assert sure_and_wrong(*arrays(pairs), above) == pytest.approx(share)


def test_float32_that_rounds_above_one_is_one():
    assert calibration_error(np.array([1 + 1e-6], np.float32), np.array([True])) < 1e-5
    assert calibration_error(np.zeros(0), np.zeros(0, bool)) == 0


@pytest.mark.parametrize("wrong", [1.5, -0.1, np.nan])
def test_what_is_no_probability_gets_one_line(wrong):
    for number in (calibration_error, partial(sure_and_wrong, above=0.5)):
        with pytest.raises(BadInput, match=r"^a probability lies between 0 and 1$"):
            number(np.array([0.5, wrong]), np.array([True, False]))
