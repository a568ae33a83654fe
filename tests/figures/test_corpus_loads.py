import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from factcap.figures.corpus.corpus_loads import (
    COLUMNS,
    PRESETS,
    TABLE_COLUMNS,
    Plan,
    corpus_loads,
    draw,
    make_table,
)
from factcap.figures.corpus.experiment import PRESETS as CORPUS_PRESETS
from factcap.synth import BadInput
from tests.synth.corpus.mini import write_folder

RESULTS = Path(__file__).parents[2] / "docs" / "results"

QUICK = Plan(
    times=(0.5, 1.0),
    corpus=replace(
        CORPUS_PRESETS["tiny"],
        facts=24,
        documents=72,
        draws=3200,
        batch=16,
        most_alike=30,
        first=0.1,
    ),
)


def pretended(facts, scheme, seed, known, stored):
    return {
        **{"facts": facts, "documents": 3 * facts, "scheme": scheme, "scored": "spans"},
        **{"seed": seed, "facts_known": known, "stored_bits": stored, "facts_kept": facts},
        **{"entropy_bits": 6.0 * facts, "known_ratio": known / 10},
    }


def test_the_load_is_over_the_most_that_ordinary_training_stores_of_any_corpus():
    rows = [
        pretended(facts, scheme, seed, 10 + seed, stored)
        for facts, stored in ((50, 200.0), (100, 300.0), (200, 250.0))
        for scheme in ("ordinary", "loss_h")
        for seed in (0, 2)
    ]
    # What selection stores is not what ordinary training does.
    rows[-1]["stored_bits"] = 1000.0
    table = make_table(rows)
    assert [row["load"] for row in table] == pytest.approx([1, 1, 2, 2, 4, 4])
    assert {row["seeds"] for row in table} == {2}
    assert table[1]["facts_known"] == 11
    assert (table[1]["least_ratio"], table[1]["most_ratio"]) == (1.0, 1.2)
    left, right = draw(rows).axes
    assert len(right.lines) > 1
    assert np.asarray(left.lines[1].get_ydata()) == pytest.approx([11, 11, 11])
    assert np.asarray(left.lines[0].get_xdata()) == pytest.approx([1, 2, 4])


def committed(name):
    with (RESULTS / f"{name}.csv").open() as file:
        for row in csv.DictReader(file):
            texts = {"scheme", "scored", "run"}
            numbers = {key: float(text) for key, text in row.items() if key not in texts}
            which = {"scheme": row["scheme"], "scored": row["scored"]}
            yield {**numbers, **which, "facts": int(row["facts"])}


@pytest.mark.parametrize(
    ("name", "corpus"),
    [
        ("corpus_loads", "ParaRel, PopQA"),
        ("corpus_loads_characters", "characters"),
        ("corpus_loads_made-up", "made-up people"),
    ],
)
def test_the_document_says_what_the_committed_runs_say(name, corpus):
    text, table = (RESULTS.parent / "corpus.md").read_text(), make_table(list(committed(name)))
    told = {(row["facts"], row["scheme"], row["scored"]): row for row in table}
    for number, facts in enumerate(sorted({row["facts"] for row in table})):
        ordinary = told[facts, "ordinary", "nothing"]
        ratios = [
            f"{told[facts, *which]['known_ratio']:.2f}" if (facts, *which) in told else "-"
            for which in (("loss_h", "spans"), ("worth", "spans"), ("loss_h", "documents"))
        ]
        said = " known" if name == "corpus_loads" and not number else ""
        known = f"{ordinary['facts_known']:.0f}{said}"
        cells = [f"{facts:,.0f}", f"{ordinary['load']:.1f}", known, *ratios]
        start = f"| {corpus} " if not number else "| "
        assert f"{start}| {' | '.join(cells)} |" in text


def test_without_stored_bits_there_is_no_load():
    rows = [pretended(50, scheme, 0, 0, 0.0) for scheme in ("ordinary", "loss_h")]
    with pytest.raises(BadInput, match="stored nothing of any corpus; give it more draws"):
        make_table(rows)


def test_facts_and_documents_are_multiplied_and_times_rise():
    plans = Plan(times=(0.3, 2.0)).corpora()
    assert [(plan.facts, plan.documents) for plan in plans] == [(300, 1200), (2000, 8000)]
    assert {plan.draws for plan in plans} == {160_000}
    with pytest.raises(BadInput, match="times must rise"):
        Plan(times=(2.0, 1.0))


@pytest.mark.slow
def test_corpora_of_several_sizes_are_trained_on(tmp_path, monkeypatch):
    monkeypatch.setitem(PRESETS, "quick", QUICK)
    data = write_folder(tmp_path / "data")
    rows = corpus_loads(tmp_path / "out", preset="quick", data=data)
    assert [row["facts"] for row in rows] == [12] * 3 + [24] * 3
    assert [row["known_ratio"] for row in rows[::3]] == [1.0, 1.0]
    assert all(set(row) == set(COLUMNS) for row in rows)
    with (tmp_path / "out" / "corpus_loads_table.csv").open() as file:
        table = list(csv.DictReader(file))
    assert tuple(table[0]) == TABLE_COLUMNS
    assert len(table) == 6
    assert (tmp_path / "out" / "corpus_loads.png").stat().st_size > 10_000
