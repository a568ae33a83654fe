"""Finished parts of long work in a folder, so that it goes on where it was interrupted."""

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from factcap.synth.disk.files import write_whole
from factcap.synth.disk.lock import DirectoryLock
from factcap.synth.errors import require

_WORK = "work.json"


class Parts:
    """Tables, one after the other, each there whole or not at all; held by this process.

    Args:
        folder: a new one, or one that holds parts of this very work.
        work: what decides the tables, as JSON values.

    Raises:
        BadInput: if the folder holds parts of other work, or another process is at work there.
    """

    def __init__(self, folder: Path, work: Mapping[str, Any]):
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = DirectoryLock(folder)
        told = folder / _WORK
        if told.exists():
            other = _differing(told, work)
            if other:
                self._lock.release()
            require(
                not other,
                f"{folder} holds unfinished work of another {', '.join(other)}; give the same "
                "command to go on with it, or remove it",
            )
        else:
            write_whole(told, lambda path: path.write_text(json.dumps(work, indent=2) + "\n"))
        self._count = 0
        while self._path(self._count).exists():
            self._count += 1

    def __len__(self) -> int:
        """How many parts there are."""
        return self._count

    def __iter__(self) -> Iterator[pa.Table]:
        """The parts in their order."""
        for number in range(self._count):
            yield pq.read_table(self._path(number))

    def add(self, table: pa.Table) -> None:
        """Keep the next part."""
        write_whole(self._path(self._count), lambda path: pq.write_table(table, path))
        self._count += 1

    def close(self) -> None:
        """Let others have the folder."""
        self._lock.release()

    def remove(self) -> None:
        """Remove all of it, when it is not needed any more."""
        shutil.rmtree(self._folder)
        self._lock.release()

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:06}.parquet"


def _differing(told: Path, work: Mapping[str, Any]) -> list[str]:
    """What of the work is not as it was told."""
    try:
        found = dict(json.loads(told.read_bytes()))
    except (ValueError, TypeError):
        return ["kind"]
    return [name for name in {**found, **work} if found.get(name) != work.get(name)]
