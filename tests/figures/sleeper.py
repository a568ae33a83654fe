"""Run by a test in a process of its own: work in processes that takes a minute each."""

import os
import signal
import sys
import time
from pathlib import Path

from factcap.figures.processes import in_processes


def sleep_in(folder: str) -> None:
    """Leave the number of this process in a folder, and sleep."""
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(60)


if __name__ == "__main__":
    # A shell that starts a command in the background has it ignore interruptions.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    list(in_processes(sleep_in, [sys.argv[1]] * 6, 2))
