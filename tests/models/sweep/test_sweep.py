import json
import math
from pathlib import Path

import numpy as np
import pytest

from factcap.models import Store, TrainConfig, read_run, results, run_specs, run_sweep
from factcap.models.sweep.engines.attempt import Report, attempt
from factcap.models.sweep.engines.engine import InProcess, Task, tasks_of
from factcap.models.sweep.sweep import ATTEMPTS
from factcap.models.sweep.watch import Watch, live
from factcap.synth import BadInput
from factcap.synth.disk.files import DamagedWarning, write_sealed

BITS = {"generator": "bitstrings", "facts": 20, "vocabulary": 16, "length": 6, "key_length": 3}


def small(runs, **training):
    base = {"facts": BITS, "model": {"width": 8, "depth": 1, "heads": 1}, "batch": 16}
    base |= {"exposures": 1, "fewest_steps": 200, "optimizer": "adamw"}
    return run_specs([{**base, "seed": seed, **training} for seed in range(runs)])


class Fake:
    """An engine that reports what it is told to, and makes no run."""

    def __init__(self, store, endings, capacity=2):
        self.store, self.endings, self.capacity = store, endings, capacity
        self.together, self.tasks, self.made, self.closed = 0, [], [], False

    def free(self):
        return self.capacity - len(self.tasks)

    def submit(self, task):
        assert self.free() > 0
        self.tasks.append(task)

    def wait(self, seconds):
        if not self.tasks:
            return []
        [spec] = self.tasks.pop(0).specs
        self.made.append(spec.id)
        ending = self.endings[spec.id].pop(0) if self.endings.get(spec.id) else "done"
        if ending == "done":
            folder = self.store.directory(spec.id)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "config.json").write_text(json.dumps(spec.config))
            write_sealed(folder / "outcome.json", {"files": {}})
        return [Report(spec.id, ending, f"it is {ending}", "a traceback", 7)]

    def close(self):
        self.closed = True


@pytest.fixture
def store(tmp_path):
    return Store.create(tmp_path / "store")


def swept(store, specs, endings, **options):
    engine = Fake(store, {run: list(ends) for run, ends in endings.items()})
    ended = run_sweep(specs, store, engine=lambda: engine, **options)
    assert engine.closed == bool(engine.made)
    return ended, engine


def test_what_breaks_is_tried_again_and_then_recorded(store):
    specs = small(4)
    endings = {specs[1].id: ["broken"], specs[2].id: ["broken"] * 9, specs[3].id: ["failed"]}
    ended, engine = swept(store, specs, endings)
    assert set(ended.done) == {specs[0].id, specs[1].id}
    assert ended.failed == {specs[2].id: "it is broken", specs[3].id: "it is failed"}
    tries = [engine.made.count(spec.id) for spec in specs]
    assert tries == [1, 2, ATTEMPTS, 1]
    failure = store.failure(specs[2].id)
    assert failure == {
        **{"reason": "it is broken", "traceback": "a traceback", "step": 7},
        "attempts": ATTEMPTS,
    }
    assert store.state(specs[2].id) == "failed"
    # what has failed is left alone, until one asks for it
    ended, engine = swept(store, specs, {})
    assert engine.made == []
    ended, engine = swept(store, specs, {}, retry_failed=True)
    assert sorted(engine.made) == sorted([specs[2].id, specs[3].id])
    assert len(ended.done) == 4


def test_a_run_that_comes_further_each_time_is_not_given_up(store):
    [spec] = small(1)
    engine = Fake(store, {spec.id: ["broken"] * 9})
    wait = engine.wait

    def further(seconds):
        folder = store.directory(spec.id) / "checkpoint"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{100 * len(engine.made)}.json").write_text("{}")
        return wait(seconds)

    engine.wait = further
    assert run_sweep([spec], store, engine=lambda: engine).failed == {}
    assert len(engine.made) == 10


def test_a_run_that_another_process_makes_is_waited_for(store):
    specs = small(2)
    ended, engine = swept(store, specs, {specs[0].id: ["busy", "busy"]})
    assert len(ended.done) == 2
    assert engine.made.count(specs[0].id) == 3


def test_a_disk_that_is_full_ends_the_sweep(store):
    specs = small(3)
    with pytest.raises(OSError, match="the sweep stops: it is fatal"):
        swept(store, specs, {specs[0].id: ["fatal"]})
    assert store.failure(specs[0].id) is None


def test_a_sweep_makes_what_is_missing_and_fills_the_table(store):
    specs = small(2)
    ended = run_sweep(specs[:1], store)
    ended = run_sweep(specs, store)
    assert ended.done == tuple(spec.id for spec in specs)
    rows = {row["run"]: row for row in results(store).to_pylist()}
    for spec in specs:
        config, measurement = read_run(store.directory(spec.id))
        assert config == spec.config
        row = rows[spec.id]
        assert row["accuracy"] == measurement.accuracy
        assert row["seed"] == spec.training.seed
        assert (row["generator"], row["facts_length"], row["model"]) == ("bitstrings", 6, "8x1x1")
        assert row["steps_made"] == 200
    assert store.planned() == {spec.id: spec.label() for spec in specs}
    found = live(store, specs[0].id)
    assert found is not None
    assert found.step == 200


def test_what_is_damaged_is_made_again(store):
    [spec] = small(1)
    run_sweep([spec], store)
    [row] = results(store).to_pylist()
    for name in ("outcome.json", "measurement.parquet", "config.json"):
        path = store.directory(spec.id) / name
        whole = path.read_bytes()
        path.write_bytes(whole.replace(b"8", b"9"))
        assert not store.is_whole(spec.id)
        with pytest.warns(DamagedWarning):
            assert run_sweep([spec], store).done == (spec.id,)
        assert store.is_whole(spec.id)
    steps = (store.directory(spec.id) / "attempts.jsonl").read_text().splitlines()
    assert [json.loads(step)["step"] for step in steps][:3] == [0, 200, 200]
    again = read_run(store.directory(spec.id))[1]
    assert again.accuracy == row["accuracy"]
    assert again.stored_bits == row["stored_bits"]


@pytest.mark.slow
def test_runs_together_are_runs_alone_but_for_rounding(tmp_path):
    specs = small(3)
    stores = [Store.create(tmp_path / name) for name in ("alone", "together")]
    tasks = tasks_of(specs, stores[1].root, 60.0, together=1)
    assert [len(task.specs) for task in tasks] == [3]
    assert len(tasks_of(specs, stores[1].root, 60.0, together=2)) == 2
    assert [r.ending for r in attempt(tasks[0].root, tasks[0].specs)] == ["done"] * 3
    run_sweep(specs, stores[0])
    for spec in specs:
        alone, together = (read_run(store.directory(spec.id))[1] for store in stores)
        assert np.ptp(alone.nll_bits) > 0.1
        # In one program sums are rounded otherwise, which grows with the steps.
        np.testing.assert_allclose(together.nll_bits, alone.nll_bits, rtol=1e-3, atol=0.01)


def test_runs_whose_facts_give_them_other_shapes_are_one_task_and_all_made(store):
    # The batch follows from how many facts there are.
    specs = [small(1, facts={**BITS, "facts": facts}, batch=0)[0] for facts in (20, 1000)]
    [task] = tasks_of(specs, store.root, 60.0, together=1)
    seen = []
    reports = attempt(task.root, task.specs, progress=lambda *step: seen.append(step[:2]))
    assert [(each.run, each.ending) for each in reports] == [(spec.id, "done") for spec in specs]
    assert seen == [(spec.id, done) for spec in specs for done in (100, 200)]


def test_a_run_that_diverges_is_recorded_with_its_step(store):
    [good] = small(1)
    [bad] = small(1, learning_rate=1e30)
    ended = run_sweep([bad, good], store)
    assert ended.done == (good.id,)
    assert "not finite at step" in ended.failed[bad.id]
    assert store.failure(bad.id)["step"] > 0


def test_facts_that_cannot_be_made_fail_alone(store):
    broken = small(1)[0]
    broken = type(broken)({**broken.facts, "facts": 10**9}, broken.model, TrainConfig())
    [report] = attempt(store.root, [broken])
    assert report.ending == "failed"
    assert report.reason.startswith("BadInput")


def test_a_task_whose_worker_died_is_lost():
    task = Task(Path("root"), tuple(small(2)), 60.0)
    assert [report.ending for report in task.lost("it died")] == ["broken", "broken"]
    assert InProcess().wait(0.0) == []


def test_watching_counts_shares(store):
    specs = small(2)
    run_sweep(specs[:1], store)
    watch = Watch(store, [spec.id for spec in specs], seconds=math.inf)
    assert watch.look()
    assert not watch.look()
    assert watch.finished == 1.0
    assert watch.live == {}


def test_a_store_does_not_take_what_is_not_its_own(tmp_path):
    (tmp_path / "runs").mkdir()
    with pytest.raises(BadInput, match=r"runs exists, and no store.json beside it"):
        Store.create(tmp_path)
    with pytest.raises(BadInput, match=r"is not a store: it has no store.json"):
        Store.open(tmp_path)
    (tmp_path / "store.json").write_text('{"format_version": 99}')
    with pytest.raises(BadInput, match="has format version 99, newer than"):
        Store.create(tmp_path)
    (tmp_path / "store.json").write_text("{")
    with pytest.raises(BadInput, match="is damaged"):
        Store.open(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="is a file"):
        Store.create(tmp_path / "file")
    assert {path.name for path in tmp_path.iterdir()} == {"runs", "store.json", "file"}
