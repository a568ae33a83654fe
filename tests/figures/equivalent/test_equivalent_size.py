import csv
import json

import pytest

from factcap.figures.corpus.experiment import Plan as TextPlan
from factcap.figures.corpus.experiment import Scheme
from factcap.figures.equivalent import equivalent_size as module
from factcap.figures.equivalent.equivalent_size import COLUMNS, equivalent_size
from factcap.figures.equivalent.plan import BOTH, DATA, PRESETS, Plan
from factcap.figures.equivalent.table import COLUMNS as TABLE_COLUMNS
from factcap.figures.selection.experiment import ORDINARY
from tests.synth.corpus.mini import write_folder

SMALL = Plan(
    draws=25_600,
    exponents=(0.0,),
    loads=(2.0,),
    times=(1.0, 2.0),
    schemes=("worth",),
    rates=(1.0, 2.0),
    tuned_on=(5,),
    seeds=(0, 1),
    text=TextPlan(
        facts=30,
        documents=90,
        pieces=128,
        draws=3200,
        most_alike=30,
        batch=16,
        schemes=(Scheme("loss_h"), Scheme("loss_h", "documents")),
        first=0.05,
        seeds=(0,),
    ),
)


def pretended(plan, trials, folder, *, workers, progress):
    """Rows as runs would give them: twice the rate knows more, and so does twice the size."""
    rows = []
    for number, trial in enumerate(trials):
        one, small = trial.series, trial.series.width == plan.small.width
        progress(number, len(trials), 1.0)
        known = 800 if one.scheme != ORDINARY else 100 if small else 1500
        rows.append(
            {
                **{"facts": 1875, "facts_known": known * trial.rate / 2, "entropy_bits": 39_375.0},
                **{"weighted_accuracy": known * trial.rate / 3750, "stored_bits": 20_000.0},
                **{"facts_kept": 1875, "draws": one.draws, "scoring_draws": 0.0, "flops": 1e9},
                **{"learning_rate": 0.01, "parameters": 8272 if small else 17_016, "run": "x"},
            }
        )
    return rows


def test_rates_are_tuned_before_what_is_reported(tmp_path, monkeypatch):
    monkeypatch.setitem(PRESETS, "quick", SMALL)
    monkeypatch.setattr(module, "make_fact_rows", pretended)
    seen = []
    rows = equivalent_size(
        tmp_path, preset="quick", progress=lambda *told: seen.append(told), workers=0
    )
    # four series (one size is both), on one seed at two rates, then on two seeds at the better one
    assert seen == [(number, 4 * 2 + 4 * 2, 1.0) for number in range(16)]
    assert all(set(row) == set(COLUMNS) for row in rows)
    uses = [(row["use"], row["seed"], row["rate"]) for row in rows]
    assert uses == [
        *[("tuning", 5, 1.0), ("tuning", 5, 2.0)] * 4,
        *[("reported", 0, 2.0)] * 4,
        *[("reported", 1, 2.0)] * 4,
    ]
    with open(tmp_path / "equivalent_size_table.csv") as file:
        table = list(csv.DictReader(file))
    assert tuple(table[0]) == TABLE_COLUMNS
    # from 100 to 1500 facts between the sizes; 800 are half of the way
    assert float(table[0]["times"]) == pytest.approx((17_016 / 8272) ** 0.5)
    assert (tmp_path / "equivalent_size.png").stat().st_size > 10_000


@pytest.mark.slow
def test_small_models_are_trained_and_read_again(tmp_path, monkeypatch):
    monkeypatch.setitem(PRESETS, "quick", SMALL)
    data = write_folder(tmp_path / "data")
    rows = equivalent_size(tmp_path / "out", preset="quick", data=data)
    assert len(rows) == 4 * (2 + 2) + 5 * (2 + 1)
    found = {row["set"] for row in rows}
    assert found == {"uniform, load 2", "text"}
    for named in found:
        some = [row for row in rows if row["set"] == named and row["use"] == "reported"]
        small = next(r for r in some if r["scheme"] == ORDINARY and r["budget"] == BOTH)
        for row in some:
            if row["budget"] == DATA:
                assert row["draws"] == small["draws"]
                assert row["flops"] > 1.5 * small["flops"]
            else:
                assert row["flops"] <= 1.3 * small["flops"]
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("out/runs/*/outcome.json")}
    assert len(before) == len(rows)
    assert equivalent_size(tmp_path / "out", preset="quick", data=data) == rows
    assert {path: path.stat().st_mtime_ns for path in before} == before
    settings = json.loads((tmp_path / "out" / "equivalent_size.json").read_text())["settings"]
    assert settings["rates"] == [1.0, 2.0]
    assert "data_sha256" in settings
