"""The files of a figure: PNG, SVG, CSV and how they were made; never over something else."""

import csv
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from factcap import __version__
from factcap.synth.disk.files import write_whole
from factcap.synth.errors import BadInput, require

_SUFFIXES = ("csv", "png", "svg")
# What would tell when and by what they were drawn.
_METADATA = {"png": {"Software": None}, "svg": {"Date": None}}


class Held(BadInput):
    """A folder holds this figure, made with other settings."""


@dataclass(frozen=True)
class Record:
    """How a figure is made.

    Attributes:
        figure: its name.
        preset: from which the settings are; None where the figure has none.
        changes: of the preset: fields, and their values as they were given.
        settings: all that was set, as JSON values: the preset with the changes.
        data: the folder of facts that was read; None where there is none.
        stem: name of its files; empty: that of the figure.
    """

    figure: str
    preset: str | None = None
    changes: Mapping[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    data: Path | None = None
    stem: str = ""

    @property
    def files(self) -> str:
        """Name of its files, without their endings."""
        return self.stem or self.figure

    @property
    def command(self) -> str:
        """The command that makes it again, up to the folder.

        >>> Record("stored_bits", "tiny", {"at": "50"}).command
        'factcap figure stored_bits --preset tiny --set at=50'
        """
        words = ["factcap", "figure", self.figure]
        words += [] if self.preset is None else ["--preset", self.preset]
        for name, text in self.changes.items():
            words += ["--set", f"{name}={text}"]
        words += [] if self.data is None else ["--data", str(self.data)]
        return shlex.join(words)

    def companion(self) -> dict[str, Any]:
        """What the file beside the CSV says."""
        return {
            "figure": self.figure,
            "preset": self.preset,
            "changes": dict(self.changes),
            "settings": self.settings,
            "version": __version__,
            "command": self.command,
        }


def claim(folder: Path, record: Record, *tables: str) -> None:
    """See that the figure may write to a folder: its files there were made with these settings.

    Nothing is written yet, so that what turns out wrong later leaves nothing behind.

    Args:
        folder: where it will write.
        record: how the figure is made.
        tables: names of files that it writes besides.

    Raises:
        Held: if the figure is there with other settings; it would be lost.
        BadInput: if something else has one of the names, or the folder's.
    """
    require(not folder.is_file(), f"{folder} is a file; the figure needs a directory")
    companion = folder / f"{record.files}.json"
    if companion.exists():
        return _check_same(companion, record)
    for name in (*(f"{record.files}.{suffix}" for suffix in _SUFFIXES), *tables):
        require(
            not (folder / name).exists(),
            f"{folder / name} exists and no {companion.name} says how it was made; "
            "choose another directory",
        )


def _check_same(companion: Path, record: Record) -> None:
    try:
        found = json.loads(companion.read_bytes())
        same = found["settings"] == record.settings
        command, version = found["command"], found["version"]
    except (ValueError, KeyError, TypeError):
        raise BadInput(
            f"{companion} does not say how {record.files} was made; choose another directory"
        ) from None
    if not same:
        raise Held(
            f"{companion.parent} holds what `{command}` of factcap {version} made, with other "
            f"settings than `{record.command}`; choose another directory"
        )


def save(
    figure: Figure,
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str],
    folder: Path,
    record: Record,
    pictures: Sequence[str] = ("png", "svg"),
) -> None:
    """Write NAME.json, what `record` says; then .csv and the pictures.

    The same figure gives the same files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(record.companion(), indent=2) + "\n"
    # First: whatever happens now, it is known whose the files are.
    write_whole(folder / f"{record.files}.json", lambda path: path.write_text(text))
    write_csv(rows, columns, folder / f"{record.files}.csv")
    save_pictures(figure, folder / record.files, pictures)


def save_pictures(figure: Figure, path: Path, suffixes: Sequence[str] = ("png", "svg")) -> None:
    """Write a figure at its own width, once for each suffix, which is put after the path's name.

    The same figure gives the same files; each appears whole or not at all.
    """
    for suffix in suffixes:
        draw = partial(figure.savefig, format=suffix, metadata=_METADATA[suffix])
        write_whole(path.with_name(f"{path.name}.{suffix}"), draw)


def write_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], path: Path) -> None:
    """Write rows under a header; the file appears whole or not at all."""

    def write(partial_path: Path) -> None:
        with partial_path.open("w", newline="") as file:
            writer = csv.DictWriter(file, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    write_whole(path, write)


def read_csv(path: Path) -> list[dict[str, Any]]:
    """The rows that `write_csv` wrote, with numbers and truth values as such; empty cells stay."""
    with path.open(newline="") as file:
        return [{name: _value(cell) for name, cell in row.items()} for row in csv.DictReader(file)]


def _value(cell: str) -> Any:
    """What was written as this; a text that merely looks like a number stays one.

    >>> [_value(cell) for cell in ("12", "1.5", "inf", "False", "8k", "12e3456", "")]
    [12, 1.5, inf, False, '8k', '12e3456', '']
    """
    if cell in ("True", "False"):
        return cell == "True"
    for kind in (int, float):
        try:
            found = kind(cell)
        except ValueError:
            continue
        if str(found) == cell:
            return found
    return cell
