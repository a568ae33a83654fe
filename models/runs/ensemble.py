"""Many runs of one shape trained side by side in one program: which is where, and the loop."""

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import jax
import numpy as np
from jax.sharding import Mesh
from jaxtyping import Bool, Float32

from factcap.models.compiler import on_cpu
from factcap.models.runs.directory.reading import is_finished
from factcap.models.runs.job import Job
from factcap.models.runs.live_run import LiveRun
from factcap.models.runs.outcome import finish
from factcap.models.runs.result import Diverged, Result
from factcap.models.runs.shape import by_shape, shape_of
from factcap.models.runs.slots import (
    Slots,
    TrainingArrays,
    evaluated_params,
    measure_slots,
    take_steps,
)
from factcap.models.training.devices.hosts import agreed
from factcap.models.training.devices.mesh import check_mesh
from factcap.models.training.memory import check_fits, free_memory_bytes, member_bytes
from factcap.models.training.selection.checked import CheckedModel
from factcap.models.transformer.fast.values import Reading
from factcap.models.transformer.layout import Layout, to_device
from factcap.synth.disk.lock import Busy
from factcap.synth.errors import require
from factcap.synth.measurement import Measurement

# Share of the free memory that trainings may fill.
_MEMORY_SHARE = 0.8
# A group that is closed up is another program, which an accelerator compiles for some 20 seconds.
_WORTH_COMPILING = 10_000

Progress = Callable[[int, int, int, Mapping[str, float]], object]


def train_together(
    jobs: Sequence[Job],
    *,
    slots: int = 0,
    progress: Progress = lambda *_: None,
    checkpoint_seconds: float = 60.0,
    mesh: Mesh | None = None,
) -> Iterator[tuple[int, Result]]:
    """Make several runs at once, each in its directory; go on where an interrupted call stopped.

    All of them take their steps in one program, by `vmap`; with several devices each device trains
    a part. A run that ends leaves its slot to the next job. What becomes of it depends on its own
    job alone, but for the rounding of sums: alone or among others.

    Args:
        jobs: runs of one model, batch, optimizer and precision; they may differ in facts, seed,
            exposures, learning rate, selection and the other numbers of their training.
        slots: how many train at once; 0: as many as fit in memory, but no more than take as long
            as the longest alone; the longest begin.
        progress: called with (number of the job, steps done, steps in all, metrics) after each 100
            steps of each run.
        checkpoint_seconds: time between two saved states.
        mesh: over which a single job's model and batch are divided: see
            `factcap.models.training.devices.mesh`.

    Yields:
        (number of the job, its measurement, or where it diverged, or that another process is making
        it), as they end.

    Raises:
        BadInput: for jobs of more than one shape; if not one of them fits in memory; for a mesh
            with several jobs, or one over which the job cannot be divided; or if a directory holds
            another run.
    """
    if mesh is not None:
        _check_mesh(mesh, jobs)
    elif missing := [job for job in jobs if not is_finished(job.directory)]:
        _check_memory(missing)
    runs: list[LiveRun] = []
    try:
        for number, job in enumerate(jobs):
            try:
                run = LiveRun(number, job)
            except Busy as busy:
                yield number, busy
                continue
            runs.append(run)
            if run.directory.finished is not None:
                yield number, run.directory.finished
        yield from _train(runs, slots, progress, checkpoint_seconds, mesh)
    finally:
        for run in runs:
            run.directory.close()


def _check_memory(jobs: Sequence[Job]) -> None:
    """Before anything is written."""
    layout = Layout.of([job.facts for job in jobs])
    for shape in dict.fromkeys(map(shape_of, jobs)):
        reading = Reading(shape.model, layout.context, shape.precision)
        check_fits(reading, layout, shape.batch, free_memory_bytes())


def _check_mesh(mesh: Mesh, jobs: Sequence[Job]) -> None:
    require(len(jobs) == 1, f"a mesh trains one model, not {len(jobs)} together")
    shape, select = shape_of(jobs[0]), jobs[0].training.select
    check_mesh(mesh, shape.model, shape.batch)
    require(
        select is None or select.scheme != "influence",
        "the scheme influence has no mesh; take another, or one device",
    )


def _train(
    runs: Sequence[LiveRun],
    slots: int,
    progress: Progress,
    checkpoint_seconds: float,
    mesh: Mesh | None,
) -> Iterator[tuple[int, Measurement | Diverged]]:
    waiting = deque(run for run in runs if run.directory.finished is None)
    if not waiting:
        return
    if not slots:
        waiting = deque(sorted(waiting, key=_left, reverse=True))
        slots = kept_busy([_left(run) for run in waiting])
    ensemble = _Ensemble(waiting, slots, mesh)
    saved = time.monotonic()
    while any(ensemble.runs):
        yield from ensemble.end()
        ensemble.step(progress)
        yield from ensemble.end()
        if ensemble.between:
            continue
        if agreed(time.monotonic() - saved > checkpoint_seconds):
            ensemble.save()
            saved = time.monotonic()
        ensemble.close_up(waiting)
        ensemble.fill(waiting)


def _left(run: LiveRun) -> int:
    """Steps that a run has still to take at the most."""
    return run.steps - run.done


def kept_busy(steps: Sequence[int]) -> int:
    """How many slots runs of so many steps keep busy until the longest ends.

    With more of them all would end no sooner, and the program would carry slots that are free.

    >>> kept_busy([100, 100, 100]), kept_busy([400, 200, 100, 50, 50])
    (3, 2)
    """
    return math.ceil(sum(steps) / max(max(steps), 1)) or 1


class _Ensemble:
    """Which run is in which slot, and what a slot's arrays mean for its run.

    Args:
        waiting: the runs; those that get a slot at once are taken off.
        slots: how many at the most.
        mesh: see `train_together`.

    Attributes:
        runs: that of each slot; None where a slot is free.
        slots: the arrays of all.
    """

    def __init__(self, waiting: deque[LiveRun], slots: int, mesh: Mesh | None = None):
        self.mesh, jobs = mesh, [run.job for run in waiting]
        shapes = len(by_shape(jobs))
        require(
            shapes == 1,
            "runs trained together must have one model, batch, optimizer and precision, "
            f"not {shapes} of these",
        )
        self.shape = shape_of(jobs[0])
        self.layout = Layout.of([job.facts for job in jobs])
        self.reading = Reading(self.shape.model, self.layout.context, self.shape.precision)
        fitting = _MEMORY_SHARE * free_memory_bytes()
        fitting //= member_bytes(self.reading, self.layout, self.shape.batch)
        count = int(max(1, min(len(jobs), slots, fitting)))
        first = [waiting.popleft() for _ in range(count)]
        self._place(first, Slots.of([self._arrays(run) for run in first], mesh))
        self._check(range(count))

    def _place(self, runs: Sequence[LiveRun | None], slots: Slots) -> None:
        self.runs, self.slots = [*runs, *[None] * (len(slots) - len(runs))], slots

    @property
    def between(self) -> bool:
        """Whether the runs are within a scan; none of them is then saved, and none begins."""
        return any(run is not None and run.between for run in self.runs)

    def close_up(self, waiting: deque[LiveRun]) -> None:
        """Give up the free slots, if they are half of all or more for many steps to come."""
        taken = [slot for slot, run in enumerate(self.runs) if run is not None]
        left = max((_left(run) for run in self.runs if run is not None), default=0)
        if not waiting and 2 * len(taken) <= len(self.runs) and left >= _WORTH_COMPILING:
            self._place([self.runs[slot] for slot in taken], self.slots.keep(taken))

    def fill(self, waiting: deque[LiveRun]) -> None:
        """Give free slots to waiting runs."""
        free = [slot for slot, run in enumerate(self.runs) if run is None]
        arrivals = {slot: waiting.popleft() for slot in free[: len(waiting)]}
        if arrivals:
            arrays = {slot: self._arrays(run) for slot, run in arrivals.items()}
            runs = [arrivals.get(slot, run) for slot, run in enumerate(self.runs)]
            self._place(runs, self.slots.put(arrays))
            self._check(arrivals)

    def _arrays(self, run: LiveRun) -> TrainingArrays:
        """Those that a run begins with, or goes on with."""
        facts, state = to_device(run.job.facts, self.layout), run.resume(self.mesh)
        if run.selection is not None:
            facts = facts.weighted(run.weights)
        return TrainingArrays(state, facts, run.schedule())

    def step(self, progress: Progress) -> None:
        """A scan of every run, or as much of it as the first one to end takes; checks if due."""
        live = {slot: run for slot, run in enumerate(self.runs) if run is not None}
        if not live:
            return
        start = time.monotonic()
        steps = min(run.next_steps() for run in live.values())
        self.slots, nats = take_steps(self.slots, self.reading, self.shape.batch, steps)
        seconds = (time.monotonic() - start) / len(live)
        metrics = {slot: run.took(nats[slot], seconds) for slot, run in live.items()}
        found = self._check(live)
        for slot, run in live.items():
            if (line := metrics[slot]) is None:
                continue
            line |= found.get(slot, {})
            run.directory.metrics.append(line)
            run.directory.checkpoints.settle(wait=False)
            progress(run.number, run.done, run.steps, line)

    def _check(self, slots: Iterable[int]) -> dict[int, dict[str, float]]:
        """Measure all facts of those runs in these slots that are due; their metrics by slot."""
        due = [slot for slot in slots if (run := self.runs[slot]) is not None and run.check_due()]
        if not due:
            return {}
        results = measure_slots(self.slots, self.reading)
        return {slot: self._checked(slot, *results[slot]) for slot in due}

    def _checked(
        self, slot: int, nll_bits: Float32[np.ndarray, " facts"], recall: Bool[np.ndarray, " facts"]
    ) -> dict[str, float]:
        """What follows from a check for a run and its arrays; its metrics."""
        run = self.runs[slot]
        assert run is not None
        steps, changed = run.steps, False
        metrics = run.checked(nll_bits, recall)
        if run.selection_due():
            training = self.slots.take(slot)
            params = evaluated_params(training)
            model = CheckedModel(nll_bits, self.reading, params, training.facts, self.mesh)
            changed = run.reselect(model)
        if run.steps != steps:
            self.slots = self.slots.with_schedule(slot, run.schedule())
        if changed:
            self.slots = self.slots.with_weights(slot, run.weights)
        if run.selection is not None:
            metrics["facts_kept"] = int((run.selection.weights > 0).sum())
        return metrics

    def end(self) -> Iterator[tuple[int, Measurement | Diverged]]:
        """Free the slots of runs that have ended."""
        for slot, run in enumerate(self.runs):
            if run is None or run.result is None:
                continue
            if isinstance(run.result, Measurement):
                run.save(self.slots.take(slot).state)
            divided = jax.process_count() if on_cpu() else self.mesh.size if self.mesh else 1
            finish(run, self.reading, self.layout, divided)
            self.runs[slot] = None
            yield run.number, run.result

    def save(self) -> None:
        """Save the state of every run."""
        for slot, run in enumerate(self.runs):
            if run is not None:
                run.save(self.slots.take(slot).state)
