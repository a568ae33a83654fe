"""Files that are there whole or not at all, and that say when a byte of them has changed."""

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from factcap.synth.errors import BadInput, Notice

_SEAL = "sha256"


class Damaged(BadInput):
    """A file whose bytes are not those that were written."""


class DamagedWarning(Notice):
    """What was damaged on disk and is made again."""


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Have `write` fill a file beside the path, bring it to the disk, and give it the name.

    Whoever looks finds the old file or the new one, after a crash of the machine too. Several may
    write at once; the last one's file stays.
    """
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        write(partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_sealed(path: Path, entry: Mapping[str, Any]) -> None:
    """Write JSON values with a digest of them."""
    sealed = {**entry, _SEAL: digest_of(entry)}
    write_whole(path, lambda partial: partial.write_text(json.dumps(sealed, indent=2) + "\n"))


def read_sealed(path: Path) -> dict[str, Any]:
    """Read what `write_sealed` wrote.

    Raises:
        FileNotFoundError: if it is not there.
        Damaged: if it is not what was written.
    """
    try:
        entry = json.loads(path.read_bytes())
        found = entry.pop(_SEAL)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Damaged(f"{path} is damaged: it is not what was written") from None
    if found != digest_of(entry):
        raise Damaged(f"{path} is damaged: its digest is not that of its content")
    return entry


def digest_of(entry: Mapping[str, Any]) -> str:
    """SHA-256 of JSON values, whatever the order of their names."""
    return hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
