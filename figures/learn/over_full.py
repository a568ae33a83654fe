"""Chapter 4: facts known against facts trained on, under the bounds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, StrMethodFormatter

from factcap.capacity import power_law_bound
from factcap.figures.files import read_csv
from factcap.figures.learn.means import Row, means
from factcap.figures.style import COLORS, DASHES, MARKERS, TEXT_WIDTH

_BOUNDS: dict[str, tuple[str, dict[str, Any]]] = {
    "rate_distortion": ("rate-distortion bound", {"color": "black", "linestyle": DASHES[0]}),
    "all_or_nothing": ("all-or-nothing bound", {"color": "0.4", "linestyle": DASHES[1]}),
    "even_spreading": ("bits spread evenly", {"color": "0.4", "linestyle": DASHES[2]}),
}
_SERIES = {"uniform": "measured, equally often", "population": "measured, by population"}


def draw(results: Path) -> Figure:
    """Facts known, and the share of queries answered, against the number of facts trained on.

    Args:
        results: the folder that holds `capacity_curve.csv`.
    """
    rows = read_csv(results / "capacity_curve.csv")
    figure = Figure(figsize=(TEXT_WIDTH, 3.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    for axes, column in ((left, "facts_known"), (right, "weighted_accuracy")):
        for number, (frequency, label) in enumerate(_SERIES.items()):
            mine = [row for row in rows if row["frequency"] == frequency]
            axes.plot(
                *means(mine, "facts", column),
                color=COLORS[number],
                marker=MARKERS[number],
                linestyle=DASHES[number],
                label=label,
                zorder=3,
            )
    _bounds(left, rows)
    ticks = means(rows, "facts", "load")[0]
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_xticks(ticks)
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.tick_params(axis="x", labelrotation=90)
        axes.set_xlabel("facts trained on")
    left.set(title="Facts known", ylabel="facts recalled exactly", ylim=(-20, 1250))
    right.set(title="Queries answered", ylabel="share of queries", ylim=(-0.02, 1.05))
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


def _bounds(axes: Axes, rows: Sequence[Row]) -> None:
    """What facts drawn equally often allow at the measured capacity."""
    capacity, each = rows[0]["capacity_bits"], rows[0]["entropy_bits"] / rows[0]["facts"]
    facts = [row["facts"] for row in rows]
    offered = np.round(np.geomspace(min(facts), max(facts), 120))
    for kind, (label, style) in _BOUNDS.items():
        known = [
            n * power_law_bound(n, 2.0**each, 0.0, capacity, kind=kind).accuracy for n in offered
        ]
        axes.plot(offered, known, label=label, linewidth=1.1, **style)
