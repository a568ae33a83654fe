"""Run by a test in a process of its own: work in processes, a word each: wait or fail."""

import os
import signal
import sys

from factcap.figures.processes import in_processes


def wait(fails: bool) -> None:
    """Fail, or say so on stdout and wait for what does not come."""
    if fails:
        raise ArithmeticError("it fails")
    os.write(1, b"it waits\n")
    signal.pause()


if __name__ == "__main__":
    # A shell that starts a command in the background has it ignore interruptions.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    list(in_processes(wait, [word == "fail" for word in sys.argv[1:]], 2))
