from decimal import Decimal, getcontext

import numpy as np
import pytest

from factcap.capacity.bounds.rates import equal_choices, rates_at


def exact_nats(x: float, choices: float) -> float:
    """R = a x - ln((e^x + K - 1) / K), in 60 digits."""
    getcontext().prec = 60
    price, ways = Decimal(x), Decimal(choices)
    total = price.exp() + ways - 1
    return float(price.exp() / total * price - (total / ways).ln())


@pytest.mark.parametrize("choices", [1.5, 2.0, 2.5, 3.0, 100.0, 1e9])
@pytest.mark.parametrize("x", [1e-8, 1e-5, 1e-3, 0.00999, 0.01001, 0.1, 1.0, 5.0, 30.0])
def test_a_rate_is_exact_however_small(x, choices):
    found = rates_at(equal_choices(np.array([x]), choices), 0.0)
    assert found.nats == pytest.approx(exact_nats(x, choices), rel=1e-10)


def test_a_rate_of_nothing_is_nothing():
    assert rates_at(equal_choices(np.array([0.0]), 2.0), 0.0).nats == 0.0
