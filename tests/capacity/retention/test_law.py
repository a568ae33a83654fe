from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factcap.capacity.retention import (
    CountedFacts,
    Shares,
    calibration_error,
    fit_law,
    folds,
    held_out,
    law_predictor,
    r_squared,
)
from factcap.capacity.retention.columns import choose_columns, size_column
from factcap.capacity.retention.hierarchy import fit_hierarchy
from factcap.capacity.retention.posterior import Design, Prior, predict_hierarchy
from tests.capacity.retention.simulated import answered, counted


@pytest.fixture(scope="module")
def simulated() -> tuple[CountedFacts, np.ndarray]:
    return answered(counted(6000))


def test_the_exponents_come_back(simulated):
    facts, _ = simulated
    found = fit_law([facts]).coefficients()
    assert found["known.pair"].estimate == pytest.approx(1.2, abs=0.12)
    assert found["known.subject"].estimate == pytest.approx(-0.5, abs=0.12)
    for name, truth in (("known.pair", 1.2), ("known.subject", -0.5), ("guess.object", 0.0)):
        assert found[name].low < truth < found[name].high, name
    assert "known.size" not in found  # of one model there is nothing to learn of size


def test_held_out_predictions_are_near_the_truth_and_calibrated(simulated):
    facts, truth = simulated
    predicted = held_out(facts, law_predictor, "facts")
    assert r_squared(truth, predicted) > 0.97
    assert calibration_error(facts.accuracy, predicted) < 0.01


def test_a_relation_never_seen_is_drawn_from_the_population():
    facts, truth = answered(counted(6000, relations=30), spread=1.5)
    predicted = held_out(facts, law_predictor, "relations")
    assert 0.6 < r_squared(truth, predicted) < 0.97
    assert calibration_error(facts.accuracy, predicted) < 0.03


def test_shrinkage_follows_the_spread_of_relations():
    spreads = []
    for spread in (0.0, 2.0):
        facts, _ = answered(counted(6000, relations=20), spread=spread)
        spreads.append(fit_law([facts]).coefficients()["known.intercept"].spread)
    assert spreads[0] < 0.4
    assert 0.8 < spreads[1] < 2.5


@pytest.mark.parametrize("echo", [0.3, 1.0])
def test_what_stands_in_the_question_is_told_apart(echo):
    facts = counted(6000)
    assert facts.names is not None
    standing = facts.names.standing
    facts, chance = answered(replace(facts, names=None))
    chance = np.where(standing, echo + (1 - echo) * chance, chance)
    accuracy = np.random.default_rng(0).binomial(400, chance) / 400
    facts = replace(facts, accuracy=accuracy, names=counted(6000).names)
    law = fit_law([facts])
    assert law.echo == pytest.approx(echo, abs=0.02)
    assert law.predict(facts)[standing].mean() == pytest.approx(accuracy[standing].mean(), abs=0.02)


def test_without_names_it_is_told_by_counts():
    """A subject of many documents, all of which hold the object, has the object in its name."""
    facts = counted(6000)
    assert facts.names is not None
    standing = facts.names.standing
    pair = np.where(standing, facts.subject_count, facts.pair_count)
    objects = np.maximum(facts.object_count, pair)
    facts, chance = answered(replace(facts, pair_count=pair, object_count=objects))
    nameless = replace(facts, names=None, subject=None)
    predicted = held_out(nameless, law_predictor, "facts")
    often = standing & (facts.subject_count > 500)
    assert predicted[often].mean() > 2 * predicted[~standing].mean()
    assert r_squared(chance, predicted) > 0.8


@pytest.mark.parametrize("split", ["facts", "objects", "relations"])
def test_held_out_accuracies_change_nothing(split):
    """The prediction of a fold is the same, whatever its own accuracies are."""
    facts, _ = answered(counted(600))
    fold = folds(facts, split)
    predicted = held_out(facts, law_predictor, split)
    inside = fold == 2
    accuracy = facts.accuracy.copy()
    accuracy[inside] = np.random.default_rng(5).permutation(1 - accuracy[inside])
    again = held_out(replace(facts, accuracy=accuracy), law_predictor, split)
    np.testing.assert_array_equal(predicted[inside], again[inside])
    assert not np.array_equal(predicted[~inside], again[~inside])


def test_a_larger_model_is_told_from_smaller_ones():
    base = counted(3000)
    models, truth = [], np.zeros(len(base))
    for number, size in enumerate((1e8, 1e9, 8e9)):
        known = -8 + 1.1 * size_column(size / 1e9)
        facts, truth = answered(base, known=known, seed=7)
        models.append(replace(facts, size=size, model=f"m{number}"))
    law = fit_law(models[:2])
    found = law.coefficients()["known.size"]
    # at the middle size of 10^8.5: d size_column / d log2 P = 10^(-0.5 * -0.34)
    assert found.low < 1.1 * 10 ** (0.5 * 0.34) < found.high
    predicted = law.predict(models[2].blind())
    assert r_squared(truth, predicted) > 0.9
    rng = np.random.default_rng(0)
    draws = law.draw_accuracy(models[2].blind(), rng)
    low, high = np.quantile(draws, [0.025, 0.975])
    assert low < truth.mean() < high
    np.testing.assert_allclose(draws.mean(), predicted.mean(), atol=0.02)


def test_the_unseen_size_widens_the_interval(simulated):
    law = fit_law([simulated[0]])
    widths = []
    for size in (1e9, 1e10, 1e12):
        draws = law.draw_accuracy(simulated[0].at_size(size), np.random.default_rng(0))
        widths.append(float(np.ptp(np.quantile(draws, [0.025, 0.975]))))
    assert widths[0] < widths[1] < widths[2]


def test_draws_agree_with_predictions_on_new_relations_and_answers(simulated):
    facts = simulated[0].take(np.arange(3000))
    law = fit_law([facts.take(facts.relation != "relation 0")])
    draws = law.draw_accuracy(facts.blind(), np.random.default_rng(0), draws=400)
    assert draws.mean() == pytest.approx(law.predict(facts.blind()).mean(), abs=0.01)
    assert draws.std() > 0


def test_the_interval_of_a_fact_holds_95_percent():
    """Where facts scatter as a beta distribution does, as many lie inside as it says."""
    facts, chance = answered(replace(counted(8000), names=None))
    inside = np.clip(chance, 1e-6, 1 - 1e-6)
    accuracy = np.random.default_rng(0).beta(9 * inside, 9 * (1 - inside))
    law = fit_law([replace(facts, accuracy=accuracy)])
    low, high = law.interval(law.predict(facts))
    assert 0.92 < np.mean((accuracy >= low) & (accuracy <= high)) < 0.98
    assert law.posterior.dispersion == pytest.approx(0.1, abs=0.02)


@given(st.integers(0, 50))
@settings(max_examples=10)
def test_predictions_are_chances_and_rise_with_the_pair(seed):
    facts, _ = answered(counted(300, seed=seed), seed=seed)
    law = fit_law([facts])
    fewer = np.floor(facts.pair_count / 4)
    p, less = law.predict(facts), law.predict(replace(facts, pair_count=fewer))
    assert np.all((p > 0) & (p < 1))
    rises = law.posterior.coefficients[:, law.columns.names().index(("known", "pair"))] > 0
    if rises.all():
        assert p.mean() >= less.mean()


def test_order_does_not_matter():
    facts, _ = answered(counted(500))
    order = np.random.default_rng(0).permutation(500)
    straight, mixed = fit_law([facts]).predict(facts), fit_law([facts.take(order)]).predict(facts)
    np.testing.assert_allclose(straight, mixed, atol=1e-6)


def test_the_fit_is_at_an_optimum_and_its_curvature_is_that_of_the_likelihood():
    """One relation, one answer, no guess: a logistic regression with known solution."""
    rng = np.random.default_rng(0)
    x = np.column_stack([np.ones(4000), rng.normal(size=4000)])
    y = rng.binomial(1, 1 / (1 + np.exp(-(x @ [-1.0, 0.8])))).astype(float)
    zeros = np.zeros(4000, int)
    guess = np.ones((4000, 1))
    prior = Prior(np.array([0.0, 0.0, -25.0]), np.array([5.0, 5.0, 1e-3]), np.array([True] * 3))
    found = fit_hierarchy(Design(x, guess, zeros, zeros, 1), y, prior)
    beta = found.beta[:2] + np.array([found.effects[0], 0])
    assert beta == pytest.approx([-1.0, 0.8], abs=0.12)
    p = 1 / (1 + np.exp(-x @ beta))
    np.testing.assert_allclose(x.T @ (y - p) / 4000, 0, atol=2e-3)
    assert found.dispersion == pytest.approx(1, abs=0.05)
    information = x.T @ (x * (p * (1 - p))[:, None])
    slope = found.covariance[0][1, 1]
    assert slope == pytest.approx(np.linalg.inv(information)[1, 1], rel=0.1)
    unseen = Design(x[:5], guess[:5], zeros[:5] + 1, zeros[:5], 1)
    assert np.all(predict_hierarchy(found, unseen) > 0)


def test_the_columns_are_scaled_by_training_and_unknowns_count_as_the_mean():
    facts, _ = answered(counted(200))
    shares = Shares([facts])
    columns = choose_columns([facts], shares)
    design = columns.design(facts, shares)
    known = design.known
    np.testing.assert_allclose(known[:, 1:4].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(known[:, 1:4].std(axis=0), 1)
    new = replace(facts.take(np.arange(2)), object=np.array(["new", "newer"]))
    other = columns.design(new, shares)
    place = columns.names().index(("guess", "share")) - known.shape[1]
    assert other.guess[:, place].tolist() == [0.0, 0.0]
    assert other.answer.tolist() == [len(columns.objects)] * 2


def test_what_is_not_known_of_the_facts_asked_counts_as_the_mean(simulated):
    facts = simulated[0]
    assert facts.names is not None
    rest = facts.take(~facts.names.standing)
    law = fit_law([facts, replace(facts, size=4e9, model="larger")])
    plain = replace(rest, names=None, size=float("nan"))
    assert r_squared(law.predict(rest), law.predict(plain)) > 0.9


def test_nothing_to_fit_is_refused():
    with pytest.raises(ValueError, match="does not stand in the question"):
        fit_law([counted(5).take(np.zeros(5, bool))])
