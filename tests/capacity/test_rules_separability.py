import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from factcap.capacity import gardner_overlap
from factcap.capacity.rules_and_facts import (
    separability_threshold,
    solve,
)


def test_separability():
    assert separability_threshold(1.0) == 2.0
    assert separability_threshold(0.0) == math.inf
    for epsilon in (1e-9, 1e-3, 0.2, 0.7, 1 - 1e-9):

        def cost(log_t, epsilon=epsilon):
            t = math.exp(log_t)
            return (1 - epsilon / 2) * against(t) + epsilon / 2 * along(t)

        found: Any = minimize_scalar(
            cost, bounds=(-15.0, 12.0), method="bounded", options={"xatol": 1e-9}
        )
        assert separability_threshold(epsilon) == pytest.approx(1 / found.fun, rel=1e-5)
    thresholds = [separability_threshold(e) for e in np.linspace(0.01, 1, 34)]
    assert all(a > b for a, b in pairwise(thresholds))


def along(t):
    """E J(t |z|) in polar coordinates."""
    return ((1 + t**2) * (math.pi / 2 + math.atan(t)) + t) / math.pi


def against(t):
    """E J(-t |z|); its series where it cancels."""
    if t > 300:
        return (2 / (3 * t) - 2 / (15 * t**3)) / math.pi
    return ((1 + t**2) * math.atan(1 / t) - t) / math.pi


def test_the_averages_of_the_overlap():
    for t in (0.1, 1.0, 4.0):
        for sign, formula in ((1, along), (-1, against)):

            def inner(z, slope=sign * t):
                return 2 * norm.pdf(z) * gardner_overlap(slope * z)

            exact = quad(inner, 0, 12)[0]
            assert formula(t) == pytest.approx(exact, rel=1e-7)


@pytest.mark.parametrize("epsilon", [0.1, 0.4, 1.0])
def test_norm_diverges_at_the_separability_threshold(epsilon):
    threshold = separability_threshold(epsilon)
    below = [
        solve(loss="hinge", alpha=threshold * (1 - gap), epsilon=epsilon, ridge=0.0)
        for gap in (0.1, 0.01, 0.001)
    ]
    assert all(one.converged for one in below)
    assert below[0].q * 30 < below[1].q < below[2].q / 30
    above = solve(loss="logistic", alpha=threshold * 1.05, epsilon=epsilon, ridge=0.0)
    assert above.converged
    assert above.memorization_error > 0
