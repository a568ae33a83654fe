"""What the runs of a sweep are doing, read from their metrics as they are written."""

import json
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from factcap.models.sweep.store.store import Store

# Longer than any line of metrics.
_TAIL_BYTES = 2048


@dataclass(frozen=True)
class Live:
    """How far a run has come.

    Attributes:
        step: steps done.
        steps: steps in all, as known now.
        loss_bits: of the last 100 steps, in bits a value token.
        stored_bits: at the last check of all facts; None before the first.
        seconds: of training so far.
    """

    step: int
    steps: int
    loss_bits: float
    stored_bits: float | None
    seconds: float

    @property
    def share(self) -> float:
        """Share of the steps that is done."""
        return self.step / max(self.steps, 1)

    @property
    def seconds_left(self) -> float:
        """About how long it will take yet, at the rate so far."""
        return self.seconds / max(self.step, 1) * (self.steps - self.step)


def live(store: Store, run: str) -> Live | None:
    """How far a run has come; None before its first 100 steps."""
    lines = _last_lines(store.directory(run) / "metrics.jsonl")
    if not lines:
        return None
    stored = next((line["stored_bits"] for line in reversed(lines) if "stored_bits" in line), None)
    last = lines[-1]
    return Live(last["step"], last["steps"], last["loss_bits_per_token"], stored, last["seconds"])


def _last_lines(path: Path) -> list[Mapping[str, Any]]:
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL_BYTES))
            tail = file.read()
    except FileNotFoundError:
        return []
    found = []
    for line in tail.splitlines(keepends=True)[1 if size > _TAIL_BYTES else 0 :]:
        try:
            found.append(json.loads(line))
        except ValueError:  # not written to its end yet
            break
    return [line for line in found if "step" in line]


@dataclass
class Watch:
    """The runs of a sweep that are at work, looked at now and then.

    Attributes:
        store: where they lie.
        runs: their names.
        seconds: the shortest time between two looks.
        done: which are finished or have failed.
        live: how far those at work have come.
    """

    store: Store
    runs: Collection[str]
    seconds: float = 0.5
    done: set[str] = field(default_factory=set)
    live: dict[str, Live] = field(default_factory=dict)
    _looked: float = float("-inf")

    def look(self, *, now: bool = False) -> bool:
        """Look, unless it is too early; whether one looked."""
        if not now and time.monotonic() - self._looked < self.seconds:
            return False
        self.live = {}
        for run in self.store.runs():  # those begun: few of many
            if run in self.done or run not in self.runs:
                continue
            state = self.store.state(run)
            if state in ("done", "failed"):
                self.done.add(run)
            elif state == "running" and (found := live(self.store, run)):
                self.live[run] = found
        self._looked = time.monotonic()
        return True

    @property
    def finished(self) -> float:
        """Runs that are finished, and the shares of those at work."""
        return len(self.done) + sum(each.share for each in self.live.values())
