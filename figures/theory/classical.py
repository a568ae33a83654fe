"""Classical capacities: Cover's transition, Gardner's curve, and the floor beyond capacity."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from factcap.capacity import error_floor, gardner_capacity, separable_probability
from factcap.figures.files import Record, claim, save
from factcap.figures.style import TEXT_WIDTH, legend_below, line, look

NAME = "classical"
COLUMNS = ("panel", "series", "x", "y")
DIMENSIONS = (10, 100, 1000, 100_000)
FRACTIONS = (0.5, 0.2, 0.05)


def classical(folder: Path) -> list[dict[str, Any]]:
    """Draw `classical.png` and `.svg` and write `classical.csv`; returns its rows.

    The columns x and y are those of the panel: points a dimension and probability (`cover`, a
    series a dimension); margin and patterns a weight (`gardner`, a series a share of positive
    labels); load over capacity and error (`floor`).

    Raises:
        BadInput: if something else in the folder has these names.
    """
    record = Record(NAME)
    claim(folder, record)
    cover = [
        ("cover", d, points / d, separable_probability(int(points), d))
        for d in DIMENSIONS
        for points in np.unique(np.round(np.linspace(0.8, 3.2, 241) * d))
    ]
    gardner = [
        ("gardner", share, float(margin), gardner_capacity(float(margin), share))
        for share in FRACTIONS
        for margin in np.linspace(0, 2.5, 51)
    ]
    floor = [
        ("floor", 1.0, float(load), error_floor(float(load), 1.0))
        for load in np.geomspace(0.5, 16, 101)
    ]
    points = (*cover, *gardner, *floor)
    rows: list[dict[str, Any]] = [dict(zip(COLUMNS, row, strict=True)) for row in points]
    with look():
        save(draw(rows), rows, COLUMNS, folder, record)
    return rows


def draw(rows: list[dict[str, Any]]) -> Figure:
    """The figure, three panels."""
    figure = Figure(figsize=(TEXT_WIDTH, 3.6), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    for axes, panel, text in (
        (left, "cover", "{:,} dimensions"),
        (middle, "gardner", "{:.0%} of labels positive"),
        (right, "floor", "any learner"),
    ):
        mine = [row for row in rows if row["panel"] == panel]
        for number, series in enumerate(dict.fromkeys(row["series"] for row in mine)):
            curve = [row for row in mine if row["series"] == series]
            axes.plot(
                [row["x"] for row in curve],
                [row["y"] for row in curve],
                **line(number, label=text.format(series)),
            )
        legend_below(axes)
    left.axvline(2, color="0.6", linewidth=0.8)
    left.set(
        title="Cover: random labels\nare separable",
        xlabel="points / dimensions",
        ylabel="probability",
    )
    middle.set(
        title="Gardner: capacity\nof a perceptron",
        xlabel="margin (lengths of the weights)",
        ylabel="patterns / weights",
        yscale="log",
    )
    middle.set_yticks([0.1, 0.2, 0.5, 1, 2, 5], ["0.1", "0.2", "0.5", "1", "2", "5"])
    middle.minorticks_off()
    right.set(
        title="Beyond capacity:\nthe error floor",
        xlabel="load: labels / bits of capacity",
        ylabel="smallest share of wrong labels",
        xscale="log",
    )
    right.set_xticks([0.5, 1, 2, 4, 8, 16], ["0.5", "1", "2", "4", "8", "16"])
    right.minorticks_off()
    return figure
