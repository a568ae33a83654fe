"""The band of luck: how far finitely many facts let a model pass the bound."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from factcap.capacity import luck_bound, most_known_by_luck, power_law_bound
from factcap.figures.files import Record, claim, save
from factcap.figures.style import COLORS, TEXT_WIDTH, look

NAME = "luck"
COLUMNS = (
    *("choices", "load", "facts", "probability"),
    *("all_or_nothing", "rate_distortion", "luck_counting", "luck_chernoff"),
)
CASES = ((2.0, 2.0), (16.0, 2.0))
PROBABILITY = 1e-6


def luck(folder: Path) -> list[dict[str, Any]]:
    """Draw `luck.png` and `.svg` and write `luck.csv`; returns its rows.

    Raises:
        BadInput: if something else in the folder has these names.
    """
    record = Record(NAME)
    claim(folder, record)
    rows = [
        _row(choices, load, int(facts))
        for choices, load in CASES
        for facts in 20 * np.unique(np.round(np.geomspace(1, 5000, 41)))
    ]
    with look():
        save(draw(rows), rows, COLUMNS, folder, record)
    return rows


def _row(choices: float, load: float, facts: int) -> dict[str, Any]:
    capacity = facts * math.log2(choices) / load
    uniform = np.full(facts, 1 / facts)
    numbers = (
        choices,
        load,
        facts,
        PROBABILITY,
        power_law_bound(facts, choices, 0, capacity, kind="all_or_nothing").accuracy,
        power_law_bound(facts, choices, 0, capacity).accuracy,
        most_known_by_luck(facts, choices, capacity, PROBABILITY) / facts,
        luck_bound(uniform, choices, capacity, PROBABILITY).accuracy,
    )
    return dict(zip(COLUMNS, numbers, strict=True))


def draw(rows: list[dict[str, Any]]) -> Figure:
    """The figure: the bound and its band against the number of facts."""
    figure = Figure(figsize=(TEXT_WIDTH, 3.5), layout="constrained")
    panels = figure.subplots(1, 2)
    for axes, (choices, load) in zip(panels, CASES, strict=True):
        mine = [row for row in rows if (row["choices"], row["load"]) == (choices, load)]
        facts = [row["facts"] for row in mine]

        def column(name: str, mine=mine) -> list[float]:
            return [row[name] for row in mine]

        axes.fill_between(
            facts,
            column("rate_distortion"),
            np.maximum(column("luck_counting"), column("rate_distortion")),
            color=COLORS[1],
            alpha=0.35,
            linewidth=0,
            label=f"by luck: chance above {PROBABILITY:g} (counting)",
        )
        axes.plot(
            facts, column("luck_chernoff"), color=COLORS[0], linestyle="--", label="Chernoff's edge"
        )
        axes.plot(facts, column("rate_distortion"), color="black", label="rate-distortion")
        axes.plot(
            facts, column("all_or_nothing"), color="0.45", linestyle=":", label="all-or-nothing"
        )
        axes.set(
            xscale="log",
            xlabel="facts",
            ylabel="fact accuracy",
            title=f"K = {choices:,.0f} values, load {load:g}",
        )
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure
