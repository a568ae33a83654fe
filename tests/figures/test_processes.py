import math
import os
import signal
import subprocess
import sys
import time

import pytest

from factcap.figures.processes import in_processes
from tests.figures.sleeper import sleep_in


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # One that has ended and that nobody has waited for is a zombie.
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] != "Z"


def begun(folder, count, seconds=60):
    end = time.monotonic() + seconds
    while len(found := [int(path.name) for path in folder.iterdir()]) < count:
        assert time.monotonic() < end
        time.sleep(0.1)
    return found


def until_ended(pids, seconds=20):
    end = time.monotonic() + seconds
    while any(map(alive, pids)):
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="reads /proc")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_processes_end_with_the_one_that_started_them(tmp_path, how):
    parent = subprocess.Popen(
        [sys.executable, "-m", "tests.figures.sleeper", str(tmp_path)], stderr=subprocess.DEVNULL
    )
    workers = begun(tmp_path, 2)
    parent.send_signal(how)
    assert parent.wait(timeout=20) != 0
    until_ended(workers)
    assert len(list(tmp_path.iterdir())) == 2


def test_results_come_with_their_numbers_and_a_failure_ends_the_others(tmp_path):
    items = [4.0, 9.0, 16.0]
    assert dict(in_processes(math.sqrt, items, 2)) == {0: 2.0, 1: 3.0, 2: 4.0}
    started = time.monotonic()
    with pytest.raises(FileNotFoundError):
        list(in_processes(sleep_in, [str(tmp_path / "no"), *[str(tmp_path)] * 3], 2))
    assert time.monotonic() - started < 50
