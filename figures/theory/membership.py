"""Membership inference against size: the published law and its validation."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from factcap.capacity import membership_f1
from factcap.figures.files import Record, claim, save
from factcap.figures.style import COLORS, COLUMN_WIDTH, MARKERS, legend_below, look

NAME = "membership"
COLUMNS = ("source", "model", "samples", "parameters", "f1", "error")
# Observed F1 (percent) of the validation table of Morris et al. 2025 (2505.24832).
OBSERVED = (
    ("GPT2-XL", 1_556_075_200, 170_654_583, 54.61, 1.3),
    ("GPT2-XL", 1_556_075_200, 76_795_021, 71.08, 0.4),
    ("GPT2-XL", 1_556_075_200, 18_851_574, 95.85, 0.8),
    ("GPT2-Medium", 123_702_528, 13_566_442, 53.44, 1.1),
    ("GPT2-Medium", 123_702_528, 6_104_935, 65.69, 0.6),
    ("GPT2-Medium", 123_702_528, 1_498_634, 97.98, 0.3),
)


def membership(folder: Path) -> list[dict[str, Any]]:
    """Draw `membership.png` and `.svg` and write `membership.csv`; returns its rows.

    Raises:
        BadInput: if something else in the folder has these names.
    """
    record = Record(NAME)
    claim(folder, record)
    parameters = 10**8
    law = [
        ("law", "any", samples, parameters, float(membership_f1(samples, parameters)), 0.0)
        for samples in map(int, np.geomspace(1e-3, 1, 201) * parameters)
    ]
    observed = [
        ("observed", model, samples, parameters, percent / 100, error / 100)
        for model, parameters, samples, percent, error in OBSERVED
    ]
    points = (*law, *observed)
    rows: list[dict[str, Any]] = [dict(zip(COLUMNS, row, strict=True)) for row in points]
    with look():
        save(draw(rows), rows, COLUMNS, folder, record)
    return rows


def draw(rows: list[dict[str, Any]]) -> Figure:
    """The figure: F1 against samples a parameter."""
    figure = Figure(figsize=(COLUMN_WIDTH, 3.4), layout="constrained")
    axes = figure.subplots()
    law = [row for row in rows if row["source"] == "law"]
    axes.plot(
        [row["samples"] / row["parameters"] for row in law],
        [row["f1"] for row in law],
        color="black",
        label="law of Morris et al. 2025",
    )
    for number, model in enumerate(("GPT2-XL", "GPT2-Medium")):
        mine = [row for row in rows if row["model"] == model]
        axes.errorbar(
            [row["samples"] / row["parameters"] for row in mine],
            [row["f1"] for row in mine],
            yerr=[row["error"] for row in mine],
            color=COLORS[number],
            marker=MARKERS[number],
            linestyle="none",
            capsize=3,
            label=f"observed there, {model}",
        )
    axes.axhline(0.5, color="0.6", linewidth=0.8)
    axes.set(
        xscale="log",
        xlabel="training samples / parameters",
        ylabel="F1 of membership inference by loss",
        title="Who was in the training set fades\nas it outgrows the model",
    )
    legend_below(axes)
    return figure
