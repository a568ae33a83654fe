import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from factcap.figures.lost.answered import MEASURES, of_answers
from factcap.figures.lost.on_text import TEXT_MEASURES
from factcap.figures.lost.picture import draw
from factcap.figures.lost.table import COLUMNS, lines, make_table
from factcap.figures.selection.experiment import ORDINARY
from factcap.models import Measurement
from factcap.models.runs.answers import Answers

ROOT = Path(__file__).parents[3]
OTHER_TEXT = ("other_text_loss", "new_template_text_loss")
SHARES = ("0", "0.01", "0.03", "0.1")
RIGHT = np.array([True, True, False, True, False, False])
SURE = np.array([0.9, 0.7, 0.6, 0.4, 0.95, 0.2], np.float32)
KEPT = np.array([True, True, True, False, False, False])


def answers():
    nll, entropy = np.arange(6, dtype=np.float32), np.full(6, 4.0)
    return Answers(Measurement(nll, RIGHT, entropy, np.full(6, 1 / 6), 100), RIGHT, SURE)


def test_kept_and_dropped_facts_are_told_apart():
    found = of_answers(answers(), KEPT, np.array([0.0, 0, 0, 1, 0, 0]))
    assert tuple(found) == MEASURES
    assert found["known_kept"] == pytest.approx(2 / 3)
    assert found["known_dropped"] == found["guess_dropped"] == pytest.approx(1 / 3)
    assert (found["loss_kept"], found["loss_dropped"]) == (1, 4)
    assert found["entropy_dropped"] == 4
    assert (found["sure_kept"], found["very_sure_kept"]) == (1, 0)
    assert (found["sure_dropped"], found["very_sure_dropped"]) == (0.5, 0.5)


def test_what_is_not_there_has_no_number():
    found = of_answers(answers(), np.ones(6, bool), np.zeros(6))
    assert [name for name in MEASURES if found[name] is None] == [
        *("known_dropped", "guess_dropped", "loss_dropped", "entropy_dropped"),
        *("sure_dropped", "very_sure_dropped"),
    ]
    right = of_answers(answers(), RIGHT, np.zeros(6))
    assert (right["known_kept"], right["sure_kept"]) == (1, None)


def rows():
    numbers = of_answers(answers(), KEPT, np.zeros(6))
    made = []
    for named, scored, text in (("uniform", "", None), ("text", "documents", 2.5)):
        for trained in (ORDINARY, "selected"):
            for seed in (0, 1):
                which = {"set": named, "scheme": "loss_h", "scored": scored, "trained": trained}
                row = {**which, "seed": seed, "dropped": 3 + 2 * seed, **numbers}
                made.append({**row, **dict.fromkeys(TEXT_MEASURES, text)})
    made[-1]["other_text_loss"] = None
    return made


def test_the_table_has_means_and_half_widths():
    table = make_table(rows())
    assert len(table) == 4
    for row in table:
        assert tuple(row) == COLUMNS
        assert row["seeds"] == 2
        assert row["dropped"] == 4
        assert row["dropped_half_width"] == pytest.approx(12.706, abs=1e-3)
        assert row["calibration_error_half_width"] == 0
    assert table[0]["other_text_loss"] is None
    # the mean of those seeds that have one
    assert table[3]["other_text_loss"] == 2.5


def test_pages_have_a_line_a_row():
    table = make_table(rows())
    found, text = list(lines(table)), list(lines(table, text=True))
    assert (len(found), len(text)) == (2 + 4, 2 + 2)
    assert found[2].startswith("| uniform | `loss_h` | ordinary | 67 % | 33 % | 0 % |")
    assert text[2].startswith("| text | `loss_h`, unmarked documents | ordinary | 2.50 | 2.50 |")
    for some in (found, text):
        assert len({line.count("|") for line in some}) == 1


def test_a_panel_a_number_and_a_mark_for_each_training():
    table = make_table(rows())
    figure = draw(table)
    assert len(figure.axes) == 4
    for axes in figure.axes:
        assert [str(bars.get_label()) for bars in axes.containers] == [
            *("ordinary training", "with selection"),
        ]
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == [
        *("uniform: loss_h", "text: loss_h, unmarked documents"),
    ]
    # without text there is no panel of text
    assert len(draw(table[:2]).axes) == 3


def test_the_page_says_what_the_committed_runs_say():
    results = ROOT / "docs" / "results"
    words = ("set", "scheme", "scored", "trained")
    with open(results / "what_is_lost_table.csv") as file:
        table: list[dict[str, Any]] = [
            {
                name: text if name in words else float(text) if text else None
                for name, text in row.items()
            }
            for row in csv.DictReader(file)
        ]
    page = (results.parent / "selection.md").read_text()
    assert "\n".join(lines(table)) in page
    chosen = [row for row in table if row["trained"] == "selected"]
    for column, times, form in (
        ("sure_dropped", 100, "{:.0f} to {:.0f} %"),
        ("loss_dropped", 1, "{:.0f} to {:.0f} bits"),
    ):
        values = [times * row[column] for row in chosen]
        assert form.format(min(values), max(values)) in " ".join(page.split())


def test_the_page_says_what_a_share_of_the_draws_for_what_was_dropped_costs():
    results = ROOT / "docs" / "results"
    with open(results / "what_is_lost_rest_table.csv") as file:
        rows = list(csv.DictReader(file))
    page = (ROOT / "docs" / "selection.md").read_text()

    def cells(rest, trained):
        for facts_of, facts in (("uniform, load 4", 3750), ("s = 1, load 4", 3750), ("text", 1000)):
            [row] = [
                row
                for row in rows
                if (row["rest"], row["set"], row["trained"]) == (rest, facts_of, trained)
            ]
            dropped = float(row["dropped"])
            kept = float(row["known_kept"]) * (facts - dropped)
            yield f"{kept + float(row['known_dropped']) * dropped:.0f}"
            yield f"{100 - 100 * float(row['sure_dropped']):.0f} %"
        yield from (f"{float(row[name]):.1f}" for name in OTHER_TEXT)

    for rest, trained in (*((share, "selected") for share in SHARES), ("0", "ordinary")):
        name = rest if trained == "selected" else "ordinary training"
        assert f"| {' | '.join([name, *cells(rest, trained)])} |" in page
