import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factcap.capacity import calibrated_accuracy_range, fano_accuracy, recall_range, stored_bits


@given(
    st.integers(1, 30), st.integers(1, 4), st.integers(2, 12), st.floats(0.1, 6), st.integers(0, 99)
)
@settings(deadline=None)
def test_greedy_decoding_is_as_the_losses_allow(facts, tokens, vocabulary, sharpness, seed):
    rng = np.random.default_rng(seed)
    logits = sharpness * rng.normal(size=(facts, tokens, vocabulary))
    logits[..., 0] += sharpness  # token 0 is the true one
    probability = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    recalled = np.all(probability.argmax(axis=-1) == 0, axis=1)
    nll = -np.log2(probability[..., 0])
    by_token = recall_range(nll, vocabulary)
    by_fact = recall_range(nll.sum(axis=1), vocabulary, tokens)
    for found in (by_token, by_fact):
        assert np.all(recalled[found.surely])
        assert not np.any(recalled[~found.possibly])
        assert found.lowest <= recalled.mean() <= found.highest
    # a sum tells less than its parts
    assert np.all(by_token.surely >= by_fact.surely)
    assert np.all(by_token.possibly <= by_fact.possibly)


def test_the_range_is_tight():
    almost = recall_range([0.999, 1.001, 2.999, 3.001], vocabulary=8)
    assert almost.surely.tolist() == [True, False, False, False]
    assert almost.possibly.tolist() == [True, True, True, False]


@given(st.integers(2, 8), st.integers(1, 6), st.floats(0.05, 5), st.integers(0, 99))
@settings(deadline=None)
def test_calibrated_models_lie_in_their_range(choices, cases, sharpness, seed):
    # a calibrated model: posteriors of `cases` equally likely observations
    rng = np.random.default_rng(seed)
    posterior = rng.dirichlet(np.full(choices, 1 / sharpness), size=cases)
    posterior = np.clip(posterior, 1e-300, 1)
    loss = float(-(posterior * np.log2(posterior)).sum(axis=1).mean())
    accuracy = float(posterior.max(axis=1).mean())
    lowest, highest = calibrated_accuracy_range(min(loss, math.log2(choices)), choices)
    assert lowest <= accuracy + 1e-9
    assert accuracy <= highest + 1e-9


def test_the_ends_of_the_calibrated_range_are_reached():
    # equal on i of the values: the lowest; one favored and the others equal: the highest
    for i in range(1, 7):
        lowest, _ = calibrated_accuracy_range(math.log2(i), 8)
        assert lowest == pytest.approx(1 / i)
    favored = np.array([0.7, *[0.1] * 3])
    loss = float(-(favored * np.log2(favored)).sum())
    assert calibrated_accuracy_range(loss, 4)[1] == pytest.approx(0.7)
    assert calibrated_accuracy_range(0.0, 4) == (1.0, 1.0)
    assert calibrated_accuracy_range(2.0, 4) == pytest.approx((0.25, 0.25))
    assert calibrated_accuracy_range(0.0, 1) == (1.0, 1.0)
    for loss in (1e-16, 39.9, 40.1, 53.5, 60.0):
        low, high = calibrated_accuracy_range(loss, 2**60)
        assert 0 < 2**-loss * (1 - 1e-9) <= low <= high <= 1


@given(st.integers(2, 10**6), st.floats(0, 1))
@settings(deadline=None)
def test_fano_is_looser_than_rate_distortion(choices, share):
    known = share * math.log2(choices)
    _, highest = calibrated_accuracy_range(math.log2(choices) - known, choices)
    assert float(fano_accuracy(known, choices)) >= highest - 1e-9


def test_stored_bits_clips_facts_and_not_tokens():
    nll = np.array([[0.0, 5.0], [9.0, 9.0]])
    found = stored_bits(nll, [2.0**8, 2.0**16])
    assert found.per_fact.tolist() == [3.0, -2.0]
    assert (found.total, found.unclipped_total) == (3.0, 1.0)
    assert stored_bits(nll.sum(axis=1), [2.0**8, 2.0**16]).per_fact.tolist() == [3.0, -2.0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: stored_bits([-1.0], 2), "nll_bits must be >= 0 and not NaN"),
        (lambda: stored_bits([math.nan], 2), "nll_bits must be >= 0 and not NaN"),
        (lambda: stored_bits([], 2), "nll_bits must be one a fact"),
        (lambda: stored_bits([1.0], 0.5), "choices must be finite and >= 1"),
        (lambda: stored_bits([1.0, 1.0], [2, 2, 2]), "choices must be one number or one a fact"),
        (lambda: recall_range([1.0], 1), "vocabulary must be at least 2, not 1"),
        (lambda: recall_range([1.0], 2, [1, 2]), "value_tokens must be"),
        (lambda: recall_range([[]], 2), "nll_bits must be one a fact"),
        (lambda: recall_range([1.0], 2, 0), "value_tokens must be at least 1"),
        (lambda: calibrated_accuracy_range(3.0, 4), r"mean_nll_bits must lie in \[0, .* = 2\]"),
        (lambda: calibrated_accuracy_range(0.0, 0.5), "choices must be a whole number >= 1"),
        (lambda: fano_accuracy(-1, 2), "known_bits must be >= 0"),
        (lambda: fano_accuracy(1, 1), "choices must be finite and above 1"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
