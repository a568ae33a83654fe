import contextlib
import os
import signal
import time

import numpy as np
import psutil
import pytest

from factcap.models import Store
from tests.faults.sweeps import attempts, finish, numbers, start, write_sweep


def kill_at_random(file, store, cache, rng, kills, longest):
    """Start a sweep again and again, and kill it, or one of its workers, at random moments."""
    words = ("sweep", file, "--out", store, "--checkpoint-seconds", 0.1, "--retry-failed")
    done = 0
    while done < kills:
        process = start(*words, cache=cache)
        try:
            until = time.monotonic() + rng.uniform(0.0, longest)
            while time.monotonic() < until and process.poll() is None:
                time.sleep(0.02)
            if process.poll() is not None:
                return done
            workers = [
                child
                for child in psutil.Process(process.pid).children()
                if "spawn_main" in " ".join(child.cmdline())
            ]
            if workers and rng.random() < 0.5:
                workers[rng.integers(len(workers))].kill()
                done += 1
                time.sleep(rng.uniform(0.0, 0.5))
        finally:
            if process.poll() is None:
                done += 1
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    return done


def check_kills(file, rows, store, cache, kills, longest, seed):
    rng = np.random.default_rng(seed)
    made = kill_at_random(file, store, cache, rng, kills, longest)
    words = ("sweep", file, "--out", store, "--retry-failed")
    code, _, err = finish(start(*words, cache=cache))
    assert code == 0, err
    assert numbers(store) == rows
    assert sorted(attempts(store)) == [row["run"] for row in rows] == Store(store).runs()
    return made


def test_a_killed_sweep_goes_on_to_the_same_numbers(tmp_path, undisturbed, cache):
    file, rows = undisturbed
    assert check_kills(file, rows, tmp_path / "store", cache, kills=3, longest=8.0, seed=0) >= 2


@pytest.mark.slow
def test_fifty_kills_of_forty_runs(tmp_path, cache):
    file = write_sweep(tmp_path / "sweep.py", 40, steps=2000)
    code, _, err = finish(start("sweep", file, "--out", tmp_path / "whole", cache=cache))
    assert code == 0, err
    rows, made, trial = numbers(tmp_path / "whole"), 0, 0
    assert len(rows) == 40
    while made < 50:
        trial += 1
        store = tmp_path / f"store {trial}"
        made += check_kills(file, rows, store, cache, kills=50 - made, longest=12.0, seed=trial)


@pytest.mark.slow
def test_a_worker_that_dies_is_replaced_and_its_run_goes_on(tmp_path, undisturbed, cache):
    file, rows = undisturbed
    process = start(
        "sweep", file, "--out", tmp_path / "store", "--checkpoint-seconds", 0, cache=cache
    )
    while not list(tmp_path.glob("store/runs/*/checkpoint/*.json")):
        assert process.poll() is None
        time.sleep(0.02)
    for child in psutil.Process(process.pid).children():
        if "spawn_main" in " ".join(child.cmdline()):
            child.kill()
    code, _, err = finish(process)
    assert code == 0, err
    assert numbers(tmp_path / "store") == rows
    assert max(map(len, attempts(tmp_path / "store").values())) == 2


def test_two_sweeps_on_one_store_make_each_run_once(tmp_path, undisturbed, cache):
    file, rows = undisturbed
    both = [start("sweep", file, "--out", tmp_path / "store", cache=cache) for _ in range(2)]
    for process in both:
        code, out, err = finish(process)
        assert code == 0, err
        assert out.startswith("8 runs done, 0 failed")
    assert numbers(tmp_path / "store") == rows
    assert attempts(tmp_path / "store") == {row["run"]: [0] for row in rows}
