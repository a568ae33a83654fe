"""What all figures share: a look that also reads in grey, and files written whole."""

import csv
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

# Each line differs in color, in lightness, in marker and in dashes (colors: Okabe and Ito 2008).
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1)), (0, (4, 1, 1, 1)), (0, (8, 2)), (0, (2, 2)))

_LOOK: dict[Any, Any] = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.6,
    "lines.markersize": 5.5,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "savefig.dpi": 160,
    "svg.hashsalt": "factcap",
}


def look():
    """The style, as a context in which a figure is made and saved."""
    return rc_context(_LOOK)


def save_figure(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write `name.png` and `name.svg`; returns their paths.

    The same picture gives the same file.
    """
    paths = []
    for suffix, metadata in (("png", {"Software": None}), ("svg", {"Date": None})):
        path = folder / f"{name}.{suffix}"
        partial = folder / f".{name}.part.{suffix}"
        figure.savefig(partial, metadata=metadata, bbox_inches="tight")
        partial.replace(path)
        paths.append(path)
    return paths


def save_csv(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], folder: Path, name: str
) -> Path:
    """Write `name.csv` with a header of the columns; returns its path."""
    path = folder / f"{name}.csv"
    partial = folder / f".{name}.part.csv"
    with open(partial, "w", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    os.replace(partial, path)
    return path
