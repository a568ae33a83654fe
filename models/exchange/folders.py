"""Folders that are there whole or not at all."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from factcap.synth.disk.files import sync_folder
from factcap.synth.errors import BadInput, require


def check_new(target: Path) -> None:
    """Raise `BadInput` unless a folder can be made here: nothing is, or an empty folder."""
    require(target.is_dir() or not target.exists(), f"{target} is a file; choose another folder")
    require(
        not target.exists() or not any(target.iterdir()),
        f"{target} is not empty; choose another folder or remove it",
    )
    require(
        target.absolute().parent.is_dir(),
        f"the folder {target.parent} does not exist; create it first",
    )


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """A folder beside the target that takes its place when all went well, and else is removed.

    Raises:
        BadInput: as `check_new`, before anything is written.
    """
    check_new(target)
    place = target.absolute()
    partial = place.with_name(f".{place.name}.{secrets.token_hex(4)}.part")
    try:
        partial.mkdir()
        yield partial
        for file in partial.iterdir():
            with file.open("rb") as written:
                os.fsync(written.fileno())
        sync_folder(partial)
        try:
            partial.replace(place)
        except OSError as error:
            raise BadInput(f"{target} cannot be written ({error.strerror})") from None
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    sync_folder(place.parent)
