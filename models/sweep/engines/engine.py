"""What a sweep needs of an engine, and the simplest one: this process."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from factcap.models.sweep.engines.attempt import Progress, Report, attempt
from factcap.models.sweep.spec import RunSpec


@dataclass(frozen=True)
class Task:
    """Runs that one worker makes together.

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
        together: into how many tasks the runs of one shape go; 0: each run is a task of its own.
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
    """The runs as tasks: each alone, or those of a shape in so many tasks."""
    shapes: dict[object, list[RunSpec]] = {}
    for spec in specs:
        training = spec.training
        shape = (str(spec.model), training.batch, training.optimizer, training.precision)
        shapes.setdefault(shape if together else spec.id, []).append(spec)
    parts = max(together, 1)
    groups = [group[part::parts] for group in shapes.values() for part in range(parts)]
    return [Task(root.absolute(), tuple(group), checkpoint_seconds) for group in groups if group]
