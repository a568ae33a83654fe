import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factcap.capacity.retention import (
    KINDS,
    CountedFacts,
    fit_published,
    mutual_information,
    published_bins,
    truncated_log,
)
from factcap.figures.retention.inputs import read_models
from tests.real_data import PUBLIC_MODELS, needs_public_models


def table(pair, accuracy, *, subject=None, size=2.0**20) -> CountedFacts:
    """Facts of one relation among 1,024 documents; subject and object as often as the pair."""
    pair = np.array(pair, float)
    return CountedFacts(
        relation=np.array(["born"] * len(pair)),
        object=np.array([f"o{number}" for number in range(len(pair))]),
        subject_count=pair if subject is None else np.array(subject, float),
        object_count=pair,
        pair_count=pair,
        accuracy=np.array(accuracy, float),
        documents=1024.0,
        size=size,
    )


def test_mutual_information_by_hand():
    # p_so = 4/64, p_s = 8/64, p_o = 16/64: 1/16 log2(1/16 / (1/8 1/4)) = 1/16
    assert float(mutual_information(4, 8, 16, 64)) == 1 / 16
    # never together, and as often as by chance: nothing; less often: negative
    assert mutual_information([0, 2], [8, 8], [16, 16], 64).tolist() == [0.0, 0.0]
    assert float(mutual_information(1, 8, 16, 64)) == -1 / 64


def test_the_bins_are_cut_towards_zero():
    # 5 log2(1/3) = -7.92, 5 log2(3) = 7.92
    assert truncated_log([1 / 3, 3.0, 2.0]).tolist() == [-1.4, 1.4, 1.0]


def test_the_line_through_bin_means_by_hand():
    # MI = p log2(1/p) of p = 2^-9, 2^-8, 2^-6: 9/512, 8/256, 6/64; log2: -5.83, -5, -3.415
    facts = table([2, 2, 4, 16, 0], [0.0, 0.2, 0.3, 0.6, 0.9])
    x = np.array([0.0, 0.8 / 2.4, 1.0])  # of -5.8, -5.0, -3.4
    y = np.array([0.1, 0.3, 0.6])  # two facts in the first bin, that of MI 0 in none
    slope, intercept = np.polyfit(x, y, 1)
    fit = fit_published(facts, "mi")
    assert (fit.slope, fit.intercept) == pytest.approx((slope, intercept))
    assert (fit.lowest, fit.highest, fit.bins) == (-5.8, -3.4, 3)
    rest = y - (slope * x + intercept)
    assert fit.r2 == pytest.approx(1 - rest @ rest / np.square(y - y.mean()).sum())
    errors = [((0 - intercept) ** 2 + (0.2 - intercept) ** 2) / 2, rest[1] ** 2, rest[2] ** 2]
    assert fit.mse == pytest.approx(np.mean(errors))
    assert fit.upper_bound == pytest.approx(slope + intercept)
    expected = [intercept, intercept, slope * x[1] + intercept, slope + intercept, intercept]
    np.testing.assert_allclose(fit.predict(facts.blind()), expected)
    assert published_bins(facts).tolist() == [0, 0, 1, 2, -1]


def test_smi_bends_the_line_by_the_size():
    facts = table([2, 4, 16], [0.1, 0.3, 0.6])  # Phi = 20
    x = np.array([0.0, 0.8 / 2.4, 1.0]) ** (1 + 1 / 20)
    slope, intercept = np.polyfit(x, facts.accuracy, 1)
    fit = fit_published(facts, "smi")
    assert (fit.slope, fit.intercept) == pytest.approx((slope, intercept))
    with pytest.raises(ValueError, match="SMI needs the number of parameters of model"):
        fit_published(replace(facts, size=math.nan), "smi")


def test_cooccurrence_takes_the_count_of_facts_with_information():
    # log2 of the counts: 1, 2, 4; the last has MI 0, as its subject is in every document
    facts = table([2, 4, 16, 8], [0.1, 0.3, 0.6, 1.0], subject=[2, 4, 16, 1024])
    slope, intercept = np.polyfit([0, 1 / 3, 1], [0.1, 0.3, 0.6], 1)
    fit = fit_published(facts, "cooccurrence")
    assert (fit.slope, fit.intercept) == pytest.approx((slope, intercept))


def test_one_bin_makes_no_line():
    with pytest.raises(ValueError, match="two different bins"):
        fit_published(table([4, 4], [0.1, 0.2]), "mi")


@given(st.lists(st.integers(1, 512), min_size=2, max_size=30, unique=True), st.integers(0, 9))
def test_predictions_are_chances_and_never_see_accuracies(pairs, seed):
    accuracy = np.random.default_rng(seed).random(len(pairs))
    facts = table(pairs, accuracy)
    if len(np.unique(published_bins(facts)[published_bins(facts) >= 0])) > 1:
        for kind in KINDS:
            fit = fit_published(facts, kind)
            predicted = fit.predict(facts)
            assert np.all((predicted >= 0) & (predicted <= 1))
            np.testing.assert_array_equal(predicted, fit.predict(facts.blind()))


# The repository's own tables: R^2 over bins, slope, intercept (Jiang et al. 2025).
PUBLISHED = {
    "pythia-160m": (0.525964, 0.353388, -0.051187, 0.521899, 0.454012),
    "pythia-1.4b": (0.802582, 0.575809, -0.068000, 0.798756, 0.573764),
    "gpt-neo-1.3B": (0.814098, 0.600076, -0.077434, 0.809550, 0.671154),
    "bloom-1b7": (0.743438, 0.682202, -0.160983, 0.740073, 0.583956),
}


@needs_public_models
@pytest.mark.parametrize("model", PUBLISHED)
def test_the_published_tables_come_out(model):
    [facts] = read_models([PUBLIC_MODELS / f"{model}.parquet"])
    smi, mi, pair = (fit_published(facts, kind) for kind in ("smi", "mi", "cooccurrence"))
    found = (smi.r2, smi.slope, smi.intercept, mi.r2, pair.r2)
    assert found == pytest.approx(PUBLISHED[model], abs=2e-6)
