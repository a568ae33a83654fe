"""The picture of `equivalent_size`: what ordinary training knows against the size."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, StrMethodFormatter

from factcap.figures.equivalent.plan import DATA, WORK
from factcap.figures.equivalent.table import KNOWN, Problems, Row, by_size, of_budget
from factcap.figures.equivalent.theory import Asked, allowed
from factcap.figures.style import MARKERS, line

_POINTS = 81


def draw(rows: Sequence[Row], table: Sequence[Row], problems: Problems) -> Figure:
    """A column for each set and what is counted; above with equal data, below with equal FLOP."""
    reported = [row for row in rows if row["use"] == "reported"]
    columns = [(named, column) for named, counted in problems.items() for column in counted]
    schemes = list(dict.fromkeys(label(row) for row in table))
    figure = Figure(figsize=(3.6 * len(columns) + 0.8, 7.6), layout="constrained")
    panels = figure.subplots(2, len(columns), sharex="col", sharey="col", squeeze=False)
    legend: dict[str, Any] = {}
    for place, (named, column) in enumerate(columns):
        here = [row for row in reported if row["set"] == named]
        for axes, equal in zip(panels[:, place], (DATA, WORK), strict=True):
            some = [
                row
                for row in table
                if (row["set"], row["equal"], row["counted"]) == (named, equal, column)
            ]
            curve = of_budget(here, equal)
            _ordinary(axes, curve, column, problems[named][column])
            for row in some:
                _selected(axes, by_size(curve, column)[0], row, schemes.index(label(row)))
            _fits(axes, by_size(curve, column)[0], some[0])
            axes.set(title=f"{named}, {equal}", ylim=(0, None))
            axes.set_ylabel("facts known" if column == KNOWN else "frequency-weighted accuracy")
            handles, labels = axes.get_legend_handles_labels()
            legend |= dict(zip(labels, handles, strict=True))
        panels[1, place].set_xlabel("parameters of the ordinary model")
    figure.legend(legend.values(), legend, loc="outside upper center", ncols=3)
    seeds = len({row["seed"] for row in reported})
    over = "one seed" if seeds == 1 else f"mean of {seeds} seeds, bars: their range"
    figure.supxlabel(
        "level lines: the smallest model with selection; upright lines: the ordinary size that "
        f"knows as much; broad: its 95 % interval; {over}; scoring included",
        fontsize=8.5,
    )
    return figure


def label(row: Row) -> str:
    """What a scheme is called in the picture.

    >>> label({"scheme": "loss_h", "scored": "documents"}), label({"scheme": "worth", "scored": ""})
    ('loss_h, whole documents', 'worth')
    """
    return row["scheme"] + (", whole documents" if row["scored"] == "documents" else "")


def _ordinary(axes: Axes, curve: Sequence[Row], column: str, asked: Asked) -> None:
    """What ordinary training knows, and what theory allows by the bits that it stores."""
    sizes, known_RxS = by_size(curve, column)
    stored = by_size(curve, "stored_bits")[1].mean(axis=0)
    at = np.geomspace(sizes[0], sizes[-1], _POINTS)
    bits = np.interp(np.log(at), np.log(sizes), stored)
    times = len(asked.weights) if column == KNOWN else 1
    low, high = times * np.array([allowed(asked, float(one)) for one in bits]).T
    said = "by theory: these bits, evenly spread to whole facts"
    axes.fill_between(at, low, high, color="0.5", alpha=0.18, linewidth=0, label=said)
    mean = known_RxS.mean(axis=0)
    axes.errorbar(
        sizes,
        mean,
        yerr=[mean - known_RxS.min(axis=0), known_RxS.max(axis=0) - mean],
        color="black",
        marker="o",
        capsize=2.5,
        label="ordinary training",
    )
    axes.set_xscale("log")
    axes.set_xticks(sizes)
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.tick_params(axis="x", labelsize=8, labelrotation=45)


def _selected(axes: Axes, sizes: Sequence[int], row: Row, number: int) -> None:
    """What the smallest model knows with selection, and the ordinary size that knows as much."""
    known, style = row["selected"], line(number, linewidth=1.3)
    axes.axhline(known, **style)
    marker = MARKERS[(number + 1) % len(MARKERS)]
    axes.plot([sizes[0]], [known], marker=marker, label=label(row), **style)
    if 0 < row["times"] < np.inf:
        axes.plot([sizes[0] * row["times"]] * 2, [0, known], **style)
        ends = np.clip([row["times_low"], row["times_high"]], 1, sizes[-1] / sizes[0])
        interval = {"color": style["color"], "alpha": 0.3, "linewidth": 6, "solid_capstyle": "butt"}
        axes.plot(sizes[0] * ends, [known] * 2, **interval)


def _fits(axes: Axes, sizes: Sequence[int], row: Row) -> None:
    """Where all facts fit."""
    if row["fit_times"] is not None and row["fit_times"] <= sizes[-1] / sizes[0]:
        at = sizes[0] * row["fit_times"]
        axes.axvline(at, color="0.4", linestyle=":", linewidth=1.0, label="all facts fit")
