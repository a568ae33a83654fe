import os

import pytest

from tests.faults.sweeps import finish, numbers, start, write_sweep

RUNS = 6


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """What was compiled, for all processes of all tests."""
    base = tmp_path_factory.getbasetemp()
    # Each worker of pytest-xdist has a folder of its own within that of all.
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "cache"


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory, cache):
    """A sweep file and the numbers of its sweep when nothing happens."""
    folder = tmp_path_factory.mktemp("undisturbed")
    file = write_sweep(folder / "sweep.py", RUNS)
    code, _, err = finish(start("sweep", file, "--out", folder / "store", cache=cache))
    assert code == 0, err
    rows = numbers(folder / "store")
    assert len(rows) == RUNS
    return file, rows
