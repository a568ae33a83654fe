import csv
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.collections import FillBetweenPolyCollection

from factcap.figures.equivalent.fact_sets import fact_problems
from factcap.figures.equivalent.picture import draw
from factcap.figures.equivalent.plan import BOTH, DATA, WORK
from factcap.figures.equivalent.table import (
    COLUMNS,
    KNOWN,
    WEIGHTED,
    by_size,
    lines,
    make_table,
    of_budget,
)
from factcap.figures.equivalent.theory import Asked
from factcap.figures.selection.experiment import ORDINARY

SIZES = (100, 400, 1600)
FACTS = 64
EQUAL = np.full(FACTS, 1 / FACTS)
PROBLEMS = {
    "uniform": {KNOWN: Asked(EQUAL, np.full(FACTS, 16.0))},
    "text": {
        KNOWN: Asked(EQUAL, np.full(FACTS, 16.0)),
        WEIGHTED: Asked(np.arange(1, FACTS + 1) / 2080, np.full(FACTS, 16.0)),
    },
}


def fake_rows():
    """Of 64 facts ordinary training knows 0, 16 and 64; with equal FLOP 0, 4 and 2."""
    rows = []
    for named in PROBLEMS:
        for seed in (0, 1):
            shared = {"set": named, "seed": seed, "scored": "", "use": "reported"}
            for place, size in enumerate(SIZES):
                for budget, known in ((DATA, (0, 16, 64)), (WORK, (0, 4, 2))):
                    if place == 0 and budget == WORK:
                        continue
                    rows.append(
                        {
                            **shared,
                            "scheme": ORDINARY,
                            "budget": budget if place else BOTH,
                            "parameters": size,
                            "facts_known": known[place],
                            "weighted_accuracy": known[place] / FACTS,
                            "stored_bits": (50.0, 150.0, 256.0)[place],
                            "flops": 1e6 * (size if budget == DATA else 100),
                        }
                    )
            # in one seed 8 facts, in the other 16: by the curve 200 and 400 parameters
            rows.append(
                {
                    **shared,
                    **{"scheme": "worth", "budget": BOTH, "parameters": 100, "flops": 0.5e8},
                    **{"facts_known": 8 * (seed + 1), "weighted_accuracy": (seed + 1) / 8},
                    **{"stored_bits": 64.0},
                }
            )
    # what was tuned is not counted
    return [*rows, {**rows[-1], "use": "tuning", "facts_known": 64, "seed": 9}]


def test_each_set_budget_and_count_has_its_size():
    table = make_table(fake_rows(), PROBLEMS)
    assert [(row["set"], row["equal"], row["counted"]) for row in table] == [
        *(("uniform", DATA, KNOWN), ("uniform", WORK, KNOWN)),
        *(("text", DATA, KNOWN), ("text", DATA, WEIGHTED)),
        *(("text", WORK, KNOWN), ("text", WORK, WEIGHTED)),
    ]
    for row in table:
        assert tuple(row) == COLUMNS
        assert row["seeds"] == 2
        if row["equal"] == WORK:
            assert row["said"] == "more than 16.0"
            assert (row["flop_times"], row["fit_times"]) == (math.inf, None)
            continue
        # between the two sizes of 2 and 4 times the smallest
        assert row["times"] == pytest.approx(math.sqrt(8))
        assert row["times_low"] < 2 < 4 < row["times_high"]
        # work grows as the size; the small one with selection has half of the work
        assert row["flop_times"] == pytest.approx(2 * math.sqrt(8))
        # 256 bits, at most 0.5 bits a parameter, of the smallest
        assert row["fit_times"] == pytest.approx(256 / 0.5 / 100)
    # 12 of 64 facts need 64 (4 - log2(64 / 12)) bits if they are spread evenly
    bits = FACTS * (4 - math.log2(FACTS / 12))
    at = math.exp(np.interp(bits, (50, 150, 256), np.log(SIZES)))
    assert table[0]["most_times"] == pytest.approx(at / 100)


def test_rows_are_chosen_by_budget_and_laid_out_by_seed():
    rows = [row for row in fake_rows() if row["set"] == "uniform"]
    sizes, known_RxS = by_size(of_budget(rows, WORK), KNOWN)
    assert sizes == list(SIZES)
    assert known_RxS.tolist() == [[0, 4, 2], [0, 4, 2]]


def test_the_page_has_a_line_a_row():
    table = make_table(fake_rows(), PROBLEMS)
    found = list(lines(table))
    assert len(found) == len(table) + 2
    assert found[3] == "| uniform | FLOP | facts known | `worth` | 12 | more than 16.0 | 2.0 |"
    assert {line.count("|") for line in found} == {8}


def test_a_panel_for_each_set_count_and_budget():
    # each set has its own number of seeds
    rows = [row for row in fake_rows() if row["set"] == "uniform" or row["seed"] == 0]
    figure = draw(rows, make_table(rows, PROBLEMS), PROBLEMS)
    assert [axes.get_title() for axes in figure.axes] == [
        *("uniform, equal data, 2 seeds", "uniform, equal FLOP, 2 seeds"),
        *("text, equal data, one seed", "text, equal FLOP, one seed") * 2,
    ]
    first = figure.axes[0]
    np.testing.assert_allclose(
        first.containers[0][0].get_xydata(), [(100, 0), (400, 16), (1600, 64)]
    )
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels[1:] == ["worth", "all facts fit", "ordinary training"]
    # the band lies between what the bits allow, spread evenly and in whole facts
    (band,) = first.collections[:1]
    low, high = band.get_paths()[0].get_extents().intervaly
    assert low >= 0
    assert high <= FACTS
    # without the facts of a set, its panels lack the band alone
    some = draw(rows, make_table(rows, PROBLEMS), {"uniform": PROBLEMS["uniform"]})
    for now, before in zip(some.axes, figure.axes, strict=True):
        bands = [len(axes.findobj(FillBetweenPolyCollection)) for axes in (now, before)]
        assert bands == [now.get_title().startswith("uniform"), 1]


def test_what_is_counted_of_a_fact_set_follows_from_its_rows():
    shared = {"facts": 4, "entropy_bits": 12.0}
    rows = [
        {"set": "uniform", "load": 2.0, "exponent": 0.0, **shared},
        {"set": "s = 1", "load": 2.0, "exponent": 1.0, **shared},
        {"set": "text", "load": 0.0, "exponent": 0.0, **shared},
    ]
    found = fact_problems(rows)
    assert {named: tuple(asked) for named, asked in found.items()} == {
        "uniform": (KNOWN,),
        "s = 1": (KNOWN, WEIGHTED),
    }
    np.testing.assert_allclose(found["s = 1"][WEIGHTED].weights, np.array([12, 6, 4, 3]) / 25)
    np.testing.assert_allclose(found["s = 1"][KNOWN].weights, 1 / 4)
    np.testing.assert_allclose(found["uniform"][KNOWN].choices, 8)


def test_the_page_says_what_the_committed_runs_say():
    results = Path(__file__).parents[3] / "docs" / "results"
    words = ("set", "equal", "counted", "scheme", "scored", "said")
    with open(results / "equivalent_size_table.csv") as file:
        table: list[dict[str, Any]] = [
            {name: text if name in words else float(text or "nan") for name, text in row.items()}
            for row in csv.DictReader(file)
        ]
    page = (results.parent / "selection.md").read_text()
    assert "\n".join(lines(table)) in page
    with open(results / "equivalent_size.csv") as file:
        rows = list(csv.DictReader(file))
    for equal in (DATA, WORK):
        uniform = [r for r in rows if r["set"].startswith("uniform") and r["use"] == "reported"]
        some = [
            {"seed": r["seed"], "parameters": int(r["parameters"]), KNOWN: r[KNOWN]}
            for r in of_budget(uniform, equal)
        ]
        mean = by_size(some, KNOWN)[1].mean(axis=0)
        known = [f"{number:,.0f}" for number in mean]
        assert f"{', '.join(known[:-1])} and {known[-1]}" in " ".join(page.split())
    # with equal data the sizes that know as much are bracketed, and smaller than theory allows
    measured = [row for row in table if row["equal"] == DATA and row["set"].startswith("uniform")]
    assert all(1 < row["times_low"] <= row["times"] < row["most_times"] < 4.3 for row in measured)
    [worth] = [row for row in measured if row["scheme"] == "worth"]
    sentence = f"a model of {worth['times']:.1f} times the size knows as many as the small one"
    assert sentence in " ".join(page.split())
    readme = " ".join((results.parents[1] / "README.md").read_text().split())
    assert f"an ordinary model of {worth['times']:.1f} times its size]" in readme
