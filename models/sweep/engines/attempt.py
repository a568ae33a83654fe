"""One attempt at some runs of a store: what every engine has its workers do with a task."""

import errno
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from factcap.models.runs.ensemble import train_together
from factcap.models.runs.result import Diverged, Result
from factcap.models.runs.shape import by_shape
from factcap.models.sweep.spec import RunSpec
from factcap.models.sweep.store.store import Store
from factcap.synth.disk.files import DamagedWarning
from factcap.synth.disk.lock import Busy
from factcap.synth.errors import BadInput

# After these errors of the system no other run fares better.
_FATAL = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM),
    *(errno.EIO, errno.ENFILE, errno.EMFILE),
}

# How an attempt ended: with a measurement; another process has the run; the run cannot succeed;
# it may yet; nothing can be written.
Ending = Literal["done", "busy", "failed", "broken", "fatal"]


@dataclass(frozen=True)
class Report:
    """How an attempt at a run ended.

    Attributes:
        run: its name.
        ending: see `Ending`.
        reason: what went wrong, in a line.
        details: the traceback, where there is one.
        step: where the run diverged.
        notes: what was found damaged and is made again.
    """

    run: str
    ending: Ending
    reason: str = ""
    details: str = ""
    step: int | None = None
    notes: tuple[str, ...] = ()


Progress = Callable[[str, int, int, Mapping[str, float]], object]


def attempt(
    root: Path,
    specs: Sequence[RunSpec],
    *,
    progress: Progress = lambda *_: None,
    checkpoint_seconds: float = 60.0,
) -> list[Report]:
    """Try once to make some runs, those of a shape together; go on with those that were begun.

    Args:
        root: of the store.
        specs: the runs.
        progress: called with (name of the run, steps done, steps in all, metrics).
        checkpoint_seconds: time between two saved states.

    Returns:
        A report on each.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DamagedWarning)
        reports = _attempt(Store(root), specs, progress, checkpoint_seconds)
    notes = tuple(str(each.message) for each in caught if each.category is DamagedWarning)
    return [replace(reports[0], notes=notes), *reports[1:]]


def _attempt(
    store: Store, specs: Sequence[RunSpec], progress: Progress, checkpoint_seconds: float
) -> list[Report]:
    reports: dict[str, Report] = {}
    try:
        jobs = [spec.job(store.directory(spec.id)) for spec in specs]
        for numbers in by_shape(jobs):
            names = [specs[number].id for number in numbers]
            together = train_together(
                [jobs[number] for number in numbers],
                progress=partial(_named, progress, names),
                checkpoint_seconds=checkpoint_seconds,
            )
            for place, result in together:
                reports[names[place]] = _report(names[place], result)
    except Exception as error:
        failed = _explained(error)
        for spec in specs:
            reports.setdefault(spec.id, Report(spec.id, *failed))
    return [reports[spec.id] for spec in specs]


def _named(progress: Progress, names: Sequence[str], number: int, *rest: Any) -> None:
    progress(names[number], *rest)


def _report(run: str, result: Result) -> Report:
    if isinstance(result, Busy):
        return Report(run, "busy")
    if isinstance(result, Diverged):
        return Report(run, "failed", result.reason, step=result.step)
    return Report(run, "done")


def _explained(error: Exception) -> tuple[Ending, str, str]:
    details = "".join(traceback.format_exception(error))
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, OSError) and found.errno in _FATAL:
            return "fatal", f"{found.strerror}: {found.filename or 'the store'}", details
        found = found.__cause__ or found.__context__
    reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    return "failed" if isinstance(error, BadInput) else "broken", reason, details
