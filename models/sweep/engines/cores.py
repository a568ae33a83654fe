"""Cores for single-threaded workers: which may be used, and one for a process of its own."""

import fcntl
import os
import tempfile
from pathlib import Path


def usable_cores() -> list[int]:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def pin(core: int) -> None:
    """Keep this process on a core, if the system can; before JAX starts, it then has one thread."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})


def pin_to_free_core() -> None:
    """Keep this process on a core that no other process took in this way, if there is one.

    A core is taken by a lock on a file, which ends with the process.
    """
    cores = usable_cores()
    if len(cores) == 1:
        return
    folder = Path(tempfile.gettempdir()) / f"factcap-cores-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    for core in cores:
        descriptor = os.open(folder / str(core), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            continue
        pin(core)
        return
