"""The runs of a figure: made by a sweep, read from its store."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from factcap.models import Measurement, RunSpec, Store, run_sweep
from factcap.models.runs.directory.finished import read_finished
from factcap.models.runs.directory.reading import is_finished
from factcap.models.sweep.watch import Watch

Progress = Callable[[int, int, float], object]


@dataclass(frozen=True)
class Finished:
    """A finished run, as it lies in the store.

    Attributes:
        measurement: what the model knows.
        outcome: how the run ended: see `factcap.models.read_outcome`.
    """

    measurement: Measurement
    outcome: dict[str, Any]


def make_runs(
    specs: Sequence[RunSpec],
    folder: Path,
    *,
    workers: int,
    progress: Progress = lambda run, runs, share: None,
    ended: Callable[[Mapping[int, Finished]], object] | None = None,
) -> list[Finished]:
    """Make those of the runs that the store in `folder` lacks, and read all of them.

    Args:
        specs: the runs; the first are begun first.
        folder: of the store; other figures may have theirs in it.
        workers: processes; 0: this one.
        progress: called with (number of the run, runs in all, share of the run that is done).
        ended: called with all runs that are finished so far, by their numbers, when others are
            still to be made.

    Returns:
        The runs, in the order of `specs`.

    Raises:
        BadInput: for facts that cannot be made, before anything is written, or if something else
            has the names of a store there.
        FloatingPointError: if a run failed.
    """
    for spec in specs:
        if not is_finished(folder / "runs" / spec.id):
            spec.most_flops()  # finds facts that cannot be made before anything is written
    store = Store.create(folder)
    numbers = {spec.id: number for number, spec in enumerate(specs)}
    watch, read = Watch(store, numbers), dict[int, Finished]()

    def look(now: bool = False) -> None:
        if not watch.look(now=now):
            return
        shares = {run: found.share for run, found in watch.live.items()}
        for run, share in (shares | dict.fromkeys(watch.done, 1.0)).items():
            progress(numbers[run], len(specs), share)
        if ended is None or now:
            return
        new = {numbers[run] for run in watch.done if store.is_finished(run)} - set(read)
        for number in new:
            read[number] = Finished(*read_finished(store.directory(specs[number].id)))
        if new:
            ended({number: read[number] for number in sorted(read)})

    outcome = run_sweep(specs, store, workers=workers, progress=look)
    look(now=True)
    for run, reason in outcome.failed.items():
        raise FloatingPointError(f"the run {store.directory(run)} failed: {reason}")
    return [Finished(*read_finished(store.directory(spec.id))) for spec in specs]
