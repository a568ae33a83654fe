"""The directory of a sweep: its runs, the list of what was asked for, and what has failed."""

import json
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from factcap.models.runs.directory.reading import check_finished, is_finished, read_config
from factcap.synth.disk.files import Damaged, DamagedWarning, read_sealed, write_sealed
from factcap.synth.disk.lock import is_locked
from factcap.synth.errors import require

FORMAT_VERSION = 1

State = Literal["done", "failed", "running", "waiting"]


@dataclass(frozen=True)
class Store:
    """A directory of runs.

    It holds `store.json`, which says so; `runs/<id>/`, one a run; `plans/<hash>.json`, the runs
    that a sweep asks for; and `results.parquet`, the table, which is made from the runs. Each
    file is written beside its place, brought to the disk and renamed, so that it is there whole or
    not at all; each but the metrics of a run in progress has a digest, so that a byte that changed
    is found. Other files in the directory are left alone.

    Attributes:
        root: the directory.
    """

    root: Path

    @classmethod
    def create(cls, root: str | os.PathLike) -> "Store":
        """The store in a directory, made if there is none.

        Raises:
            BadInput: if a newer version wrote it, something else has its names, or it cannot be
                written; nothing is changed then.
        """
        folder = Path(root)
        require(not folder.is_file(), f"{folder} is a file; a store needs a directory")
        if (folder / "store.json").exists():
            store = cls.open(folder)
        else:
            for name in ("runs", "plans", "results.parquet"):
                require(
                    not (folder / name).exists(),
                    f"{folder / name} exists, and no store.json beside it says that it is of a "
                    "store; choose another directory",
                )
            store = cls(folder)
        existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        require(
            os.access(existing, os.W_OK | os.X_OK),
            f"{existing} cannot be written by this user; choose another directory",
        )
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "store.json").exists():
            write_sealed(folder / "store.json", {"format_version": FORMAT_VERSION})
        (folder / "runs").mkdir(exist_ok=True)
        return store

    @classmethod
    def open(cls, root: str | os.PathLike) -> "Store":
        """The store in a directory.

        Raises:
            BadInput: if there is none, or a newer version wrote it.
        """
        path = Path(root) / "store.json"
        require(path.is_file(), f"{root} is not a store: it has no store.json")
        try:
            version = json.loads(path.read_bytes())["format_version"]
        except (OSError, ValueError, KeyError, TypeError):
            raise Damaged(
                f"{path} is damaged; a store of version {FORMAT_VERSION} has "
                f'"format_version": {FORMAT_VERSION} in it'
            ) from None
        require(
            isinstance(version, int) and version <= FORMAT_VERSION,
            f"{path} has format version {version}, newer than {FORMAT_VERSION}, the newest known "
            "here",
        )
        return cls(Path(root))

    def directory(self, run: str) -> Path:
        """Where a run lies."""
        return self.root / "runs" / run

    def runs(self) -> list[str]:
        """The names of all runs that were begun."""
        try:
            with os.scandir(self.root / "runs") as entries:
                return sorted(entry.name for entry in entries if entry.is_dir())
        except FileNotFoundError:
            return []

    def plan(self, sweep: str, runs: Mapping[str, str]) -> None:
        """Write down which runs a sweep asks for; what it asked for before is forgotten.

        Args:
            sweep: its name, the same whatever code makes its runs.
            runs: a label for each name.
        """
        entry, path = {"runs": dict(runs)}, self.root / "plans" / f"{sweep}.json"
        try:
            if read_sealed(path) == entry:
                return
        except (OSError, Damaged):
            path.parent.mkdir(exist_ok=True)
        write_sealed(path, entry)

    def planned(self) -> dict[str, str]:
        """The runs that sweeps ask for: name and label."""
        found: dict[str, str] = {}
        for path in sorted((self.root / "plans").glob("*.json")):
            try:
                found |= read_sealed(path)["runs"]
            except Damaged as error:
                warnings.warn(f"{error}; the next sweep writes it again", DamagedWarning, 2)
        return found

    def fail(self, run: str, failure: Mapping[str, Any]) -> None:
        """Record that a run failed, and how."""
        self.directory(run).mkdir(parents=True, exist_ok=True)
        write_sealed(self.directory(run) / "failure.json", failure)

    def failure(self, run: str) -> dict[str, Any] | None:
        """How a run failed; None if it did not."""
        try:
            return read_sealed(self.directory(run) / "failure.json")
        except FileNotFoundError:
            return None

    def forgive(self, run: str) -> None:
        """Let a run that failed be tried again."""
        (self.directory(run) / "failure.json").unlink(missing_ok=True)

    def is_finished(self, run: str) -> bool:
        """Whether a run has ended with a measurement."""
        return is_finished(self.directory(run))

    def is_whole(self, run: str) -> bool:
        """Whether a finished run's files are as they were written."""
        try:
            read_config(self.directory(run))
            check_finished(self.directory(run))
        except Damaged:
            return False
        return True

    def saved_step(self, run: str) -> int:
        """The step of a run's latest saved state; 0 without one."""
        proofs = (self.directory(run) / "checkpoint").glob("*.json")
        return max((int(path.stem) for path in proofs if path.stem.isdigit()), default=0)

    def state(self, run: str) -> State:
        """How far a run is."""
        directory = self.directory(run)
        if is_finished(directory):
            return "done"
        if (directory / "failure.json").exists():
            return "failed"
        return "running" if is_locked(directory) else "waiting"
