"""What a sweep needs of an engine, and the simplest one: this process."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from factcap.models.sweep.engines.attempt import Progress, Report, attempt
from factcap.models.sweep.spec import RunSpec


@dataclass(frozen=True)
class Task:
    """Runs that a worker is given at once: specs, since it makes their facts itself.

    Attributes:
        root: of the store, as an absolute path.
        specs: the runs.
        checkpoint_seconds: time between two saved states.
    """

    root: Path
    specs: tuple[RunSpec, ...]
    checkpoint_seconds: float

    def lost(self, reason: str) -> list[Report]:
        """The reports of a task whose worker died."""
        return [Report(spec.id, "broken", reason) for spec in self.specs]


@runtime_checkable
class Engine(Protocol):
    """Workers that make tasks.

    Attributes:
        together: into how many tasks runs that are alike go, see `tasks_of`; 0: each run is a task
            of its own.
    """

    together: int

    def free(self) -> int:
        """How many more tasks it takes now."""
        ...

    def submit(self, task: Task) -> None:
        """Begin a task."""
        ...

    def wait(self, seconds: float) -> list[Report]:
        """The reports that have come, after at most this time."""
        ...

    def close(self) -> None:
        """End the workers at once."""
        ...


@dataclass
class InProcess:
    """One task at a time, in this process: for an accelerator, which a task of many runs fills.

    Attributes:
        progress: see `factcap.models.sweep.engines.attempt.attempt`.
        together: see `Engine`.
    """

    progress: Progress = lambda *_: None
    together: int = 0
    _tasks: list[Task] = field(default_factory=list)

    def free(self) -> int:
        """One task, if none waits."""
        return 1 - len(self._tasks)

    def submit(self, task: Task) -> None:
        """Keep a task for `wait`."""
        self._tasks.append(task)

    def wait(self, seconds: float) -> list[Report]:
        """Make the task."""
        if not self._tasks:
            return []
        task = self._tasks.pop()
        return attempt(
            task.root,
            task.specs,
            progress=self.progress,
            checkpoint_seconds=task.checkpoint_seconds,
        )

    def close(self) -> None:
        """Nothing is left to end."""


def tasks_of(
    specs: Sequence[RunSpec], root: Path, checkpoint_seconds: float, *, together: int
) -> list[Task]:
    """The runs as tasks: each alone, or those that are alike in so many tasks.

    Alike are runs whose configurations give the same model, batch, optimizer and precision. Whether
    they have one shape, `factcap.models.runs.shape.shape_of`, also depends on their facts: on their
    number, where the batch is left to it, and on their token ids. Facts are made by workers, so an
    attempt sorts the runs of its task by shape.
    """
    alike: dict[object, list[RunSpec]] = {}
    for spec in specs:
        training = spec.training
        told = (str(spec.model), training.batch, training.optimizer, training.precision)
        alike.setdefault(told if together else spec.id, []).append(spec)
    parts = max(together, 1)
    groups = [group[part::parts] for group in alike.values() for part in range(parts)]
    return [Task(root.absolute(), tuple(group), checkpoint_seconds) for group in groups if group]
