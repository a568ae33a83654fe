"""The bounds against load, for several alphabets and several power laws."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from factcap.capacity import power_law_bound
from factcap.figures.files import Record, claim, save
from factcap.figures.style import TEXT_WIDTH, legend_below, line, look

NAME = "bounds"
COLUMNS = ("panel", "choices", "exponent", "facts", "load", "objective", "kind", "accuracy")
ALPHABETS = (2, 16, 256, 2**20)
EXPONENTS = (0.0, 0.8, 1.0, 1.2, 1.5)
MANY = 10**9
_WIDTHS = {"rate_distortion": 1.8, "all_or_nothing": 0.8}
_KINDS = ("rate_distortion", "all_or_nothing", "even_spreading")


def bounds(folder: Path) -> list[dict[str, Any]]:
    """Draw `bounds.png` and `.svg` and write `bounds.csv`; returns its rows.

    Raises:
        BadInput: if something else in the folder has these names.
    """
    record = Record(NAME)
    claim(folder, record)
    rows = _rows()
    with look():
        save(draw(rows), rows, COLUMNS, folder, record)
    return rows


def _rows() -> list[dict[str, Any]]:
    plain = [
        ("alphabets", choices, 0.0, "accuracy", load)
        for choices in ALPHABETS
        for load in np.geomspace(0.5, 16, 61)  # 1 is one of them
    ]
    weighted = [
        ("exponents", 2**20, exponent, "weighted", load)
        for exponent in EXPONENTS
        for load in (0.5, *np.geomspace(1, 1e6, 61))
    ]
    rows = []
    for panel, choices, exponent, objective, load in (*plain, *weighted):
        budget = MANY * float(np.log2(choices)) / load
        for kind in _KINDS:
            found = power_law_bound(MANY, choices, exponent, budget, kind=kind, objective=objective)
            numbers = (panel, choices, exponent, MANY, float(load), objective, kind, found.accuracy)
            rows.append(dict(zip(COLUMNS, numbers, strict=True)))
    return rows


def draw(rows: list[dict[str, Any]]) -> Figure:
    """The figure: plain accuracy for several alphabets, weighted for several exponents."""
    figure = Figure(figsize=(TEXT_WIDTH, 4.3), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    _panel(left, rows, "alphabets", "choices", [f"K = {k:,} values" for k in ALPHABETS])
    _panel(right, rows, "exponents", "exponent", [f"exponent {s:g}" for s in EXPONENTS])
    left.set(
        title="Uniform facts, by number of values K",
        xlabel="load: bits of the facts / budget",
        ylabel="best accuracy (share of facts, by frequency)",
        ylim=(-0.02, 1.05),
    )
    right.set(title="A billion power-law facts, K = 2^20")
    right.set_xlabel("load: bits of the facts / budget")
    left.set_xticks([0.5, 1, 2, 4, 8, 16])
    left.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    left.xaxis.set_minor_formatter(NullFormatter())
    left.plot([], [], color="0.3", linewidth=1.8, label="thick: rate-distortion (the limit)")
    left.plot([], [], color="0.3", linewidth=0.8, label="thin: all-or-nothing storage")
    left.plot([], [], color="0.6", linewidth=1.0, linestyle=":", label="dotted: spread evenly")
    for axes in (left, right):
        legend_below(axes, ncols=2, columnspacing=1)
    return figure


def _panel(axes: Axes, rows: list[dict[str, Any]], panel: str, by: str, labels: list[str]) -> None:
    mine = [row for row in rows if row["panel"] == panel]
    for number, value in enumerate(dict.fromkeys(row[by] for row in mine)):
        for kind in _KINDS:
            curve = [row for row in mine if row[by] == value and row["kind"] == kind]
            style = line(number, label=labels[number] if kind == "rate_distortion" else None)
            if kind == "even_spreading":
                style |= {"color": "0.6", "linewidth": 1.0, "linestyle": ":"}
            else:
                style["linewidth"] = _WIDTHS[kind]
            axes.plot([row["load"] for row in curve], [row["accuracy"] for row in curve], **style)
    axes.set_xscale("log")
