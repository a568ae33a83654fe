import csv
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from factcap.capacity.retention import ExposureLaw, Training
from factcap.figures.capacity_experiment import _plan as curve_runs
from factcap.figures.corpus.experiment import material
from factcap.figures.retention.inputs import read_models
from factcap.figures.retention.own_corpus import training as training_on_corpus
from factcap.figures.retention.own_fact_sets import specs, training
from factcap.figures.retention.own_picture import draw
from factcap.figures.retention.own_plan import (
    ASKED,
    CITIES,
    CORPUS,
    FITTED,
    POWER_LAW,
    PRESETS,
    Condition,
    Plan,
    conditions,
)
from factcap.figures.retention.own_runs import COLUMNS, Made, make_rows, tell
from factcap.figures.retention.picture import HeldOut
from factcap.figures.retention.retention import retention
from factcap.synth import BadInput
from factcap.synth.corpus import made_up
from tests.capacity.retention.simulated import answered, counted
from tests.test_predict import write_public_form

RESULTS = Path(__file__).parents[2] / "docs" / "results"
SMALL = replace(
    PRESETS["tiny"], draws=25_600, fitted_exponents=(1.0,), exponents=(1.2,), corpora=(1,)
)
# As many facts as in the figure, fewer conditions.
FEW = Plan(fitted_loads=(2.0,), loads=(1.5,), city_loads=(1.5,), corpora=())
LAW = ExposureLaw(2.0, theta=0.4, needed=1.5, acquisition=60.0, blur=0.2)


def made(plan: Plan, law: ExposureLaw = LAW) -> list[Made]:
    """Runs on fact sets, that know what a law says of their trainings."""
    rng = np.random.default_rng(0)
    found = []
    for condition in conditions(plan):
        before = training(plan, condition)
        chance = rng.random((len(condition.seeds), len(before.exposures)))
        found.append(Made(condition, before, chance < law.predict(before)))
    return found


def test_what_is_predicted_shares_nothing_with_what_is_fitted():
    for plan in PRESETS.values():
        for source in (POWER_LAW, CITIES, CORPUS):
            mine = [one for one in conditions(plan) if one.source == source]
            fitted, asked = ([one for one in mine if one.role == r] for r in (FITTED, ASKED))
            assert bool(fitted) == bool(asked)
            assert not {one.facts_seed for one in fitted} & {one.facts_seed for one in asked}
            assert not {seed for one in fitted for seed in one.seeds} & {
                seed for one in asked for seed in one.seeds
            }
            loads = ({one.load for one in some} - {None} for some in (fitted, asked))
            assert not set.intersection(*loads)
            exponents = ({one.exponent for one in some} - {None} for some in (fitted, asked))
            assert not set.intersection(*exponents)
        on_sets = [one for one in conditions(plan) if one.source != CORPUS]
        ids = Counter(spec.id for one in on_sets for spec in specs(plan, one))
        assert set(ids.values()) == {1}


def test_the_first_runs_on_cities_are_those_of_the_curve():
    plan = Plan()
    of_the_curve = {spec.id for spec in curve_runs(plan.curve_preset).values()}
    asked = [one for one in conditions(plan) if (one.source, one.role) == (CITIES, ASKED)]
    firsts = {one: next(specs(plan, one)).id for one in asked if one.scheme == "ordinary"}
    assert len(firsts) == len(plan.city_loads)
    assert set(firsts.values()) <= of_the_curve


def test_smaller_sets_of_cities_are_prefixes_of_larger_ones():
    plan = Plan()
    asked = [one for one in conditions(plan) if (one.source, one.role) == (CITIES, ASKED)]
    sets = [training(plan, one).exposures for one in asked if one.scheme == "ordinary"]
    for few, many in pairwise(sets):
        few_shares, many_shares = few / few.sum(), many[: len(few)] / many[: len(few)].sum()
        assert few_shares == pytest.approx(many_shares)


def test_exposures_on_a_corpus_are_draws_of_the_documents_that_tell_a_fact():
    plan = PRESETS["tiny"]
    corpus = material(plan.corpus_plan, made_up(60), 0)
    before = training_on_corpus(plan, corpus, 1000)
    assert before.exposures.sum() == pytest.approx(9600)
    first = int((corpus.corpus.fact == 0).sum())
    assert before.exposures[0] == pytest.approx(first * 9600 / 240)
    assert set(before.relations) == {"birthplace", "field"}
    values = Counter(zip(before.relations, corpus.corpus.knowledge.values, strict=True))
    pair = before.relations[0], corpus.corpus.knowledge.values[0]
    share = values[pair] / before.relations.count(pair[0])
    assert before.entropy_bits[0] == pytest.approx(-np.log2(share))


@pytest.mark.slow
def test_predictions_do_not_see_the_runs_that_are_scored():
    plan = replace(FEW, schemes=("ordinary",), city_loads=())
    runs = made(plan)
    other = [
        one if one.condition.role == FITTED else replace(one, recall=np.zeros_like(one.recall))
        for one in runs
    ]
    for one, two in zip(tell(runs), tell(other), strict=True):
        assert np.array_equal(one.predicted, two.predicted)
        assert not two.accuracy.any()


@pytest.mark.slow
def test_rows_and_picture_show_what_was_told():
    told = tell(made(FEW))
    rows = make_rows(told)
    assert [row["facts_of"] for row in rows] == 2 * [POWER_LAW, POWER_LAW, CITIES]
    for row in rows:
        assert tuple(row) == COLUMNS
        assert row["known_predicted"] == pytest.approx(row["known"], rel=0.1)
        assert row["r2"] > 0.8
        assert row["r2_one_run"] < row["r2"] < row["noise_ceiling"] + 0.02
    public, _ = answered(counted(400, relations=4), known=-10.0)
    figure = draw(told, [HeldOut(public, np.full(400, 0.5))])
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[:5] == [
        "Power law, ordinary training",
        "Power law, selected by worth",
        "Cities by population",
        "Calibration",
        "$R^2$ per fact, noise ceiling",
    ]
    assert public.model in titles


def test_effects_of_relations_are_told_apart():
    rng = np.random.default_rng(0)
    relations = ("easy", "hard") * 300
    before = Training(rng.lognormal(4, 1, 600), np.full(600, 5.0), 100_000, relations)
    law = replace(LAW, relations={"easy": -1.0, "hard": 1.0})

    def runs(role: str, seed: int, repeats: int) -> Made:
        condition = Condition(role, CORPUS, "ordinary", None, None, seed, tuple(range(repeats)))
        chance = rng.random((repeats, 600))
        return Made(condition, before, chance < law.predict(before))

    pytest.importorskip("sklearn")
    [row] = make_rows(tell([runs(FITTED, 0, 1), runs(ASKED, 1, 8)]))
    assert row["r2"] > 0.8
    assert row["r2_without_relations"] < row["r2"] - 0.2
    # The ceiling is told of relations too.
    assert row["r2_boosting"] > row["r2_without_relations"] + 0.1
    # Everything fits, so that nothing is learned of the capacity.
    assert (row["price"], row["theta"]) == (0, None)


def test_the_committed_table_reaches_what_was_wanted():
    with (RESULTS / "retention_of_runs.csv").open() as file:
        rows = list(csv.DictReader(file))
    kinds = Counter((row["facts_of"], row["scheme"]) for row in rows)
    asked = [one for one in conditions(Plan()) if one.role == ASKED]
    assert kinds == Counter((one.source, one.scheme) for one in asked)
    by_power_law = [row for row in rows if row["facts_of"] == POWER_LAW]
    assert min(float(row["r2"]) for row in by_power_law) > 0.8


def test_data_that_cannot_be_read_is_refused_before_training(tmp_path):
    with pytest.raises(BadInput, match="is not a folder; give one with a file a model"):
        retention(tmp_path / "out", data=tmp_path / "none")
    (tmp_path / "data").mkdir()
    with pytest.raises(BadInput, match=r"data has no \.json"):
        retention(tmp_path / "out", data=tmp_path / "data")
    assert not (tmp_path / "out").exists()


def test_too_few_facts_for_a_corpus_are_refused_before_training(tmp_path):
    facts, _ = answered(counted(400, relations=4), known=-10.0)
    (tmp_path / "data" / "corpus").mkdir(parents=True)
    write_public_form(tmp_path / "data" / "small-100m.json", facts)
    few = [f'{{"sub_label": "Town {n}", "obj_label": "Land {n}"}}' for n in range(5)]
    (tmp_path / "data" / "corpus" / "P17.jsonl").write_text("\n".join(few))
    pattern = '{"pattern": "[X] is in [Y] ."}'
    (tmp_path / "data" / "corpus" / "P17.patterns.jsonl").write_text(pattern)
    with pytest.raises(BadInput, match="there are 5 facts"):
        retention(tmp_path / "out", data=tmp_path / "data", preset="tiny")
    assert not (tmp_path / "out" / "runs").exists()


@pytest.mark.slow
def test_runs_are_made_and_read_again(tmp_path, monkeypatch):
    monkeypatch.setitem(PRESETS, "quick", SMALL)
    facts, _ = answered(counted(400, relations=4), known=-10.0)
    (tmp_path / "data").mkdir()
    write_public_form(tmp_path / "data" / "small-100m.json", facts)
    assert len(read_models([tmp_path / "data" / "small-100m.json"])) == 1
    rows = retention(tmp_path / "out", data=tmp_path / "data", preset="quick")
    assert [row["facts_of"] for row in rows] == 2 * [POWER_LAW, CITIES] + 2 * [CORPUS]
    table = (tmp_path / "out" / "retention.csv").read_text()
    # Written again from the runs that lie there; a mean of nothing is not equal to itself.
    assert str(retention(tmp_path / "out", data=tmp_path / "data", preset="quick")) == str(rows)
    assert (tmp_path / "out" / "retention.csv").read_text() == table
    assert (tmp_path / "out" / "retention.png").stat().st_size > 10_000
