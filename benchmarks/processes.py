"""Long-lived processes that hold an engine and wait on a pipe for their turn."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from multiprocessing.connection import Connection

from benchmarks.task import Task


class EngineFailed(RuntimeError):
    """A process of an engine raised an error or died; the message is one line."""


def usable_cores() -> list[int]:
    """The cores that this process may run on."""
    return sorted(os.sched_getaffinity(0))


class Crew:
    """Processes of one engine, each bound to its cores; idle between two calls.

    Args:
        engine: a module with a function `start` from a `Task` to an `Advance`.
        cores: those of each process, which makes as many threads.
    """

    def __init__(self, engine: str, cores: Sequence[Sequence[int]]):
        context = multiprocessing.get_context("spawn")
        self._pipes: list[Connection] = []
        self._processes = []
        for own in cores:
            here, there = context.Pipe()
            process = context.Process(target=_serve, args=(engine, there))
            # The process inherits it: a library sees no other cores, whenever it is loaded.
            with _bound_to(own):
                process.start()
            there.close()
            self._pipes.append(here)
            self._processes.append(process)

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the processes."""
        for pipe in self._pipes:
            pipe.close()  # which ends the process
        for process in self._processes:
            process.join()

    def start(self, task: Task) -> None:
        """Compile by training a segment, then begin anew; deals the members out.

        Raises:
            EngineFailed: if a process fails.
        """
        count = len(self._pipes)
        self._ask([replace(task, members=task.members[first::count]) for first in range(count)])

    def advance(self) -> tuple[float, list[float]]:
        """Seconds that all processes took for a segment, and each member's loss over it.

        Raises:
            EngineFailed: if a process fails.
        """
        begin = time.perf_counter()
        losses = self._ask([None] * len(self._pipes))
        return time.perf_counter() - begin, [loss for own in losses for loss in own]

    def _ask(self, questions: Sequence[Task | None]) -> list[list[float]]:
        answers = []
        try:
            for pipe, question in zip(self._pipes, questions, strict=True):
                pipe.send(question)
            # All are heard before one complains: none is left at work.
            answers = [pipe.recv() for pipe in self._pipes]
        except (EOFError, OSError):
            raise EngineFailed("a process of the engine died") from None
        for answer in answers:
            if isinstance(answer, str):
                raise EngineFailed(answer)
        return answers


@contextmanager
def _bound_to(cores: Sequence[int]) -> Iterator[None]:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _serve(engine: str, pipe: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its processes
    start, advance = None, None
    while True:
        try:
            question = pipe.recv()
        except EOFError:
            return
        try:
            if question is None:
                assert advance is not None
                pipe.send(advance())
            else:
                start = start or import_module(engine).start
                start(question)()
                advance = start(question)
                pipe.send([])
        except Exception as error:
            text = str(error).strip().splitlines() or [""]
            pipe.send(f"{type(error).__name__}: {text[0]}")
