import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import special

from factcap.capacity import rate_distortion_bound
from factcap.capacity.retention import AllocationLaw, Shares, fit_allocation
from tests.capacity.retention.simulated import counted

KINDS = ("rate_distortion", "all_or_nothing")


def law(kind, facts, **more) -> AllocationLaw:
    constants = {"level": -1.0, "slope": 0.5, "guess": 0.2, "size": 1.0, "echo": 0.9, **more}
    return AllocationLaw(kind, shares=Shares([facts]), middle_size=facts.size, **constants)


@pytest.mark.parametrize("kind", KINDS)
def test_the_formulas_by_hand(kind):
    facts = counted(50)
    facts = replace(facts, entropy_bits=np.full(50, 3.0))  # K = 8
    found = law(kind, facts)
    c = found.constants
    exposures = np.log2(1 + facts.pair_count)
    if kind == "rate_distortion":
        log2_odds = (exposures - c["log2_exposures"]) / c["price"] - math.log2(8 - 1)
        known = 1 / (1 + 2.0**-log2_odds)
    else:
        known = special.ndtr((exposures - c["threshold"]) / c["blur"])
    share = Shares([facts]).of(facts)
    right = known + (1 - known) * 0.2 * share
    assert facts.names is not None
    right = np.where(facts.names.standing, 0.9 + 0.1 * right, right)
    np.testing.assert_allclose(found.predict(facts), right, rtol=1e-12)


def test_the_odds_are_those_of_the_bound():
    """With worth in place of weight: log2 odds + log2(K - 1) is in proportion to the worth."""
    worth = np.array([1.0, 2.0, 5.0])
    recall = rate_distortion_bound(worth, 8.0, 4.0).recall
    theta = worth / (np.log2(recall / (1 - recall)) + math.log2(7))
    assert theta == pytest.approx([theta[0]] * 3, rel=1e-6)
    facts = counted(3, objects=1)
    facts = replace(facts, pair_count=2.0 ** (worth + 3) - 1, entropy_bits=np.full(3, 3.0))
    slope = math.log(2) / theta[0]  # a doubling of the documents is one more of worth
    same = law("rate_distortion", facts, slope=slope, level=slope * 7, guess=0.0, echo=0.0)
    np.testing.assert_allclose(same.predict(facts), recall, rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_the_constants_come_back(kind):
    facts = counted(6000)
    truth = law(kind, facts, guess=0.3, echo=0.95)
    accuracy = np.random.default_rng(0).binomial(400, truth.predict(facts)) / 400
    found = fit_allocation([replace(facts, accuracy=accuracy)], kind)
    for name in ("level", "slope", "guess", "echo"):
        assert getattr(found, name) == pytest.approx(getattr(truth, name), rel=0.05), name
    assert found.size == pytest.approx(1)  # one size says nothing


@pytest.mark.parametrize("kind", KINDS)
def test_the_power_of_the_size_comes_back(kind):
    facts = counted(4000)
    truth = law(kind, facts, size=1.6)
    models = []
    for number, size in enumerate((2.5e8, 1e9, 4e9)):
        asked = replace(facts, size=size, model=f"{number}")
        accuracy = np.random.default_rng(number).binomial(400, truth.predict(asked)) / 400
        models.append(replace(asked, accuracy=accuracy))
    found = fit_allocation(models, kind)
    assert found.size == pytest.approx(1.6, rel=0.1)
    larger = replace(facts, size=1.6e10)
    np.testing.assert_allclose(found.predict(larger), truth.predict(larger), atol=0.03)


def test_no_fact_makes_no_law():
    with pytest.raises(ValueError, match="one fact at least"):
        fit_allocation([counted(5).take(np.zeros(5, bool))], "all_or_nothing")
