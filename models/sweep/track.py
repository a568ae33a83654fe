"""Metrics of the runs of a sweep sent to a tracker as they are written."""

import importlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from factcap.models.sweep.store.store import Store
from factcap.synth.errors import BadInput, require

TRACKERS = ("wandb", "trackio")


@runtime_checkable
class TrackedRun(Protocol):
    """One run at a tracker; Weights & Biases and trackio both have such an object."""

    def log(self, metrics: dict[str, Any], step: int | None = None) -> object:
        """Take the metrics of a step."""
        ...

    def finish(self) -> object:
        """Send what is left."""
        ...


@runtime_checkable
class Tracker(Protocol):
    """Where metrics go."""

    def begin(self, run: str, config: Mapping[str, Any]) -> TrackedRun:
        """Begin or go on with a run of this name."""
        ...


@dataclass(frozen=True)
class _Library:
    """`wandb`, or `trackio`, which has the same functions."""

    module: Any
    project: str

    def begin(self, run: str, config: Mapping[str, Any]) -> TrackedRun:
        named = {"project": self.project, "name": run, "config": dict(config), "resume": "allow"}
        if self.module.__name__ == "wandb":
            named |= {"id": run, "reinit": "create_new"}
        return self.module.init(**named)


def tracker(name: str, project: str) -> Tracker:
    """The tracker of a name.

    Raises:
        BadInput: if there is none, or its library is not installed.
    """
    require(name in TRACKERS, f"no tracker is called {name!r}; there are {', '.join(TRACKERS)}")
    try:
        return _Library(importlib.import_module(name), project)
    except ImportError:
        raise BadInput(
            f"the tracker {name} is not installed: pip install {name}, or 'factcap[track]' for both"
        ) from None


@dataclass
class Tracking:
    """Sends each line of metrics once.

    Attributes:
        store: where the runs lie.
        tracker: where their metrics go.
    """

    store: Store
    tracker: Tracker
    _runs: dict[str, TrackedRun] = field(default_factory=dict)
    _sent: dict[str, int] = field(default_factory=dict)

    def look(self, runs: Iterable[str]) -> None:
        """Send what these runs have written since the last look."""
        for run in runs:
            for line in self._new(run):
                step = line.pop("step")
                self._run(run).log(line, step=step)
                self._sent[run] = step

    def close(self) -> None:
        """Send what is left."""
        for run in self._runs.values():
            run.finish()

    def _run(self, run: str) -> TrackedRun:
        if run not in self._runs:
            config = json.loads((self.store.directory(run) / "config.json").read_text())
            self._runs[run] = self.tracker.begin(run, config)
        return self._runs[run]

    def _new(self, run: str) -> list[dict[str, Any]]:
        try:
            text = (self.store.directory(run) / "metrics.jsonl").read_text()
        except FileNotFoundError:
            return []
        whole = text[: text.rfind("\n") + 1].splitlines()
        lines = [json.loads(line) for line in whole]
        return [line for line in lines if line["step"] > self._sent.get(run, 0)]
