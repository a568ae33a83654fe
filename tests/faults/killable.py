"""`python -m tests.faults.killable ...` is `factcap ...`, struck where a test wants it to be.

A test writes down moments: the first event of a kind, on a file of some name, and what is to happen
just before it. Python reports such events to an audit hook. A worker that is spawned imports the
main module of its parent, this one, so it has the hook too.
"""

import contextlib
import json
import multiprocessing
import os
import re
import signal
import sys
import threading
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

# A folder with one file a moment.
VARIABLE = "FACTCAP_TESTS_MOMENTS"

Event = Literal["write", "rename", "mkdir", "remove"]
EVENTS: tuple[Event, ...] = ("write", "rename", "mkdir", "remove")
Act = Literal["kill", "kill parent", "kill all", "stop", "say"]


@dataclass(frozen=True)
class Moment:
    """A place in a program, and what happens when the first process comes there.

    Attributes:
        event: `write` (a file is opened to be written), `rename`, `mkdir` or `remove`.
        path: regular expression for the path; a rename has the old and the new one, and a space.
        act: kill the process that came there, or its parent, or the whole process group; stop it
            until it is told to go on; or just say so. What is stopped or said is a line on stdout:
            the act, the process, the path. What is said is said each time, the rest is done once.
        skip: so many of these events are let pass in each process.
        after: seconds from the event to the act; the process does not end before.
    """

    event: Event
    path: str
    act: Act
    skip: int = 0
    after: float = 0.0


def write_moments(folder: Path, *moments: Moment) -> Path:
    """Write down moments in a new folder; each is taken out of it when it comes."""
    folder.mkdir()
    for number, moment in enumerate(moments):
        (folder / str(number)).write_text(json.dumps(asdict(moment)))
    return folder


class _Hook:
    def __init__(self, folder: Path):
        self.moments: dict[Path, Moment] = {}
        for file in folder.iterdir():
            with contextlib.suppress(FileNotFoundError):  # another process has come there
                self.moments[file] = Moment(**json.loads(file.read_text()))
        self.seen: Counter[Path] = Counter()

    def __call__(self, event: str, arguments: tuple) -> None:
        found = _file_event(event, arguments)
        if found is None:
            return
        kind, path = found
        for file, moment in self.moments.items():
            if moment.event == kind and re.search(moment.path, path):
                self.seen[file] += 1
                if self.seen[file] > moment.skip and (moment.act == "say" or _taken(file)):
                    _strike(moment, path)


def _file_event(event: str, arguments: tuple) -> tuple[str, str] | None:
    """The kind of an audit event and its path, if it is one of a file's."""
    if event == "open":
        path, _, flags = arguments
        return ("write", str(path)) if flags & (os.O_WRONLY | os.O_RDWR) else None
    if event == "os.rename":
        return "rename", f"{arguments[0]} {arguments[1]}"
    if event in ("os.mkdir", "os.remove"):
        return event.removeprefix("os."), str(arguments[0])
    return None


def _taken(file: Path) -> bool:
    """Whether this process is the one for which the moment has come."""
    try:
        file.unlink()
    except FileNotFoundError:
        return False
    return True


def _strike(moment: Moment, path: str) -> None:
    if moment.after:
        # Python waits for such a thread before it ends.
        threading.Timer(moment.after, _act, (moment, path)).start()
    else:
        _act(moment, path)


def _act(moment: Moment, path: str) -> None:
    parent = multiprocessing.parent_process()
    if moment.act in ("say", "stop"):
        os.write(1, f"{moment.act} {os.getpid()} {path}\n".encode())
    if moment.act == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif moment.act == "kill all":
        os.killpg(os.getpgrp(), signal.SIGKILL)
    elif moment.act == "kill parent" and parent is not None and parent.is_alive():
        os.kill(parent.pid or 0, signal.SIGKILL)
    elif moment.act.startswith("kill"):
        os.kill(os.getpid(), signal.SIGKILL)


if VARIABLE in os.environ:
    sys.addaudithook(_Hook(Path(os.environ[VARIABLE])))

if __name__ == "__main__":
    from factcap.cli import main

    main()
