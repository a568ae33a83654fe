import csv
from dataclasses import replace

import pytest

from factcap.figures.lost.plan import PRESETS
from factcap.figures.lost.table import COLUMNS as TABLE_COLUMNS
from factcap.figures.lost.what_is_lost import COLUMNS, what_is_lost
from factcap.figures.selection.experiment import ORDINARY
from factcap.synth import BadInput
from tests.synth.corpus.mini import write_folder

TINY = PRESETS["tiny"]


def test_a_corpus_that_tells_all_facts_is_refused_before_anything_is_written(tmp_path):
    data = write_folder(tmp_path / "data")
    changes = ["text.facts=52", "text.most_alike=none", "text.longest=99"]
    with pytest.raises(BadInput, match="no fact is left beside the 52 that are told"):
        what_is_lost(tmp_path / "new", preset="tiny", changes=changes, data=data)
    assert not (tmp_path / "new").exists()


@pytest.mark.slow
def test_ordinary_and_selected_are_asked_for_the_same(tmp_path, monkeypatch):
    text = replace(TINY.text, facts=40, documents=160, most_alike=None)
    monkeypatch.setitem(PRESETS, "quick", replace(TINY, load=2.0, text=text))
    data, out = write_folder(tmp_path / "data"), tmp_path / "out"
    rows = what_is_lost(out, preset="quick", data=data)
    assert [(row["set"], row["trained"]) for row in rows] == [
        *(("uniform, load 2", ORDINARY), ("uniform, load 2", "selected")),
        *(("text", ORDINARY), ("text", "selected")),
    ]
    for ordinary, selected in (rows[:2], rows[2:]):
        assert set(ordinary) <= set(COLUMNS)
        for name in ("dropped", "guess_dropped", "entropy_dropped", "facts"):
            assert ordinary[name] == selected[name]
        for row in (ordinary, selected):
            assert 0 <= row["calibration_error"] <= 1
            if row["dropped"] == 0:
                assert row["known_dropped"] is None
            else:
                assert row["known_dropped"] <= 0.5
                assert (row["very_sure_dropped"] or 0) <= (row["sure_dropped"] or 0)
    selected = rows[1]
    assert 0 < selected["dropped"] < selected["facts"]
    assert selected["loss_kept"] < selected["loss_dropped"]
    for row in rows[2:]:
        # some eight bits a token at first, with a vocabulary of 161
        assert 0 < row["other_text_loss"] < 8
        assert row["other_text_loss"] < row["new_template_text_loss"]
        assert 0 <= row["new_template_known"] <= 1
    with open(out / "what_is_lost_table.csv") as file:
        table = list(csv.DictReader(file))
    assert tuple(table[0]) == TABLE_COLUMNS
    assert len(table) == 4
    before = {path: path.stat().st_mtime_ns for path in out.glob("runs/*/outcome.json")}
    assert len(before) == 4
    assert what_is_lost(out, preset="quick", data=data) == rows
    assert {path: path.stat().st_mtime_ns for path in before} == before
