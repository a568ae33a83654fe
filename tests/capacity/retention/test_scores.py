import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from factcap.capacity.retention import (
    calibration_curve,
    calibration_error,
    noise_ceiling,
    r_squared,
    score,
)

CHANCES = st.integers(1, 40).flatmap(
    lambda size: st.tuples(*[arrays(float, size, elements=st.floats(0, 1, width=32))] * 2)
)


def scored(accuracy, predicted, **more):
    facts = len(accuracy)
    options = {"bins": np.arange(facts), "groups": np.arange(facts), **more}
    return score(
        np.array(accuracy, float),
        np.array(predicted, float),
        rng=np.random.default_rng(0),
        **options,
    )


def test_scores_by_hand():
    found = scored([0.0, 0.5, 1.0], [0.1, 0.5, 0.7], bins=np.array([0, 1, 1]))
    assert found.r2 == pytest.approx(1 - (0.01 + 0.09) / 0.5)
    # bins: 0 against 0.1, and 0.75 against 0.6, about 0.375
    assert found.r2_bins == pytest.approx(1 - (0.01 + 0.0225) / (2 * 0.375**2))
    losses = [-math.log(0.9), math.log(2), -math.log(0.7)]
    assert found.log_loss == pytest.approx(np.mean(losses))
    assert found.brier == pytest.approx(0.1 / 3)
    assert found.calibration_error == pytest.approx((0.1 + 0 + 0.3) / 3)
    assert found.rank_correlation == pytest.approx(1)


@given(CHANCES)
def test_invariants(pair):
    accuracy, predicted = pair
    found = scored(accuracy, predicted)
    assert found.brier >= 0
    assert found.log_loss >= 0
    assert 0 <= found.calibration_error <= 1
    assert math.isnan(found.r2) or found.r2 <= 1
    assert calibration_error(accuracy, accuracy) == pytest.approx(0, abs=1e-12)
    mean = np.full(len(accuracy), accuracy.mean())
    if np.ptp(accuracy) > 1e-3:
        assert r_squared(accuracy, accuracy) == 1
        assert r_squared(accuracy, mean) == pytest.approx(0)
    _, _, facts = calibration_curve(accuracy, predicted)
    assert facts.sum() == len(accuracy)


def test_equal_predictions_stay_in_one_group():
    predicted, measured, facts = calibration_curve([0.0, 1.0] * 500, [0.5] * 1000)
    assert (predicted.tolist(), measured.tolist(), facts.tolist()) == ([0.5], [0.5], [1000])


def test_the_interval_of_whole_groups_covers():
    """Facts of one group err alike, so the interval must draw groups."""
    rng, covered, trials = np.random.default_rng(0), 0, 200
    for _ in range(trials):
        group = np.repeat(np.arange(60), 10)
        effect = rng.normal(0, 1, 60)
        predicted = np.repeat(effect, 10)
        error = np.repeat(rng.normal(0, 1, 60), 10)
        found = score(
            predicted + error,
            predicted,
            bins=np.zeros(600, int),
            groups=group,
            rng=rng,
        )
        low, high = found.r2_interval
        covered += low <= 0.5 <= high
    assert 0.85 <= covered / trials <= 0.99


def test_the_noise_ceiling_is_what_the_truth_reaches():
    rng = np.random.default_rng(0)
    truth = rng.beta(0.5, 2, 40_000)
    for answers in (4, 20):
        accuracy = rng.binomial(answers, truth) / answers
        ceiling = noise_ceiling(accuracy, np.full(len(truth), float(answers)))
        assert ceiling == pytest.approx(r_squared(accuracy, truth), abs=0.01)
    assert math.isnan(noise_ceiling(accuracy, None))
    assert math.isnan(noise_ceiling(accuracy, np.ones(len(truth))))


def test_unequal_lengths_are_refused():
    with pytest.raises(ValueError, match="one accuracy, prediction, bin and group a fact"):
        scored([0.1, 0.2], [0.1, 0.3], bins=np.zeros(3, int))
