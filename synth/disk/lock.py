"""A lock on a directory that ends with the process that holds it."""

import fcntl
import os
from pathlib import Path

from factcap.synth.errors import BadInput


class Busy(BadInput):
    """Another process is making this run."""


class DirectoryLock:
    """Holds a directory for this process, until `release` or the end of the process.

    It is an advisory lock of the operating system on the file `lock`: a process that is killed
    holds it no longer. On a network file system it needs one that passes such locks on (NFS 4,
    Lustre with `flock`, and most others do).

    Raises:
        Busy: if another process, or this one elsewhere, holds it.
    """

    def __init__(self, folder: Path):
        self._descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            raise Busy(f"another process is at work in {folder}; wait for its end") from None

    def release(self) -> None:
        """Let others have the directory."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def is_locked(folder: Path) -> bool:
    """Whether a process holds the directory now."""
    try:
        descriptor = os.open(folder / "lock", os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
