"""Many runs side by side: on CPU one pinned process a core, elsewhere one after another."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from queue import Empty
from typing import Any

import jax

from models.compiler import keep_compiled
from models.measure import Measurement
from models.runs.job import Job
from models.runs.single import run

_POLL_SECONDS = 0.1


def default_workers() -> int:
    """One process for each usable core on CPU; 1 on an accelerator, which one program fills."""
    if jax.default_backend() != "cpu":
        return 1
    return len(_usable_cores())


def run_jobs(
    jobs: Sequence[Job],
    *,
    workers: int,
    progress: Callable[[int, float], object] = lambda job, share: None,
) -> Iterator[tuple[int, Measurement]]:
    """Make the runs, `workers` at a time; the first in the sequence start first.

    A model of some thousand parameters keeps one core busy and no more: two single-threaded
    processes train two of them about twice as fast as one process of two threads.

    Args:
        jobs: the runs; those that are finished on disk are read.
        workers: number of processes; 1 runs in this process.
        progress: called with (number of the job, share of its steps that are done).

    Yields:
        (number of the job, its measurement), as they finish.
    """
    if workers == 1 or len(jobs) <= 1:
        for number, job in enumerate(jobs):
            yield number, _run(job, lambda share, number=number: progress(number, share))
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
        numbered = [(number, job, reports) for number, job in enumerate(jobs)]
        results = pool.imap_unordered(_run_numbered, numbered, chunksize=1)
        for _ in jobs:
            while True:
                _drain(reports, progress)
                try:
                    number, measurement = results.next(timeout=_POLL_SECONDS)
                    break
                except multiprocessing.TimeoutError:
                    continue
            progress(number, 1.0)
            yield number, measurement


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


def _run_numbered(numbered: tuple[int, Job, Any]) -> tuple[int, Measurement]:
    number, job, reports = numbered
    return number, _run(job, lambda share: reports.put((number, share)))


def _run(job: Job, report: Callable[[float], object]) -> Measurement:
    return run(
        job.facts,
        job.model,
        job.training,
        job.directory,
        progress=lambda done, total, metrics: report(done / total),
    )
