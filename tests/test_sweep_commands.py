import csv
import io
import json
import os
import sys

import pytest

from factcap.models import Store, run_specs
from factcap.models.sweep.file import configurations
from tests.faults.sweeps import write_sweep
from tests.models.sweep.test_table import finished

RUN = '{"facts": {"generator": "phonebook", "facts": 10}, "model": "8k"'


def test_a_dry_run_lists_and_writes_nothing(call, tmp_path):
    file = write_sweep(tmp_path / "sweep.py", 6)
    code, out, err = call("sweep", file, "--dry-run", "--out", tmp_path / "store")
    assert (code, err) == (0, "")
    specs = run_specs(configurations(file))
    lines = out.splitlines()
    assert [line.split()[0] for line in lines[1:-1]] == [spec.id for spec in specs]
    assert lines[-1].startswith("6 runs, 6 of them to make: at most")
    assert [path.name for path in tmp_path.iterdir()] == ["sweep.py"]


def test_a_sweep_is_made_listed_and_looked_at(call, tmp_path):
    file, root = write_sweep(tmp_path / "sweep.py", 2, steps=200), tmp_path / "store"
    code, out, err = call("sweep", file, "--out", root, "--workers", 1)
    assert code == 0, err
    assert out == f"2 runs done, 0 failed; {root}\n"
    code, out, _ = call("status", root)
    assert out == "0 done, 2 capped, 0 running, 0 failed, 0 waiting\n" or out.startswith("2 done")
    code, out, _ = call("results", root, "--where", "facts == 20", "--json")
    [row] = json.loads(out)
    assert (row["facts"], row["steps_made"]) == (20, 200)
    code, out, _ = call("sweep", file, "--dry-run", "--out", root)
    assert out.splitlines()[-1].startswith("2 runs, 0 of them to make")


def test_results_and_status_of_what_is_there(call, tmp_path):
    store = Store.create(tmp_path / "store")
    specs = finished(store, 4)
    store.plan("a sweep", {"f" * 16: "one more", specs[0].id: "known"})
    store.fail("e" * 16, {"reason": "it broke", "traceback": "", "step": None, "attempts": 3})
    code, out, _ = call("status", store.root)
    assert code == 0
    assert out.splitlines()[0] == "2 done, 2 capped, 0 running, 1 failed, 1 waiting"
    assert out.splitlines()[1].split() == ["failed", "e" * 16, "it", "broke"]
    states = json.loads(call("status", store.root, "--json")[1])
    assert states["waiting"] == ["f" * 16]
    table = call("results", store.root)[1]
    assert table.splitlines()[-1] == "4 runs"
    rows = list(csv.DictReader(io.StringIO(call("results", store.root, "--csv")[1])))
    assert sorted(row["run"] for row in rows) == sorted(spec.id for spec in specs)


@pytest.mark.parametrize(
    ("text", "words", "message"),
    [
        ("runs = [", [], "sweep.py, line 1: '[' was never closed"),
        ("runs = 3", [], "sweep.py: 'int' object is not iterable (TypeError)"),
        (f"runs = [{RUN}, 'batches': 3}}]", [], "configuration 0: a configuration has no batches"),
        (f"runs = [{RUN}}}, {RUN}, 'batch': -1}}]", [], "configuration 1: batch must be positive"),
        (
            "runs = [{'facts': {'generator': 'phonebook', 'facts': 0}}]",
            [],
            "configuration 0: facts must be a whole number of at least 1, not 0",
        ),
        (f"runs = [{RUN}}}]", ["--workers", "-1"], "workers must be positive"),
        (f"runs = [{RUN}}}]", ["--checkpoint-seconds", "-1"], "checkpoint_seconds must be"),
        (f"runs = [{RUN}}}]", ["--address", "auto"], "an address is one of the engine ray"),
        (f"runs = [{RUN}}}]", ["--engine", "slurm"], "slurm"),
        (f"runs = [{RUN}}}]", ["--track", "wandb"], "the tracker wandb is not installed"),
    ],
)
def test_bad_sweeps_get_one_line_and_change_nothing(
    call, tmp_path, monkeypatch, text, words, message
):
    monkeypatch.setitem(sys.modules, "wandb", None)
    file = tmp_path / "sweep.py"
    file.write_text(text)
    code, out, err = call("sweep", file, "--out", tmp_path / "store", *words)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert message in err
    assert [path.name for path in tmp_path.iterdir()] == ["sweep.py"]


def test_a_folder_that_cannot_be_written_is_one_line(call, tmp_path, monkeypatch):
    file = tmp_path / "sweep.py"
    file.write_text(f"runs = [{RUN}}}]")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    code, _, err = call("sweep", file, "--out", tmp_path / "store")
    assert code == 2
    assert "cannot be written by this user" in err
    assert not (tmp_path / "store").exists()


def test_a_wrong_store_or_condition_is_one_line(call, tmp_path):
    for words in (("results", tmp_path), ("status", tmp_path)):
        code, _, err = call(*words)
        assert code == 2
        assert err.endswith("is not a store: it has no store.json\n")
    store = Store.create(tmp_path / "store")
    finished(store, 1)
    code, _, err = call("results", store.root, "--where", "fact > 3")
    assert code == 2
    assert "no column is called 'fact'" in err
    (store.root / "store.json").write_text('{"format_version": 2}')
    code, _, err = call("status", store.root)
    assert code == 2
    assert "has format version 2, newer than 1" in err
