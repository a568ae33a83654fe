"""How much budget joint coding saves: the effective-capacity multiplier."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from factcap.capacity import (
    joint_coding_multiplier,
    power_law_bound,
    smallest_power_law_budget,
)
from factcap.figures.files import Record, claim, save
from factcap.figures.style import TEXT_WIDTH, line, look

NAME = "joint_coding"
COLUMNS = ("panel", "choices", "exponent", "facts", "load", "multiplier")
EXPONENTS = (1.1, 1.5, 2.0, 3.0)
ALPHABETS = (2, 10, 100, 10_000)
_FACTS = 10**6


def joint_coding(folder: Path) -> list[dict[str, Any]]:
    """Draw `joint_coding.png` and `.svg` and write `joint_coding.csv`; returns its rows.

    Raises:
        BadInput: if something else in the folder has these names.
    """
    record = Record(NAME)
    claim(folder, record)
    rows = [*_limits(), *_finite()]
    with look():
        save(draw(rows), rows, COLUMNS, folder, record)
    return rows


def _limits() -> list[dict[str, Any]]:
    """The limit of infinitely many facts."""
    rows = []
    for exponent in EXPONENTS:
        for choices in np.geomspace(2, 1e6, 41):
            multiplier = joint_coding_multiplier(float(choices), exponent)
            rows.append(_row("limit", choices, exponent, math.inf, math.inf, multiplier))
    return rows


def _finite() -> list[dict[str, Any]]:
    """Uniform facts: the budget all-or-nothing needs for what the limit allows."""
    rows = []
    for choices in ALPHABETS:
        for load in np.geomspace(1.05, 16, 31):
            budget = _FACTS * math.log2(choices) / load
            reached = power_law_bound(_FACTS, choices, 0.0, budget).accuracy
            needed = smallest_power_law_budget(_FACTS, choices, 0.0, reached, kind="all_or_nothing")
            rows.append(_row("uniform", choices, 0.0, _FACTS, load, needed / budget))
    return rows


def _row(panel, choices, exponent, facts, load, multiplier) -> dict[str, Any]:
    numbers = (panel, float(choices), exponent, facts, float(load), multiplier)
    return dict(zip(COLUMNS, numbers, strict=True))


def draw(rows: list[dict[str, Any]]) -> Figure:
    """The figure: the multiplier against K for power laws, and against load for uniform facts."""
    figure = Figure(figsize=(TEXT_WIDTH, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    for axes, panel, by, x, text in (
        (left, "limit", "exponent", "choices", "exponent {:g}"),
        (right, "uniform", "choices", "load", "K = {:,.0f}"),
    ):
        mine = [row for row in rows if row["panel"] == panel]
        for number, value in enumerate(dict.fromkeys(row[by] for row in mine)):
            curve = [row for row in mine if row[by] == value]
            axes.plot(
                [row[x] for row in curve],
                [row["multiplier"] for row in curve],
                **line(number, label=text.format(value)),
            )
        axes.set_xscale("log")
        axes.axhline(1, color="0.6", linewidth=0.8)
        axes.legend()
    left.set(
        title="Power-law facts, infinitely many",
        xlabel="values K of a fact",
        ylabel="budget of all-or-nothing / of rate-distortion,\nat the same accuracy",
    )
    right.set(title="Uniform facts", xlabel="load: bits of the facts / budget")
    right.set_xticks([1, 2, 4, 8, 16], ["1", "2", "4", "8", "16"])
    right.minorticks_off()
    return figure
