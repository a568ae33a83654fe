"""Many runs side by side: on CPU one pinned process a core, elsewhere in one program."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from queue import Empty
from typing import Any

from models.compiler import keep_compiled, on_cpu
from models.ensemble import shape_of, train_together
from models.measure import Measurement
from models.runs.job import Job
from models.runs.single import measured, run

_POLL_SECONDS = 0.1


def default_workers() -> int:
    """One process for each usable core on CPU; 1 on an accelerator, which one program fills."""
    return len(_usable_cores()) if on_cpu() else 1


def run_jobs(
    jobs: Sequence[Job],
    *,
    workers: int,
    progress: Callable[[int, float], object] = lambda job, share: None,
) -> Iterator[tuple[int, Measurement]]:
    """Make the runs, `workers` at a time; the first in the sequence start first.

    A model of some thousand parameters keeps one core busy and no more: two single-threaded
    processes train two of them about twice as fast as one process of two threads. An accelerator is
    filled by `models.ensemble`, one program for all runs of a shape.

    Args:
        jobs: the runs; those that are finished on disk are read.
        workers: number of processes on CPU; 1 runs in this process.
        progress: called with (number of the job, share of its steps that are done).

    Yields:
        (number of the job, its measurement), as they finish.

    Raises:
        FloatingPointError: if the loss of a run is not finite any more.
    """
    if not on_cpu():
        yield from _run_together(jobs, progress)
        return
    yield from run_each(_run, jobs, workers=workers, progress=progress)


def run_each(
    work: Callable[[Any, Callable[[float], object]], Any],
    jobs: Sequence[Any],
    *,
    workers: int,
    progress: Callable[[int, float], object] = lambda job, share: None,
) -> Iterator[tuple[int, Any]]:
    """Do some work for every job, `workers` at a time, each in a process pinned to a core.

    Args:
        work: a function of a module, of (job, report); it may call report(share that is done).
        jobs: what can be sent to another process.
        workers: number of processes; 1 works in this process.
        progress: called with (number of the job, share that is done).

    Yields:
        (number of the job, what the work returned), as they finish.
    """
    if workers == 1 or len(jobs) <= 1:
        for number, job in enumerate(jobs):
            yield number, work(job, lambda share, number=number: progress(number, share))
        return
    context = multiprocessing.get_context("spawn")
    usable = _usable_cores()
    cores = context.SimpleQueue()
    for worker in range(workers):
        cores.put(usable[worker % len(usable)])
    with (
        context.Manager() as manager,
        context.Pool(workers, _start_worker, (cores,)) as pool,
    ):
        reports = manager.Queue()
        numbered = [(work, number, job, reports) for number, job in enumerate(jobs)]
        results = pool.imap_unordered(_work_numbered, numbered, chunksize=1)
        for _ in jobs:
            while True:
                _drain(reports, progress)
                try:
                    number, result = results.next(timeout=_POLL_SECONDS)
                    break
                except multiprocessing.TimeoutError:
                    continue
            progress(number, 1.0)
            yield number, result


def _run_together(
    jobs: Sequence[Job], progress: Callable[[int, float], object]
) -> Iterator[tuple[int, Measurement]]:
    numbers: dict[Any, list[int]] = {}
    for number, job in enumerate(jobs):
        numbers.setdefault(shape_of(job), []).append(number)
    for group in numbers.values():

        def report(member: int, done: int, total: int, _: Any, group: list[int] = group) -> None:
            progress(group[member], done / total)

        for member, result in train_together([jobs[number] for number in group], progress=report):
            progress(group[member], 1.0)
            yield group[member], measured(result)


def _usable_cores() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _drain(reports: Any, progress: Callable[[int, float], object]) -> None:
    while True:
        try:
            progress(*reports.get_nowait())
        except Empty:
            return


def _start_worker(cores: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers
    core = cores.get()
    if hasattr(os, "sched_setaffinity"):
        # Before JAX starts, so that it makes one thread.
        os.sched_setaffinity(0, {core})
    keep_compiled()


def _work_numbered(numbered: tuple[Callable, int, Any, Any]) -> tuple[int, Any]:
    work, number, job, reports = numbered
    return number, work(job, lambda share: reports.put((number, share)))


def _run(job: Job, report: Callable[[float], object]) -> Measurement:
    return run(
        job.facts,
        job.model,
        job.training,
        job.directory,
        progress=lambda done, total, metrics: report(done / total),
    )
