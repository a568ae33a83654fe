"""The picture of `equivalent_size`: what ordinary training knows against the size."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from factcap.figures.corpus.experiment import scheme_label
from factcap.figures.equivalent.plan import DATA, WORK
from factcap.figures.equivalent.table import KNOWN, Problems, Row, by_size, of_budget
from factcap.figures.equivalent.theory import Asked, allowed
from factcap.figures.style import MARKERS, TEXT_WIDTH, line

_POINTS = 81
_NOTES = (
    "Ordinary training: mean of the seeds; bars: their range. Scoring is included.",
    "Level lines: the smallest model with selection. Upright lines: the ordinary size that",
    "knows as much; broad: its 95 % interval.",
)


def draw(rows: Sequence[Row], table: Sequence[Row], problems: Problems) -> Figure:
    """A row of panels for each set and what is counted: with equal data, and with equal FLOP.

    Args:
        rows: of the CSV.
        table: of `make_table`.
        problems: what theory is asked about; a set that it lacks is drawn without theory.
    """
    panels_of = list(dict.fromkeys((row["set"], row["counted"]) for row in table))
    schemes = list(dict.fromkeys(_label(row) for row in table))
    figure = Figure(figsize=(TEXT_WIDTH, 2.2 * len(panels_of) + 1.7), layout="constrained")
    panels = figure.subplots(len(panels_of), 2, sharex="row", sharey="row", squeeze=False)
    legend: dict[str, Any] = {}
    for pair, (named, column) in zip(panels, panels_of, strict=True):
        here = [row for row in rows if row["use"] == "reported" and row["set"] == named]
        for axes, equal in zip(pair, (DATA, WORK), strict=True):
            some = [
                row
                for row in table
                if (row["set"], row["equal"], row["counted"]) == (named, equal, column)
            ]
            curve = of_budget(here, equal)
            sizes = by_size(curve, column)[0]
            if named in problems:
                _theory(axes, curve, problems[named][column], column)
            _ordinary(axes, curve, column)
            for row in some:
                _selected(axes, sizes, row, schemes.index(_label(row)))
            _fits(axes, sizes, some[0])
            axes.set(title=f"{named}, {equal}, {_seeds(here)}", ylim=(0, None))
            handles, labels = axes.get_legend_handles_labels()
            legend |= dict(zip(labels, handles, strict=True))
        pair[0].set_ylabel("facts known" if column == KNOWN else "frequency-weighted accuracy")
    for axes in panels[-1]:
        axes.set_xlabel("parameters of the ordinary model")
    figure.legend(
        legend.values(), legend, loc="outside lower center", ncols=3, title="\n".join(_NOTES)
    )
    return figure


def _seeds(rows: Sequence[Row]) -> str:
    seeds = len({row["seed"] for row in rows})
    return "one seed" if seeds == 1 else f"{seeds} seeds"


def _label(row: Row) -> str:
    return scheme_label(row["scheme"], row["scored"])


def _theory(axes: Axes, curve: Sequence[Row], asked: Asked, column: str) -> None:
    """What theory allows by the bits that ordinary training stores."""
    sizes, stored_RxS = by_size(curve, "stored_bits")
    stored = stored_RxS.mean(axis=0)
    at = np.geomspace(sizes[0], sizes[-1], _POINTS)
    bits = np.interp(np.log(at), np.log(sizes), stored)
    times = len(asked.weights) if column == KNOWN else 1
    low, high = times * np.array([allowed(asked, float(one)) for one in bits]).T
    said = "theory: bits of ordinary training,\nevenly spread to whole facts"
    axes.fill_between(at, low, high, color="0.5", alpha=0.18, linewidth=0, label=said)


def _ordinary(axes: Axes, curve: Sequence[Row], column: str) -> None:
    """What ordinary training knows, for each size."""
    sizes, known_RxS = by_size(curve, column)
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
    axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size / 1000:,.0f}k"))
    axes.xaxis.set_minor_locator(NullLocator())


def _selected(axes: Axes, sizes: Sequence[int], row: Row, number: int) -> None:
    """What the smallest model knows with selection, and the ordinary size that knows as much."""
    known, style = row["selected"], line(number, linewidth=1.3)
    axes.axhline(known, **style)
    marker = MARKERS[(number + 1) % len(MARKERS)]
    axes.plot([sizes[0]], [known], marker=marker, label=_label(row), **style)
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
