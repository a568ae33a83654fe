import shutil

import pytest

from tests.faults.sweeps import finish, numbers, start

# Bytes a file may have: no store; no configuration of a run; no saved state; no measurement.
LIMITS = (60, 500, 1500, 2500, 5000)


@pytest.mark.slow
@pytest.mark.parametrize("limit", LIMITS)
def test_a_full_disk_is_said_and_nothing_is_lost(tmp_path, undisturbed, cache, limit):
    file, rows = undisturbed
    store = tmp_path / "store"
    words = ("sweep", file, "--out", store, "--checkpoint-seconds", 0)

    # What the compiler keeps would be cut off too.
    shutil.copytree(cache, tmp_path / "cache")
    code, _, err = finish(start(*words, cache=tmp_path / "cache", largest_file=limit))
    assert code == 2, err
    assert "Traceback" not in err
    assert "File too large" in err.splitlines()[-1]
    if (store / "store.json").exists():
        known = numbers(store)
        assert all(row in rows for row in known)
        assert finish(start("status", store, cache=cache))[0] == 0
    code, _, err = finish(start(*words, cache=cache))
    assert code == 0, err
    assert numbers(store) == rows
