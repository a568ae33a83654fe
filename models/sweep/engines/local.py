"""Worker processes on this machine, one pinned to a core."""

import multiprocessing
import os
import signal
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from factcap.models.compiler import keep_compiled, on_cpu
from factcap.models.runs.directory.checkpoints import silence_orbax
from factcap.models.sweep.engines.attempt import Report, attempt
from factcap.models.sweep.engines.cores import pin, usable_cores
from factcap.models.sweep.engines.engine import Task

_CONTEXT = multiprocessing.get_context("spawn")


def default_workers() -> int:
    """One process for each usable core on CPU; 1 on an accelerator, which one program fills."""
    return len(usable_cores()) if on_cpu() else 1


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    core: int
    task: Task | None = None


class LocalEngine:
    """Processes that share nothing but the store.

    A model of some thousand parameters keeps one core busy and no more: two single-threaded
    processes train two of them about twice as fast as one process of two threads. Each has a pipe
    of its own: one that is killed leaves no lock held and loses nothing but its own task, and
    another is started in its place.

    Args:
        workers: number of processes.
        log: what libraries write to stderr goes there.
    """

    together = 0

    def __init__(self, workers: int, log: Path):
        cores, self._log = usable_cores(), log.absolute()
        self._workers = [_start(cores[number % len(cores)], self._log) for number in range(workers)]

    def free(self) -> int:
        """Workers without a task."""
        return sum(worker.task is None for worker in self._workers)

    def submit(self, task: Task) -> None:
        """Give a task to a worker without one; one that has died is replaced first."""
        for number, worker in enumerate(self._workers):
            if worker.task is None:
                try:
                    worker.pipe.send(task)
                except OSError:
                    worker = self._replace(number)
                    worker.pipe.send(task)
                worker.task = task
                return
        raise RuntimeError("no worker is free")

    def wait(self, seconds: float) -> list[Report]:
        """The reports that have come, after at most this time."""
        busy = [worker.pipe for worker in self._workers if worker.task is not None]
        ready = wait(busy, timeout=seconds)
        reports: list[Report] = []
        for number, worker in enumerate(self._workers):
            task, worker.task = worker.task, None if worker.pipe in ready else worker.task
            if task is None or worker.task is not None:
                continue
            try:
                reports += worker.pipe.recv()
            except (EOFError, OSError):
                worker.process.join()
                how = f"its process ended, {_how(worker.process)}; see {self._log}"
                reports += task.lost(how)
                self._replace(number)
        return reports

    def close(self) -> None:
        """End the workers at once."""
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.join()
            worker.pipe.close()

    def _replace(self, number: int) -> _Worker:
        old = self._workers[number]
        old.process.join()
        old.pipe.close()
        self._workers[number] = _start(old.core, self._log)
        return self._workers[number]


def _start(core: int, log: Path) -> _Worker:
    ours, theirs = _CONTEXT.Pipe()
    process = _CONTEXT.Process(target=_work, args=(theirs, core, log), daemon=True)
    process.start()
    theirs.close()
    return _Worker(process, ours, core)


def _how(process: Any) -> str:
    code = process.exitcode
    if code is not None and code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"with exit code {code}"


def _work(pipe: Connection, core: int, log: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers
    os.dup2(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666), 2)
    end_with_parent()
    pin(core)
    keep_compiled()
    silence_orbax()
    while True:
        try:
            task: Task = pipe.recv()
        except (EOFError, OSError):
            return
        pipe.send(attempt(task.root, task.specs, checkpoint_seconds=task.checkpoint_seconds))


def end_with_parent() -> None:
    """End this process, which another has started, when that one ends, however it does."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait_for_it() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait_for_it, daemon=True).start()
