import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factcap.capacity import exception_bits, least_exception_error, rate_distortion_bound


def source(epsilon, choices):
    """Probability of each value, the rule's first."""
    p = np.full(choices, epsilon / choices)
    p[0] += 1 - epsilon
    return p


def blahut_arimoto(p, slope):
    """A point (rate in bits, distortion) of the rate-distortion function of Hamming distortion."""
    wrong = 1 - np.eye(len(p))
    kernel, out = np.exp(-slope * wrong), np.full(len(p), 1 / len(p))
    for _ in range(5000):
        out = p @ (kernel * out / (kernel @ out)[:, None])
    joint = kernel * out / (kernel @ out)[:, None]
    distortion = float(p @ (joint * wrong).sum(axis=1))
    rate = float(p @ np.sum(joint * np.log2(np.maximum(joint, 1e-300) / out), axis=1))
    return rate, distortion


@pytest.mark.parametrize(("epsilon", "choices"), [(0.2, 2), (0.3, 5), (0.9, 3), (1.0, 4)])
@pytest.mark.parametrize("slope", [3.0, 4.5, 7.0])
def test_the_formula_is_the_rate_distortion_function(epsilon, choices, slope):
    rate, distortion = blahut_arimoto(source(epsilon, choices), slope)
    assert 0 < rate < exception_bits(epsilon, choices)
    assert least_exception_error(epsilon, choices, rate) == pytest.approx(distortion, abs=1e-6)


@given(epsilon=st.floats(0, 1), choices=st.integers(2, 1000))
def test_the_bits_are_the_entropy_of_the_value(epsilon, choices):
    p = source(epsilon, choices)
    p = p[p > 0]
    assert exception_bits(epsilon, choices) == pytest.approx(float(-p @ np.log2(p)), abs=1e-9)


@given(bits=st.floats(0, 4), choices=st.integers(2, 16))
def test_without_a_rule_it_is_the_bound_on_uniform_facts(bits, choices):
    known = rate_distortion_bound([1.0], float(choices), bits).accuracy
    assert 1 - least_exception_error(1.0, choices, bits) == pytest.approx(known, abs=1e-7)


@pytest.mark.parametrize(("facts", "choices", "sheets"), [(3, 2, 2), (3, 2, 4), (2, 3, 2)])
@pytest.mark.parametrize("epsilon", [0.3, 0.8])
def test_no_choice_of_answer_sheets_does_better(facts, choices, sheets, epsilon):
    p = source(epsilon, choices)
    every = np.array(list(itertools.product(range(choices), repeat=facts)))
    chance = np.prod(p[every], axis=1)
    wrong = np.mean(every[:, None] != every[None], axis=2)
    best = min(
        float(chance @ wrong[:, list(held)].min(axis=1))
        for held in itertools.combinations(range(len(every)), sheets)
    )
    assert best < epsilon * (1 - 1 / choices)  # the rule alone
    assert best >= least_exception_error(epsilon, choices, math.log2(sheets) / facts) - 1e-12


def test_the_ends():
    assert exception_bits(0.0, 8) == 0
    assert least_exception_error(0.0, 8, 0.0) == 0
    assert least_exception_error(0.4, 8, 0.0) == pytest.approx(0.35)
    assert least_exception_error(0.4, 8, exception_bits(0.4, 8)) == 0
    assert least_exception_error(0.4, 8, math.inf) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1.2, 8, 1.0), r"epsilon must lie in \[0, 1\], not 1.2"),
        ((math.nan, 8, 1.0), "epsilon must lie"),
        ((0.2, 1.0, 1.0), "choices must be finite and > 1, not 1.0"),
        ((0.2, math.inf, 1.0), "choices must be finite"),
        ((0.2, 8, -1.0), "bits must be >= 0, not -1.0"),
        ((0.2, 8, math.nan), "bits must be >= 0, not nan"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        least_exception_error(*arguments)
