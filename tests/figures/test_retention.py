import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from factcap.capacity.retention import Training
from factcap.figures.retention.inputs import read_models
from factcap.figures.retention.own_picture import draw
from factcap.figures.retention.own_runs import (
    ASKED,
    COLUMNS,
    FITTED,
    PRESETS,
    Plan,
    conditions,
    make_rows,
    specs,
    tell,
    training,
)
from factcap.figures.retention.picture import HeldOut
from factcap.figures.retention.retention import retention
from factcap.figures.runs import Finished
from factcap.synth import BadInput, Measurement
from tests.capacity.retention.simulated import answered, counted
from tests.test_predict import write_public_form

RESULTS = Path(__file__).parents[2] / "docs" / "results"
SMALL = Plan(
    draws=25_600,
    fitted_exponents=(1.0,),
    fitted_loads=(2.0,),
    exponents=(1.2,),
    loads=(1.5,),
    repeats=2,
)
# As many facts, fewer conditions.
FEW = Plan(fitted_loads=(2.0,), loads=(1.5,))


def made(plan, known):
    """Runs that recall a fact as `known`, of a training, says."""
    rng = np.random.default_rng(0)
    found = []
    for condition in conditions(plan):
        before = training(plan, condition)
        facts = len(before.exposures)
        runs = []
        for _ in condition.seeds:
            recall = rng.random(facts) < known(before)
            bits = np.full(facts, 1, np.float32)
            shares = before.exposures / before.exposures.sum()
            runs.append(Finished(Measurement(bits, recall, before.entropy_bits, shares, 8272), {}))
        found.append((condition, runs))
    return found


def steep(before: Training):
    """The 600 most frequent facts, with a soft edge."""
    rank = np.arange(len(before.exposures))
    return 1 / (1 + np.exp((rank - 600) / 60))


def test_what_is_predicted_shares_nothing_with_what_is_fitted():
    for plan in PRESETS.values():
        fitted, asked = (
            [one for one in conditions(plan) if one.role == role] for role in (FITTED, ASKED)
        )
        assert not {one.facts_seed for one in fitted} & {one.facts_seed for one in asked}
        assert not {seed for one in fitted for seed in one.seeds} & {
            seed for one in asked for seed in one.seeds
        }
        assert not {one.exponent for one in fitted} & {one.exponent for one in asked}
        assert not {one.load for one in fitted} & {one.load for one in asked}
        ids = [spec.id for one in conditions(plan) for spec in specs(plan, one)]
        assert len(set(ids)) == len(ids)


def test_predictions_do_not_see_the_runs_that_are_scored():
    plan = replace(FEW, schemes=("ordinary",))
    first = tell(plan, made(plan, steep))
    other = [
        (condition, runs if condition.role == FITTED else [_nothing(run) for run in runs])
        for condition, runs in made(plan, steep)
    ]
    for one, two in zip(first, tell(plan, other), strict=True):
        assert np.array_equal(one.predicted, two.predicted)
        assert not two.accuracy.any()


def _nothing(run):
    found = run.measurement
    recall = np.zeros_like(found.recall)
    return Finished(
        Measurement(found.nll_bits, recall, found.entropy_bits, found.frequency, 8272), {}
    )


def test_rows_and_picture_show_what_was_told():
    plan = FEW
    told = tell(plan, made(plan, steep))
    rows = make_rows(plan, told)
    assert len(rows) == 4
    for row in rows:
        assert tuple(row) == COLUMNS
        assert row["known_predicted"] == pytest.approx(row["known"], rel=0.2)
        assert row["r2"] > 0.7
        assert row["r2_one_run"] < row["r2"] < row["noise_ceiling"] + 0.02
    public, _ = answered(counted(400, relations=4), known=-10.0)
    figure = draw(plan, told, [HeldOut(public, np.full(400, 0.5))])
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[:3] == [
        "Our runs, ordinary training",
        "Our runs, selected by worth",
        "Calibration, all conditions",
    ]
    assert public.model in titles


def test_the_committed_table_reaches_the_number_of_the_issue():
    with (RESULTS / "retention_of_runs.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["scheme"] for row in rows} == {"ordinary", "worth"}
    assert len(rows) == len([one for one in conditions(Plan()) if one.role == ASKED])
    assert min(float(row["r2"]) for row in rows) > 0.8


def test_data_that_cannot_be_read_is_refused_before_training(tmp_path):
    with pytest.raises(BadInput, match="is not a folder; give one with a file a model"):
        retention(tmp_path / "out", data=tmp_path / "none")
    (tmp_path / "data").mkdir()
    with pytest.raises(BadInput, match=r"data has no \.json"):
        retention(tmp_path / "out", data=tmp_path / "data")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_runs_are_made_and_read_again(tmp_path, monkeypatch):
    monkeypatch.setitem(PRESETS, "quick", SMALL)
    facts, _ = answered(counted(400, relations=4), known=-10.0)
    (tmp_path / "data").mkdir()
    write_public_form(tmp_path / "data" / "small-100m.json", facts)
    assert len(read_models([tmp_path / "data" / "small-100m.json"])) == 1
    rows = retention(tmp_path / "out", data=tmp_path / "data", preset="quick")
    assert [row["scheme"] for row in rows] == ["ordinary", "worth"]
    assert retention(tmp_path / "out", data=tmp_path / "data", preset="quick") == rows
    assert (tmp_path / "out" / "retention.png").stat().st_size > 10_000
