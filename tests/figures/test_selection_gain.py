import csv
from pathlib import Path

import numpy as np
import pytest

from factcap.figures.selection.experiment import (
    BITS,
    COLUMNS,
    ORDINARY,
    PRESETS,
    Plan,
    bound,
    mean_of,
    points,
)
from factcap.figures.selection.picture import draw
from factcap.figures.selection.selection_gain import selection_gain
from factcap.figures.selection.table import COLUMNS as TABLE
from factcap.figures.selection.table import make_table
from factcap.synth import BadInput, power_law

RESULTS = Path(__file__).parents[2] / "docs" / "results"
SMALL = Plan(
    draws=25_600,
    exponents=(0.0, 1.0),
    loads=(0.5, 2.0),
    schemes=("worth",),
    others=("deduplicate",),
    others_at=(2.0,),
    seeds=(0, 1),
)


def fake_rows(plan):
    """Rows as runs would give them: a known number for each point."""
    rows = []
    for point in points(plan):
        seed = point.spec.training.seed
        rows.append(
            {
                **{"exponent": point.exponent, "load": point.load, "scheme": point.scheme},
                **{"seed": seed, "facts": plan.offered(point.load)},
                "facts_known": 100 * (1 + (point.scheme != ORDINARY)) + 10 * seed,
                "known_ratio": 0.9,
                "weighted_accuracy": 0.5 + 0.1 * seed,
                "weighted_ratio": 0.8,
                **{"capacity_bits": 20_000.0, "parameters": 8272},
            }
        )
    return rows


@pytest.mark.slow
def test_all_runs_draw_as_much_and_are_read_again(tmp_path, monkeypatch):
    monkeypatch.setitem(PRESETS, "quick", SMALL)
    rows = selection_gain(tmp_path, preset="quick")
    assert len(rows) == 2 * 2 * (2 + 3)
    for row in rows:
        assert tuple(row) == COLUMNS
        assert 0 <= SMALL.draws - row["draws"] - row["scoring_draws"] < 2 * 12_800
        assert row["known_ratio"] == row["facts_known"] / row["most_known"]
    chosen = [row for row in rows if row["scheme"] == "worth" and row["load"] == 2]
    assert all(row["facts_kept"] < row["facts"] for row in chosen)
    assert all(row["scoring_draws"] > 0 for row in chosen)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("runs/*/*.parquet")}
    assert selection_gain(tmp_path, preset="quick") == rows
    assert {p: p.stat().st_mtime_ns for p in tmp_path.glob("runs/*/*.parquet")} == before
    with open(tmp_path / "selection_gain_table.csv") as file:
        assert len(list(csv.DictReader(file))) == len(rows) / 2


@pytest.mark.parametrize("exponent", [0.0, 1.0])
def test_the_bound_stores_the_most_frequent_facts_whole(exponent):
    capacity = 10.5 * BITS
    known, weighted = bound(exponent, 40, capacity)
    frequency, guess = power_law(40, exponent), 2.0**-BITS
    stored = np.array([1.0] * 10 + [0.5] + [0.0] * 29)
    right = stored + (1 - stored) * guess
    assert known == pytest.approx(right.sum())
    assert weighted == pytest.approx((frequency * right).sum())
    assert bound(exponent, 10, capacity) == (10.0, 1.0)


def test_some_schemes_come_at_some_loads_only():
    found = [(p.exponent, p.load, p.scheme, p.spec.training.seed) for p in points(SMALL)]
    assert len(found) == len(set(found)) == len({p.spec.id for p in points(SMALL)}) == 20
    assert {load for _, load, scheme, _ in found if scheme == "deduplicate"} == {2.0}
    laptop = {p.spec.id for p in points(PRESETS["laptop"])}
    assert laptop < {p.spec.id for p in points(PRESETS["five-seeds"])}


def test_the_table_has_means_and_their_intervals():
    table = make_table(fake_rows(SMALL))
    assert len(table) == 10
    for row in table:
        assert tuple(sorted(row)) == tuple(sorted(TABLE))
        assert row["facts_known"] == (105 if row["scheme"] == ORDINARY else 205)
        # t(0.975, 1) = 12.706; standard error of {0, 10}: 5
        assert row["facts_known_half_width"] == pytest.approx(63.53, abs=0.01)
        assert row["known_ratio_half_width"] == 0
        assert (row["weighted_accuracy_least"], row["weighted_accuracy_most"]) == (0.5, 0.6)
        assert row["times_ordinary"] == pytest.approx(1 if row["scheme"] == ORDINARY else 205 / 105)
    assert mean_of([{"x": 3.0}], "x") == (3.0, 0.0)


def test_a_panel_an_exponent_a_line_a_scheme():
    figure = draw(fake_rows(SMALL), SMALL)
    above, below = figure.subfigs
    upper, others = above.axes[:2], above.axes[2:]
    assert [axes.get_title() for axes in upper] == ["equally frequent", "power law, s = 1"]
    for axes, mean in [*((axes, 105) for axes in upper), *((axes, 0.55) for axes in others)]:
        first = axes.containers[0]
        assert [str(bars.get_label()) for bars in axes.containers] == [ORDINARY, "worth"]
        offered = [SMALL.offered(load) for load in SMALL.loads]
        np.testing.assert_allclose(first[0].get_xydata(), [(at, mean) for at in offered])
    # the black line: all that is offered at half the capacity, what fits at twice
    curve = np.asarray(upper[0].lines[-1].get_ydata())
    assert curve[0] == SMALL.offered(0.5)
    assert curve[-1] == pytest.approx(20_000 / BITS, rel=1e-3)
    left, right = below.axes
    assert left.get_ylabel() == "facts known"
    assert "4 times" not in right.get_title()


def test_unknown_presets_list_the_known(tmp_path):
    with pytest.raises(BadInput, match="no preset is called 'huge'; there are tiny, laptop"):
        selection_gain(tmp_path / "new", preset="huge")
    assert not (tmp_path / "new").exists()


def committed():
    with open(RESULTS / "selection_gain_table.csv") as file:
        return {
            (float(row["exponent"]), float(row["load"]), row["scheme"]): {
                name: float(value) for name, value in row.items() if name != "scheme"
            }
            for row in csv.DictReader(file)
        }


def test_the_committed_numbers_are_what_is_said_of_them():
    table = committed()
    assert {row["seeds"] for row in table.values()} == {5}
    for load in (2.0, 4.0):
        uniform = table[0.0, load, "loss_h"]
        assert uniform["times_ordinary"] >= 3
        assert uniform["known_ratio"] >= 0.93
        assert table[0.0, load, "worth"]["known_ratio"] >= 0.97
    for exponent in (0.8, 1.0, 1.5):
        for load in (1.5, 2.0, 4.0):
            ours, random = (table[exponent, load, name] for name in ("worth", "random"))
            assert ours["weighted_ratio"] >= 0.97
            assert ours["weighted_accuracy_least"] > random["weighted_accuracy_most"]
            lowest = ours["weighted_accuracy"] - ours["weighted_accuracy_half_width"]
            assert lowest > random["weighted_accuracy"] + random["weighted_accuracy_half_width"]
    for (exponent, load, _), row in table.items():
        if load <= 0.7:
            lost = table[exponent, load, ORDINARY]["weighted_accuracy"] - row["weighted_accuracy"]
            assert lost <= 0.002


def test_the_page_says_what_the_table_says():
    table = committed()
    with open(RESULTS / "selection_gain.csv") as file:
        runs = list(csv.DictReader(file))
    fits = float(next(row["most_known"] for row in runs if float(row["load"]) == 4))
    ordinary, lowest = (table[0.0, 4.0, name] for name in (ORDINARY, "loss_h"))
    skewed = {
        name: table[1.0, 4.0, name]["weighted_accuracy"]
        for name in (ORDINARY, "worth", "loss_h", "loss_hf")
    }
    most = next(
        float(row["weighted_bound"])
        for row in runs
        if (float(row["exponent"]), float(row["load"])) == (1.0, 4.0)
    )
    page = " ".join((RESULTS.parent / "results.md").read_text().split())
    for sentence in (
        f"Of {ordinary['facts']:,.0f} equally frequent facts, four times what fits, ordinary "
        f"training knows {ordinary['facts_known']:.0f}, training on those of lowest loss "
        f"{lowest['facts_known']:.0f}, the bound being {fits:.0f}",
        f"ordinary training answers {100 * skewed[ORDINARY]:.0f} % of the queries, `worth`, our "
        f"scheme, {100 * skewed['worth']:.0f} %, the bound being {100 * most:.0f} %. By the losses "
        f"alone it is {100 * max(skewed['loss_h'], skewed['loss_hf']):.0f} % there",
        f"({len(runs)} runs",
    ):
        assert sentence in page


@pytest.mark.parametrize("size", ["0.2M", "0.8M"])
def test_the_page_says_what_larger_models_gain(size):
    with open(RESULTS / f"selection_gain_{size}.csv") as file:
        runs = [row for row in csv.DictReader(file) if float(row["load"]) == 2]
    page = (RESULTS.parent / "selection.md").read_text()
    plan, schemes = PRESETS[size], (ORDINARY, "loss_h", "loss_hf", "worth")
    assert {row["scheme"] for row in runs} == {ORDINARY, *plan.pictured} == set(schemes)
    parameters, capacity = int(runs[0]["parameters"]), float(runs[0]["capacity_bits"])
    for exponent, name, column, digits in (
        (0, "uniform: facts known / bound", "known_ratio", 2),
        (1, "s = 1: weighted accuracy / bound", "weighted_ratio", 3),
    ):
        found = {
            row["scheme"]: float(row[column]) for row in runs if float(row["exponent"]) == exponent
        }
        first = f"{parameters:,} | {capacity / parameters:.2f} |" if exponent == 0 else "| |"
        cells = " | ".join(f"{found[scheme]:.{digits}f}" for scheme in schemes)
        assert f"| {first} {name} | {cells} |" in page


def test_presets_at_size_offer_twice_what_fits_and_draw_as_often_for_each_parameter():
    plans = [PRESETS[size] for size in ("0.2M", "0.8M", "3.2M", "gpt2-small")]
    for plan in plans:
        bits = plan.nominal_bits
        assert plan.offered(max(plan.loads)) * BITS == pytest.approx(2 * bits, rel=1e-4)
        assert plan.draws / (bits / plan.bits_per_parameter) == pytest.approx(28.5, rel=0.05)
        assert {point.scheme for point in points(plan) if point.load < 2} == {ORDINARY}
