import json

import pytest

from factcap.models import Store, read_outcome, results, run_specs
from factcap.models.sweep.store.table import result_row
from factcap.models.sweep.watch import live
from factcap.synth.disk.files import DamagedWarning, write_sealed
from factcap.synth.disk.lock import Busy, DirectoryLock, is_locked


def finished(store, number, **outcome):
    """A store that says that some runs were made."""
    base = {"facts": {"generator": "phonebook", "facts": 10}, "model": "8k", "batch": 16}
    specs = run_specs([{**base, "seed": seed} for seed in range(number)])
    for seed, spec in enumerate(specs):
        folder = store.directory(spec.id)
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(json.dumps(spec.config))
        entry = {
            **{"steps": 100, "exposures": 160.0, "capped": seed % 2 == 1, "files": {}},
            **{"training": spec.config["training"], "ledger": {"run_seconds": 1.5}},
            "summary": {"facts": 10, "accuracy": seed / number},
        }
        write_sealed(folder / "outcome.json", entry | outcome)
    return specs


@pytest.fixture
def store(tmp_path):
    return Store.create(tmp_path / "store")


def test_the_table_follows_the_runs(store):
    specs = finished(store, 3)
    table = results(store)
    assert table.column("run").to_pylist() == sorted(spec.id for spec in specs)
    kept = (store.root / "results.parquet").stat().st_mtime_ns
    assert results(store).equals(table)
    assert (store.root / "results.parquet").stat().st_mtime_ns == kept
    # a run of another kind has other columns
    other = run_specs([{"facts": {"generator": "tuples", "people": 5}, "model": "8k"}])[0]
    source = store.directory(specs[0].id)
    folder = store.directory(other.id)
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(other.config))
    (folder / "outcome.json").write_bytes((source / "outcome.json").read_bytes())
    rows = {row["run"]: row for row in results(store).to_pylist()}
    assert rows[other.id]["facts_people"] == 5
    assert rows[specs[0].id]["facts_people"] is None
    (source / "outcome.json").unlink()
    assert results(store).num_rows == 3


def test_a_damaged_run_has_no_row(store):
    first, second = finished(store, 2)
    path = store.directory(first.id) / "outcome.json"
    path.write_text(path.read_text().replace("160.0", "161.0"))
    with pytest.warns(DamagedWarning, match=r"outcome.json is damaged"):
        assert results(store).column("run").to_pylist() == [second.id]
    # nor a run that was moved
    path.unlink()
    store.directory(second.id).rename(store.directory("0" * 16))
    with pytest.warns(DamagedWarning, match=f"holds the run {second.id}"):
        assert results(store).num_rows == 0


def test_only_runs_that_the_table_lacks_are_read(store, monkeypatch):
    read = []

    def counted(store, run):
        read.append(run)
        return result_row(store, run)

    monkeypatch.setattr("factcap.models.sweep.store.table.result_row", counted)
    runs = sorted(spec.id for spec in finished(store, 23))
    late = [store.directory(run) / "outcome.json" for run in runs[20:]]
    for path in late:
        path.rename(path.with_name("later"))
    whole = results(store)
    assert read == runs[:20]
    assert results(store).equals(whole)
    assert len(read) == 20
    for path in late:
        path.with_name("later").rename(path)
    assert results(store).num_rows == 23
    assert read == runs


def test_a_lock_is_held_once_and_let_go(tmp_path):
    lock = DirectoryLock(tmp_path)
    assert is_locked(tmp_path)
    with pytest.raises(Busy, match="another process is at work"):
        DirectoryLock(tmp_path)
    lock.release()
    assert not is_locked(tmp_path)
    assert not is_locked(tmp_path / "absent")
    DirectoryLock(tmp_path).release()


def test_metrics_are_read_as_they_are_written(store):
    [spec] = run_specs([{"facts": {"generator": "phonebook", "facts": 10}}])
    folder = store.directory(spec.id)
    folder.mkdir()
    assert live(store, spec.id) is None
    lines = [
        {"step": 100 * n, "steps": 1000, "loss_bits_per_token": 3.0 / n, "seconds": 0.5 * n}
        for n in range(1, 60)
    ]
    lines[57]["stored_bits"] = 12.0
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "metrics.jsonl").write_text(text + '{"step": 60')
    found = live(store, spec.id)
    assert found is not None
    assert (found.step, found.stored_bits, found.seconds) == (5900, 12.0, 29.5)
    assert found.share == 5.9
    assert read_outcome(store.directory(finished(store, 1)[0].id))["steps"] == 100
