import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from factcap.capacity import exception_bits, rate_distortion_bound
from factcap.figures.rules.picture import draw
from factcap.figures.rules.rules_in_transformers import COLUMNS, PRESETS, rules_in_transformers
from factcap.figures.rules.tokens import (
    Plan,
    bits_per_parameter,
    bound_rows,
    order_of,
    planned_runs,
)
from factcap.figures.rules.units import NetworkPlan, network_row, theory_rows
from factcap.models import Measurement
from factcap.synth import BadInput

ROOT = Path(__file__).parent.parent.parent
NETWORKS = NetworkPlan(dimension=10, hidden=(1, 3), steps=5, repeats=2)
PLAN = Plan(
    facts=60,
    fresh=20,
    epsilon=0.25,
    epsilons=(0.25, 1.0),
    widths=(8,),
    orders=(1,),
    exposures=(1, 2),
    seeds=(0,),
    networks=NETWORKS,
)


@pytest.mark.slow
def test_every_run_is_made_once_and_read_again(tmp_path, monkeypatch):
    monkeypatch.setitem(PRESETS, "quick", PLAN)
    seen = {}
    rows = rules_in_transformers(
        tmp_path, preset="quick", progress=lambda run, runs, share: seen.update({run: share})
    )
    # both shares, one at fewer exposures too; two networks, two draws each
    assert seen == dict.fromkeys(range(3 + 4), 1.0)
    kinds = [row["kind"] for row in rows]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        **{"transformer": 3, "bound, alone": 82, "bound, rule kept": 82},
        **{"network": 4, "Bayes-optimal": 1, "random features": 33},
    }
    assert [order_of(row) for row in rows[:3]] == [
        *((1, 0.25, 8, 1, 0), (1, 0.25, 8, 2, 0), (1, 1.0, 8, 2, 0)),
    ]
    with open(tmp_path / "rules_in_transformers.csv") as file:
        read = list(csv.DictReader(file))
    assert [{name: str(value) for name, value in row.items()} for row in rows] == read
    assert tuple(read[0]) == COLUMNS
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("runs/*/*.parquet")}
    assert len(before) == 3
    assert rules_in_transformers(tmp_path, preset="quick") == rows
    assert {p: p.stat().st_mtime_ns for p in tmp_path.glob("runs/*/*.parquet")} == before
    assert (tmp_path / "rules_in_transformers.png").stat().st_size > 10_000


def measurement(run, nll_bits, recall):
    facts = run.drawn.facts
    return Measurement(
        nll_bits=np.asarray(nll_bits, np.float32),
        recall=recall,
        entropy_bits=facts.entropy_bits,
        frequency=facts.frequency,
        parameters=run.known["parameters"],
    )


def find_run(epsilon):
    plan = replace(PLAN, facts=1000, fresh=100)
    return next(run for run in planned_runs(plan) if run.known["epsilon"] == epsilon)


def test_a_model_of_the_rule_alone_has_memorized_nothing():
    run = find_run(0.25)
    drawn = run.drawn
    row = run.row(measurement(run, drawn.surprise_bits, drawn.follows_rule))
    assert row["memorized_bits"] == pytest.approx(0, abs=1e-3)
    assert (row["rule_facts_known"], row["fresh_known"]) == (1, 1)
    assert row["exceptions_known"] == drawn.follows_rule[drawn.is_exception].mean() < 0.01


def test_a_model_of_everything_has_memorized_all_that_is_held():
    run = find_run(0.25)
    fresh = run.drawn.is_fresh
    row = run.row(measurement(run, np.where(fresh, 50.0, 0.0), ~fresh))
    assert row["memorized_bits"] == pytest.approx(row["held_bits"])
    # 250 of 1000 facts are exceptions, exactly; one in 4096 of them is the rule's by chance
    assert row["held_bits"] == pytest.approx(1000 * exception_bits(0.25, 16**3), abs=20)
    assert row["exceptions_known"] == row["rule_facts_known"] == 1
    assert (row["fresh_known"], row["fresh_nll_bits"]) == (0, 50)


def test_without_a_rule_nothing_is_said_of_it():
    run = find_run(1.0)
    known = np.arange(1100) < 400
    row = run.row(measurement(run, np.where(known, 0.0, 12.0), known))
    assert "fresh_known" not in row
    assert "rule_facts_known" not in row
    assert (row["exceptions_known"], row["memorized_bits"]) == (0.4, 4800)


def test_exposures_count_the_facts_that_are_drawn():
    plan = replace(PLAN, facts=6400, fresh=3200, exposures=(50,))
    for run in planned_runs(plan):
        training = run.spec.training
        steps = training.exposures * len(run.drawn.facts) / training.batch
        assert steps == pytest.approx(50 * 6400 / 64)


def measured(plan, rate):
    rows = []
    for width, parameters in zip(plan.widths, (2000, 4000), strict=True):
        for epsilon in (plan.epsilon, 1.0):
            rows.append(
                {
                    **{"kind": "transformer", "epsilon": epsilon, "order": 1, "rule_bits": 133.0},
                    **{"choices": 4096.0, "width": width, "parameters": parameters},
                    **{"exposures": plan.exposures[-1], "seed": 0, "facts": plan.facts},
                    **{"exceptions_known": 0.1, "rule_facts_known": 1.0, "fresh_known": 0.9},
                    "memorized_bits": rate * parameters * (1.0 if width == 12 else 0.8),
                }
            )
    return rows


def test_bounds_lie_in_order_and_end_at_the_bits_held():
    plan = replace(PLAN, facts=2000, widths=(8, 12))
    rows = measured(plan, rate=1.5)
    assert bits_per_parameter(rows) == 1.5
    bounds = bound_rows(plan, rows)
    for alone, kept in zip(bounds[0::2], bounds[1::2], strict=True):
        assert (alone["kind"], kept["kind"]) == ("bound, alone", "bound, rule kept")
        assert 0 <= kept["exceptions_known"] <= alone["exceptions_known"] + 1e-9 <= 1 + 1e-9
        values = alone["epsilon"] * plan.facts * 12
        both = plan.facts * exception_bits(alone["epsilon"], 4096.0)
        bits = alone["memorized_bits"]
        assert (alone["exceptions_known"] == pytest.approx(1, abs=1e-6)) == (bits >= values)
        assert (kept["exceptions_known"] == pytest.approx(1, abs=1e-6)) == (bits >= both)
    assert min(row["exceptions_known"] for row in bounds) < 0.5


def test_points_are_means_over_seeds_and_bars_their_range():
    plan = replace(PLAN, facts=2000, widths=(8, 12), seeds=(0, 1))
    rows = [row | {"seed": 0} for row in measured(plan, rate=1.5)]
    rows += [row | {"seed": 1, "exceptions_known": 0.3} for row in rows]
    empty = dict.fromkeys(COLUMNS, "")
    more = [*bound_rows(plan, rows), *theory_rows(NETWORKS), network_row(NETWORKS, 3, 0)]
    axes = draw([empty | row for row in [*rows, *more]], plan).axes
    lines = {str(bars.get_label()): bars for bars in axes[2].containers}
    np.testing.assert_allclose(lines["exceptions"][0].get_xydata(), [(2000, 0.2), (4000, 0.2)])
    [segments] = [bars.get_segments() for bars in lines["exceptions"][2]]
    np.testing.assert_allclose(segments[0], [(2000, 0.1), (2000, 0.3)])


def test_theory_lies_above_the_best_of_all_learners():
    rows = theory_rows(NetworkPlan())
    [best] = [row["generalization_error"] for row in rows if row["kind"] == "Bayes-optimal"]
    for row in rows[1:]:
        assert best < row["generalization_error"] < 0.5
    # enough random units memorize every fact
    assert rows[1]["memorization_error"] > 0.4
    assert rows[-1]["memorization_error"] < 0.01


def test_the_committed_table_shows_what_the_page_says():
    with open(ROOT / "docs" / "results" / "rules_in_transformers.csv") as file:
        rows = list(csv.DictReader(file))
    runs = [row for row in rows if row["kind"] == "transformer"]

    def mean(column, **where):
        wanted = {"epsilon": "0.2", "exposures": "200"} | where
        mine = [row for row in runs if all(row[name] == value for name, value in wanted.items())]
        assert len(mine) == 2
        return float(np.mean([float(row[column]) for row in mine]))

    page = " ".join((ROOT / "docs" / "results.md").read_text().split())
    small, middle = {"order": "1", "parameters": "2216"}, {"order": "1", "parameters": "7504"}
    large = {"order": "2", "parameters": "11300"}
    for sentence in (
        f"give its value for {mean('fresh_known', **small):.0%} of keys never trained on and "
        f"know {mean('exceptions_known', **small):.0%} of the exceptions",
        f"know {mean('exceptions_known', **middle):.0%} of the exceptions, and the rule for "
        f"{mean('fresh_known', **middle):.0%} of new keys",
        f"know {mean('exceptions_known', **large):.0%} of the exceptions",
        f"the rule for {mean('fresh_known', **large):.0%} of new keys",
    ):
        assert sentence in page
    assert mean("rule_facts_known", **large) > 0.995
    # in time, too, the rule comes before its exceptions
    assert mean("fresh_known", **middle | {"exposures": "10"}) > 0.95
    assert mean("exceptions_known", **middle | {"exposures": "10"}) == 0


def test_no_committed_run_passes_its_bound():
    with open(ROOT / "docs" / "results" / "rules_in_transformers.csv") as file:
        rows = list(csv.DictReader(file))
    runs = [row for row in rows if row["kind"] == "transformer"]
    rate = max(
        float(row["memorized_bits"]) / int(row["parameters"])
        for row in runs
        if row["epsilon"] == "1.0"
    )
    for row in runs:
        facts, epsilon, choices = int(row["facts"]), float(row["epsilon"]), float(row["choices"])
        bits = rate * int(row["parameters"]) / facts / epsilon
        known = rate_distortion_bound([1.0], choices, bits).accuracy
        assert float(row["exceptions_known"]) <= known + 1e-9


def test_unknown_presets_list_the_known(tmp_path):
    with pytest.raises(BadInput, match="no preset is called 'huge'; there are tiny, laptop"):
        rules_in_transformers(tmp_path / "new", preset="huge")
    assert not (tmp_path / "new").exists()
