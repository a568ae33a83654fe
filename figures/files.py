"""The files of a figure: PNG, SVG and CSV, written whole, and never over something else."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from factcap.synth.errors import BadInput, require

SUFFIXES = ("png", "svg", "csv")


def claim(folder: Path, name: str, columns: Sequence[str]) -> None:
    """Make the folder, and see that the figure's files there, if any, are those of this figure.

    Raises:
        BadInput: if something else has one of the names, which would be lost.
    """
    require(not folder.is_file(), f"{folder} is a file; the figure needs a directory")
    paths = [folder / f"{name}.{suffix}" for suffix in SUFFIXES]
    found = next((path for path in paths if path.exists()), None)
    if found is not None and _header(folder / f"{name}.csv") != ",".join(columns):
        raise BadInput(
            f"{found} exists and no {name}.csv of this figure is beside it; "
            "choose another directory"
        )
    folder.mkdir(parents=True, exist_ok=True)


def _header(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open(errors="replace") as lines:
        return lines.readline().rstrip("\n")


def save(
    figure: Figure,
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str],
    folder: Path,
    name: str,
) -> None:
    """Write `name.csv`, `name.png` and `name.svg`; the same figure gives the same files."""
    write_csv(rows, columns, folder / f"{name}.csv")
    for suffix, metadata in (("png", {"Software": None}), ("svg", {"Date": None})):
        partial = folder / f".{name}.part.{suffix}"
        figure.savefig(partial, metadata=metadata, bbox_inches="tight")
        partial.replace(folder / f"{name}.{suffix}")


def write_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], path: Path) -> None:
    """Write rows under a header; the file appears whole or not at all."""
    partial = path.with_name(f".{path.stem}.part.csv")
    with partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    partial.replace(path)
