import csv

import pytest

from benchmarks.select_in_pytorch import main, table
from factcap.figures.selection.experiment import ORDINARY


def found(load, training, known):
    cost = {"facts_kept": 9, "draws": 640, "scoring_draws": 3.0, "parameters": 100}
    numbers = {"facts_known": known, "stored_bits": 2.0 * known, **cost}
    return {"load": load, "facts": 40, "training": training, **numbers}


def test_the_table_has_means_intervals_and_ratios():
    results = [
        *(found(2.0, ORDINARY, known) for known in (1, 2, 3)),
        *(found(2.0, "loss_h", known) for known in (11, 12, 13)),
        found(4.0, ORDINARY, 0),
        found(4.0, "loss_h", 7),
    ]
    ordinary, selected, none, some = table(results)
    assert (ordinary["facts_known"], selected["facts_known"]) == (2, 12)
    # 4.303 / sqrt 3
    assert selected["facts_known_half_width"] == pytest.approx(2.484, abs=1e-3)
    assert selected["stored_bits_half_width"] == pytest.approx(4.968, abs=1e-3)
    assert (ordinary["times_ordinary"], selected["times_ordinary"]) == (1, 6)
    assert (some["times_ordinary"], none["seeds"], selected["seeds"]) == (float("inf"), 1, 3)


def test_a_small_training_is_compared(tmp_path, capsys):
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    out = tmp_path / "out.csv"
    words = "--loads 0.05 --seeds 90 --draws 12800 --width 8 --out"
    assert main([*words.split(), str(out)]) == 0
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [row["training"] for row in rows] == [ORDINARY, "loss_h"]
    assert int(float(rows[0]["draws"])) == 12800
    assert float(rows[1]["draws"]) + float(rows[1]["scoring_draws"]) <= 12800
    assert "| 0.05 | 65 | loss_h |" in capsys.readouterr().out


def test_a_scheme_that_there_is_not_is_refused(capsys):
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    assert main(["--scheme", "best", "--loads", "0.01", "--draws", "256", "--width", "8"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith("error: no scheme is called 'best'")
