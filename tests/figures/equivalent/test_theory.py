import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factcap.figures.equivalent.theory import (
    Asked,
    all_fit,
    allowed,
    bits_enough,
    largest_equivalent,
)

BITS = 21.0
UNIFORM = Asked(np.full(400, 1 / 400), np.full(400, 2.0**BITS))


@given(st.floats(1.0, 64.0))
def test_bits_that_are_enough_follow_the_formula(load):
    found = bits_enough(UNIFORM, 1 / load)
    assert found == pytest.approx(400 * (BITS - math.log2(load)))
    low, high = allowed(UNIFORM, found)
    assert low == pytest.approx(1 / load)
    assert high == pytest.approx(1 - math.log2(load) / BITS, abs=1e-3)


@pytest.mark.parametrize(("load", "most"), [(4, 3.62), (8, 6.86), (16, 12.95)])
def test_selection_is_worth_no_more_than_the_load(load, most):
    # an ordinary model of any size stores as many bits a parameter as the small one
    sizes = np.geomspace(1, 32, 4000)
    stored = np.minimum(sizes * UNIFORM.entropy_bits / load, UNIFORM.entropy_bits)
    found = largest_equivalent(UNIFORM, 1 / load, list(sizes), stored)
    assert found == pytest.approx(load * (1 - math.log2(load) / BITS), rel=1e-3)
    assert found == pytest.approx(most, abs=0.01)
    assert found < load == pytest.approx(all_fit(UNIFORM, list(sizes), stored))


def test_fewer_bits_a_parameter_make_selection_worth_more():
    sizes = [1.0, 32.0]
    assert largest_equivalent(UNIFORM, 0.25, sizes, [100.0, 200.0]) == math.inf
    assert largest_equivalent(UNIFORM, 0.25, sizes, [8000.0, 8400.0]) == 0
    assert all_fit(UNIFORM, sizes, [0.0, 0.0]) == math.inf
    # half as many bits a parameter: twice the size
    assert all_fit(UNIFORM, sizes, [2100.0, 2100.0]) == pytest.approx(4)
    assert all_fit(UNIFORM, sizes, [1050.0, 2100.0]) == pytest.approx(8)


def test_no_stored_bits_are_a_guess():
    low, high = allowed(UNIFORM, -5.0)
    assert low == high == pytest.approx(2.0**-BITS)
