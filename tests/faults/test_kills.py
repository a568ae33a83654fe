import os
import signal
from dataclasses import replace

import numpy as np
import pytest

from factcap.models import Store
from tests.faults.killable import EVENTS, Act, Moment, write_moments
from tests.faults.sweeps import attempts, end, finish, numbers, start, write_sweep

RUN = r"store/runs/\w+"
SAVED = rf"{RUN}/checkpoint"
# Moments of a sweep of one worker, in their order, and the step from which the first run has begun
# or gone on by then.
MOMENTS = [
    (Moment("mkdir", r"store$", "kill all"), []),  # nothing is there
    (Moment("rename", r"store/plans/\w+\.json$", "kill all"), []),  # the plan is being written
    (Moment("mkdir", rf"{RUN}$", "kill all"), []),  # no run is claimed
    (Moment("write", rf"{RUN}/attempts", "kill all"), []),  # one is, and has not begun
    (Moment("write", rf"{SAVED}/100\.orbax.*/_METADATA", "kill all"), [0]),  # a state, in its midst
    (Moment("write", rf"{SAVED}/100\.json", "kill all"), [0, 0]),  # a state without its proof
    # Its successors are there; the first to be removed is the one whose proof was not written.
    (Moment("remove", rf"{SAVED}/100\.json", "kill all", skip=1), [0, 0, 0]),
    (Moment("rename", rf"{RUN}/measurement\.parquet$", "kill all"), [0, 0, 0, 300]),
    (Moment("write", rf"{RUN}/outcome", "kill all"), [0, 0, 0, 300, 300]),  # a measurement alone
    # Of the second run, which does not begin before the first has ended; its worker ends too.
    (Moment("write", rf"{RUN}/metrics", "kill parent"), [0, 0, 0, 300, 300, 300]),
    (Moment("rename", r"store/results\.parquet$", "kill all"), [0, 0, 0, 300, 300, 300]),
]
# Moments at which a run loses its worker, and the steps from which it then has begun or gone on.
LOSSES = [
    (Moment("rename", r"config\.json$", "kill"), [0]),  # it is being claimed
    (Moment("write", r"metrics", "kill"), [0, 0]),  # 100 steps, of which nothing is written
    (Moment("rename", r"checkpoint/100$", "kill"), [0, 0]),  # all of a state but its name
    (Moment("rename", r"checkpoint/200\.json$", "kill"), [0, 100]),
    (Moment("rename", r"outcome\.json$", "kill"), [0, 300]),
]


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def lines_of(process, count):
    """The numbers of the processes that its first lines name."""
    lines = [process.stdout.readline() for _ in range(count)]
    assert all(lines), finish(process)
    return [int(line.split()[1]) for line in lines]


@pytest.mark.slow
def test_a_killed_sweep_goes_on_to_the_same_numbers(tmp_path, undisturbed, cache):
    file, rows = undisturbed
    store = tmp_path / "store"
    words = ("sweep", file, "--out", store, "--workers", 1, "--checkpoint-seconds", 0)
    for number, (moment, begun) in enumerate(MOMENTS):
        moments = write_moments(tmp_path / f"moments {number}", moment)
        # What is waited for is the end of all that have its stdout, workers too.
        code, _, err = finish(start(*words, cache=cache, moments=moments))
        assert code == -signal.SIGKILL, (moment, err)
        assert names_in(moments) == []
        assert max(attempts(store).values(), key=len, default=[]) == begun, moment
    code, _, err = finish(start(*words, cache=cache))
    assert code == 0, err
    assert numbers(store) == rows
    made = attempts(store)
    assert sorted(made) == [row["run"] for row in rows] == Store(store).runs()
    assert sorted(made.values(), key=len)[:-2] == [[0]] * (len(rows) - 2)


def test_a_worker_that_dies_is_replaced_and_its_run_goes_on(tmp_path, undisturbed, cache):
    file, rows = undisturbed
    store = tmp_path / "store"
    wanted = {row["run"]: [0] for row in rows}
    moments = []
    for run, (moment, steps) in zip(wanted, LOSSES, strict=False):
        moments.append(replace(moment, path=f"{run}/{moment.path}"))
        wanted[run] = steps
    folder = write_moments(tmp_path / "moments", *moments)
    words = ("sweep", file, "--out", store, "--workers", 2, "--checkpoint-seconds", 0)
    code, _, err = finish(start(*words, cache=cache, moments=folder))
    assert code == 0, err
    assert names_in(folder) == []
    assert numbers(store) == rows
    assert attempts(store) == wanted


@pytest.mark.slow
def test_two_sweeps_on_one_store_make_each_run_once(tmp_path, undisturbed, cache):
    file, rows = undisturbed
    words = ("sweep", file, "--out", tmp_path / "store", "--workers", 1)
    # The first sweep has begun a run, and is held there until the other has made all the rest.
    held = Moment("write", rf"{RUN}/metrics", "stop")
    one = start(*words, cache=cache, moments=write_moments(tmp_path / "of one", held))
    worker = lines_of(one, 1)[0]
    try:
        made = Moment("rename", rf"{RUN}/outcome\.json$", "say")
        other = start(*words, cache=cache, moments=write_moments(tmp_path / "of other", made))
        others = lines_of(other, len(rows) - 1)
        os.kill(worker, signal.SIGCONT)
        for process in (one, other):
            code, out, err = finish(process)
            assert code == 0, err
            assert out.startswith(f"{len(rows)} runs done, 0 failed")
    finally:
        end(one)
    assert worker not in others
    assert numbers(tmp_path / "store") == rows
    assert attempts(tmp_path / "store") == {row["run"]: [0] for row in rows}


@pytest.mark.slow
def test_fifty_kills_at_random_moments_of_forty_runs(tmp_path, cache):
    file = write_sweep(tmp_path / "sweep.py", 40, steps=2000)
    code, _, err = finish(start("sweep", file, "--out", tmp_path / "whole", cache=cache))
    assert code == 0, err
    rows, rng, made, starts = numbers(tmp_path / "whole"), np.random.default_rng(0), 0, 0
    assert len(rows) == 40

    def somewhere(act: Act):
        event = EVENTS[rng.integers(len(EVENTS))]
        return Moment(event, "store", act, int(rng.integers(100)), rng.uniform(1e-6, 0.1))

    while made < 50:
        store, code = tmp_path / f"store {made}", -signal.SIGKILL
        while code == -signal.SIGKILL:
            starts += 1
            # Two workers may die in one start: three times would be too often for one run.
            moments = [somewhere("kill") for _ in range(2)]
            moments.append(somewhere("kill all" if rng.random() < 0.5 else "kill parent"))
            folder = write_moments(tmp_path / f"moments {starts}", *moments)
            words = ("sweep", file, "--out", store, "--checkpoint-seconds", 0.1)
            code, _, err = finish(start(*words, cache=cache, moments=folder))
            made += len(moments) - len(names_in(folder))
        assert code == 0, err
        assert numbers(store) == rows
        assert sorted(attempts(store)) == [row["run"] for row in rows] == Store(store).runs()
