"""The metrics of a run, a line for each 100 steps, written as it goes on."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from factcap.models.training.devices.hosts import is_first
from factcap.synth.disk.files import write_whole


class MetricsFile:
    """A run's `metrics.jsonl`; of several processes the first writes it.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path):
        self.path = path
        self._lines: TextIO | None = None

    def drop_after(self, step: int) -> None:
        """Drop the lines of steps after this one, which are to be made again."""
        if not is_first():
            return
        lines = self.path.read_bytes().splitlines(keepends=True) if self.path.exists() else []
        kept = [line for line in lines if _step(line) <= step]
        if len(kept) < len(lines):
            write_whole(self.path, lambda partial: partial.write_bytes(b"".join(kept)))

    def append(self, metrics: Mapping[str, float]) -> None:
        """Add a line."""
        if not is_first():
            return
        if self._lines is None:
            self._lines = self.path.open("a", buffering=1)
        self._lines.write(json.dumps(metrics) + "\n")

    def close(self) -> None:
        """Let go of the file."""
        if self._lines is not None:
            self._lines.close()
            self._lines = None


def _step(line: bytes) -> float:
    """The step of a line; infinite for a line that was not written to its end."""
    try:
        return json.loads(line)["step"] if line.endswith(b"\n") else float("inf")
    except (ValueError, KeyError, TypeError):
        return float("inf")
