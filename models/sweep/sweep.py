"""The sweep: give out what is missing, try again what broke, and lose nothing."""

import time
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from factcap.models.compiler import on_cpu
from factcap.models.instructions import warn_if_emulated
from factcap.models.runs.directory.reading import but_for_code
from factcap.models.sweep.accept import made_by_other_code
from factcap.models.sweep.engines.attempt import Report
from factcap.models.sweep.engines.engine import Engine, InProcess, Task, tasks_of
from factcap.models.sweep.engines.local import LocalEngine
from factcap.models.sweep.spec import RunSpec
from factcap.models.sweep.store.store import Store
from factcap.synth.disk.files import DamagedWarning, digest_of

# Attempts at a run that breaks, one after the other without a step forward.
ATTEMPTS = 3

_POLL_SECONDS = 0.2
# How long until one looks again at a run that another process is making.
_BUSY_SECONDS = 0.5


@dataclass(frozen=True)
class Ended:
    """How the runs of a sweep stand at its end.

    Attributes:
        done: names of the finished ones, as they lie in the store.
        failed: reason by name.
        accepted: which of those done are of other code, by the name that they would have today.
    """

    done: tuple[str, ...]
    failed: Mapping[str, str]
    accepted: Mapping[str, str] = field(default_factory=dict)


def run_sweep(
    specs: Iterable[RunSpec],
    store: Store,
    *,
    workers: int = 0,
    engine: Callable[[], Engine] | None = None,
    progress: Callable[[], object] = lambda: None,
    retry_failed: bool = False,
    accept_other_code: bool = False,
    checkpoint_seconds: float = 60.0,
) -> Ended:
    """Make the runs that a store lacks.

    A run whose worker dies, or that raises an error, is tried again and goes on from its last saved
    state; after `ATTEMPTS` that came no further it is recorded as failed, with its traceback, and
    the others go on. One whose loss is not finite, or whose facts cannot be made, fails at once.
    What was finished and is damaged is made again from its last saved state. What other sweeps on
    this store are making is waited for and not made twice. It may be stopped at any moment; the
    same call goes on.

    A run that goes on from another waits for it. A run from which others go on is made once,
    whether it is among those given or not.

    Args:
        specs: the runs; the first are begun first.
        store: where they lie.
        workers: processes, one a core, for a CPU; 0: runs are made in this process, and on an
            accelerator all runs of a shape in one program.
        engine: starts another engine than these.
        progress: called several times a second.
        retry_failed: try again what is recorded as failed.
        accept_other_code: take what other code has finished for a run of the same configuration
            that the store lacks: see `factcap.models.sweep.accept`. What other code has begun and
            not finished is not taken up, and what today's code has begun it ends.
        checkpoint_seconds: time between two saved states.

    Returns:
        How the runs stand.

    Raises:
        OSError: if the store cannot be written any more, say because the disk is full.

    Warns:
        EmulatedWarning: if this CPU has no instructions for the precision of a run.
    """
    wanted = {each.id: each for spec in specs for each in (*spec.parents, spec)}
    for precision in sorted({spec.training.precision for spec in wanted.values()}):
        warn_if_emulated(precision)
    accepted = _accepted(wanted, store) if accept_other_code else {}
    store.plan(
        digest_of({"runs": sorted(but_for_code(spec.config) for spec in wanted.values())})[:16],
        {accepted.get(run, run): spec.label() for run, spec in wanted.items()},
    )
    to_make = {run: spec for run, spec in wanted.items() if run not in accepted}
    if retry_failed:
        for run in to_make:
            store.forgive(run)
    missing = [spec for run, spec in to_make.items() if _is_missing(store, run)]
    if missing:
        start = engine or _default_engine(min(workers, len(missing)), store, progress)
        _Sweep(store, to_make, progress, checkpoint_seconds).make(missing, start())
    failures = {run: store.failure(run) for run in to_make if not store.is_finished(run)}
    return Ended(
        tuple(accepted.get(run, run) for run in wanted if run not in failures),
        {run: failure["reason"] for run, failure in failures.items() if failure is not None},
        accepted,
    )


def _accepted(wanted: Mapping[str, RunSpec], store: Store) -> dict[str, str]:
    """What other code has made, but for runs from which one that is still to be made goes on."""
    found = made_by_other_code(wanted.values(), store)
    for run, spec in wanted.items():
        if run not in found and not store.is_finished(run):
            for parent in spec.parents:
                found.pop(parent.id, None)
    return found


def _is_missing(store: Store, run: str) -> bool:
    """Whether a run is to be made, or made again since its files are damaged."""
    state = store.state(run)
    return state in ("running", "waiting") or (state == "done" and not store.is_whole(run))


def _default_engine(
    workers: int, store: Store, progress: Callable[[], object]
) -> Callable[[], Engine]:
    if on_cpu() and workers:
        return lambda: LocalEngine(workers, store.root / "workers.log")
    return lambda: InProcess(lambda *_: progress(), together=0 if on_cpu() else 1)


class _Sweep:
    """What is to be made, and how often each run was tried."""

    def __init__(
        self,
        store: Store,
        specs: Mapping[str, RunSpec],
        progress: Callable[[], object],
        checkpoint_seconds: float,
    ):
        self.store, self.specs, self.progress = store, specs, progress
        self.checkpoint_seconds = checkpoint_seconds
        self.attempts: Counter[str] = Counter()
        self.reached: dict[str, int] = {}
        self.queue: deque[Task] = deque()
        self.later: list[tuple[float, Task]] = []
        self.given = 0
        self.together = 0
        self.waiting: dict[str, list[RunSpec]] = {}

    def make(self, missing: Sequence[RunSpec], engine: Engine) -> None:
        try:
            self.together = engine.together
            self._begin(missing)
            while self.queue or self.later or self.given:
                self._take_up()
                while self.queue and engine.free():
                    task = self.queue.popleft()
                    engine.submit(task)
                    self.given += len(task.specs)
                if not self.given:
                    time.sleep(_POLL_SECONDS)
                for report in engine.wait(_POLL_SECONDS):
                    self.given -= 1
                    self._look_at(report)
                self.progress()
        finally:
            engine.close()

    def _begin(self, missing: Sequence[RunSpec]) -> None:
        """Queue the runs whose parents are there; the others wait for these."""
        making, ready = {spec.id for spec in missing}, []
        for spec in missing:
            parent = spec.branch.parent.id if spec.branch is not None else None
            if parent in making:
                self.waiting.setdefault(str(parent), []).append(spec)
            elif parent is not None and self.store.failure(parent) is not None:
                self._fail(_orphan(spec, parent))
            else:
                ready.append(spec)
        self.queue.extend(self._tasks(ready, self.together))

    def _release(self, run: str) -> None:
        """Queue the runs that have waited for this one, which is finished."""
        self.queue.extend(self._tasks(self.waiting.pop(run, []), self.together))

    def _tasks(self, specs: Sequence[RunSpec], together: int) -> list[Task]:
        return tasks_of(specs, self.store.root, self.checkpoint_seconds, together=together)

    def _take_up(self) -> None:
        """Put back into the queue what has waited long enough, if it is not finished by now."""
        now = time.monotonic()
        ready = [task for due, task in self.later if due <= now]
        self.later = [(due, task) for due, task in self.later if due > now]
        for task in ready:
            run = task.specs[0].id
            if self.store.state(run) in ("running", "waiting"):
                self.queue.append(task)
            elif self.store.is_finished(run):
                self._release(run)
            else:
                self._disown(run)

    def _look_at(self, report: Report) -> None:
        run = report.run
        for note in report.notes:
            warnings.warn(note, DamagedWarning, 2)
        [alone] = self._tasks([self.specs[run]], together=0)
        if report.ending == "done":
            self._release(run)
        elif report.ending == "fatal":
            raise OSError(f"the sweep stops: {report.reason}; what is finished is kept")
        elif report.ending == "busy":
            self.later.append((time.monotonic() + _BUSY_SECONDS, alone))
        elif report.ending == "failed":
            self._fail(report)
        elif report.ending == "broken":
            step = self.store.saved_step(run)
            if step > self.reached.get(run, -1):
                self.reached[run] = step
                self.attempts[run] = 0
            self.attempts[run] += 1
            if self.attempts[run] < ATTEMPTS:
                self.queue.append(alone)
            else:
                self._fail(report)

    def _fail(self, report: Report) -> None:
        failure: dict[str, Any] = {"reason": report.reason, "traceback": report.details}
        failure |= {"step": report.step, "attempts": max(1, self.attempts[report.run])}
        self.store.fail(report.run, failure)
        self._disown(report.run)

    def _disown(self, run: str) -> None:
        """Record that what waits for a run that failed fails too."""
        for spec in self.waiting.pop(run, []):
            self._fail(_orphan(spec, run))


def _orphan(spec: RunSpec, parent: str) -> Report:
    return Report(spec.id, "failed", f"the run {parent}, from which it goes on, failed")
