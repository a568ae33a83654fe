import math
import signal
import subprocess
import sys

import pytest

from factcap.figures.processes import in_processes


def start(*words):
    return subprocess.Popen(
        [sys.executable, "-m", "tests.figures.waiting", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_processes_end_with_the_one_that_started_them(how):
    parent = start(*["wait"] * 6)
    assert parent.stdout is not None
    assert [parent.stdout.readline() for _ in range(2)] == ["it waits\n"] * 2
    parent.send_signal(how)
    # This comes to its end when all that have stdout have ended; none is begun meanwhile.
    assert parent.stdout.read() == ""
    parent.communicate()
    assert parent.returncode != 0


def test_a_failure_ends_the_others():
    parent = start("fail", "wait", "wait", "wait")
    assert parent.communicate()[1].endswith("ArithmeticError: it fails\n")
    assert parent.returncode == 1


def test_results_come_with_their_numbers():
    items = [4.0, 9.0, 16.0]
    assert dict(in_processes(math.sqrt, items, 2)) == {0: 2.0, 1: 3.0, 2: 4.0}
