"""The counts so far, kept in a folder beside the result until all is counted."""

import shutil
import zipfile
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from factcap.synth.counting.tally import Tally
from factcap.synth.disk.files import write_whole
from factcap.synth.disk.lock import DirectoryLock
from factcap.synth.errors import BadInput, require

_COUNTS = "counts.npz"


class Unfinished:
    """A folder with the sum of the parts that are counted, and which they are.

    Args:
        out: of the result; the folder has its name and `.unfinished` after it.
        key: digest of all that decides the counts.
        parts: how many there are.
        nothing: the tally of no document.

    Raises:
        BadInput: if what is kept is of other facts, documents or options, or is damaged, or another
            process is at work on it.
    """

    def __init__(self, out: Path, key: str, parts: int, nothing: Tally):
        self.folder = out.with_name(out.name + ".unfinished")
        self._key = key
        self.done: Bool[np.ndarray, " parts"] = np.zeros(parts, bool)
        self.total = nothing
        self.folder.mkdir(exist_ok=True)
        self._lock = DirectoryLock(self.folder)
        try:
            if (self.folder / _COUNTS).exists():
                self._read()
        except BaseException:
            self._lock.release()
            raise

    def add(self, part: int, tally: Tally) -> None:
        """Add the counts of a part, and bring them to the disk."""
        self.total = self.total + tally
        self.done[part] = True
        write_whole(self.folder / _COUNTS, self._write)

    def close(self) -> None:
        """Let others go on with what is kept."""
        self._lock.release()

    def remove(self) -> None:
        """Remove the folder: the result is written."""
        shutil.rmtree(self.folder)
        self._lock.release()

    def _write(self, path: Path) -> None:
        total = self.total
        with path.open("wb") as file:
            np.savez(
                file,
                key=np.array(self._key),
                done=self.done,
                documents=np.array(total.documents),
                entity=total.entity,
                pair=total.pair,
            )

    def _read(self) -> None:
        path = self.folder / _COUNTS
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
                key, done = str(kept["key"]), kept["done"]
                total = Tally(int(kept["documents"]), kept["entity"], kept["pair"])
        except (zipfile.BadZipFile, ValueError, KeyError, EOFError):
            raise BadInput(f"{path} is damaged; remove the folder to count anew") from None
        require(
            key == self._key,
            f"{self.folder} has unfinished counts of other facts, documents or options; "
            "remove it, or choose another --out",
        )
        self.done, self.total = done, total
