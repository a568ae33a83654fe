import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest


def losses(path, **columns):
    made = {"id": np.arange(8), "loss": np.arange(8.0), "bits": np.full(8, 10.0)} | columns
    pq.write_table(pa.table({name: v for name, v in made.items() if v is not None}), path)
    return path


def test_select_writes_weights_and_a_report(call, tmp_path):
    path, out = losses(tmp_path / "l.parquet"), tmp_path / "w.parquet"
    words = ("select", path, "--scheme", "loss_h", "--budget-bits", 45)
    code, printed, err = call(*words, "--out", out)
    assert code == 0
    assert err == ""
    assert pq.read_table(out).to_pydict() == {"id": list(range(8)), "weight": [1.0] * 4 + [0.0] * 4}
    assert "kept                4 of 8 examples" in printed
    assert "<- cut at 3" in printed
    code, printed, _ = call(*words, "--out", tmp_path / "again", "--json")
    assert code == 0
    assert json.loads(printed)["kept_bits"] == 40


@pytest.mark.parametrize(
    ("columns", "words", "message"),
    [
        ({"loss": np.full(8, np.nan)}, [], "loss must be finite and >= 0; row 0 has nan"),
        ({"loss": np.full(8, np.inf)}, [], "loss must be finite and >= 0; row 0 has inf"),
        ({"loss": np.full(8, -1.0)}, [], "loss must be finite and >= 0; row 0 has -1"),
        ({"id": np.zeros(8, int)}, [], "the id 0 occurs twice, in rows 0 and 1"),
        ({"lost": np.zeros(8)}, [], "has the unknown column 'lost'"),
        ({"bits": None}, [], "give the entropy of an example as --bits-each"),
        ({}, ["--bits-each", "-1"], "--bits-each must be positive"),
        ({}, ["--budget-bits", "1000"], "above the 80 bits of all examples"),
        ({}, ["--budget-bits", "0"], "the budget must be positive"),
        ({}, ["--scheme", "best"], "no scheme is called 'best'; there are random"),
    ],
)
def test_bad_losses_get_one_line(call, tmp_path, columns, words, message):
    path = losses(tmp_path / "l.parquet", **columns)
    budget = [] if "--budget-bits" in words else ["--budget-bits", 30]
    code, printed, err = call("select", path, "--out", tmp_path / "w", *budget, *words)
    assert code == 2
    assert printed == ""
    assert err.count("\n") == 1
    assert message in err
    assert list(tmp_path.iterdir()) == [path]


def test_a_model_is_trained_on_what_it_can_hold(call, tmp_path):
    path, run = tmp_path / "facts.parquet", tmp_path / "run"
    assert call("generate", "phonebook", "--facts", 60, "--digits", 2, "--out", path)[0] == 0
    shape = ("--width", 8, "--depth", 1, "--heads", 1, "--exposures", 5)
    few = ("--select", "worth", "--budget-bits", 200)
    code, printed, _ = call("train", path, "--out", run, *shape, *few)
    assert code == 0
    # two digits are 6.64 bits; nine looks at 30 facts, a third of a draw each
    assert "selection           worth kept 30 facts, 199 bits; scoring cost 90 draws" in printed
    weights = pq.read_table(run / "weights.parquet").column("weight").to_numpy()
    assert (weights > 0).sum() == 30
    assert call("measure", run)[1] == printed
