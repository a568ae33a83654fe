"""The picture of `selection_gain`: what is known against what is offered, a line a scheme."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, StrMethodFormatter

from factcap.figures.selection.experiment import BITS, ORDINARY, Plan, Row, bound
from factcap.figures.style import COLORS, DASHES, MARKERS, TEXT_WIDTH

_CURVE = 60


def draw(rows: Sequence[Row], plan: Plan) -> Figure:
    """Facts known and weighted accuracy by exponent, and the best over all set sizes."""
    columns = len(plan.exponents)
    figure = Figure(figsize=(TEXT_WIDTH, 7.6), layout="constrained")
    parts: Any = figure.subfigures(2, 1, height_ratios=(2, 1.1))
    above, below = parts
    panels = above.subplots(2, columns, sharex=True, sharey="row", squeeze=False)
    capacity, thousands = float(rows[0]["capacity_bits"]), StrMethodFormatter("{x:,.0f}")
    for column, exponent in enumerate(plan.exponents):
        upper, lower = panels[:, column]
        here = [row for row in rows if row["exponent"] == exponent]
        for number, scheme in enumerate((ORDINARY, *plan.pictured)):
            chosen = [row for row in here if row["scheme"] == scheme]
            _line(upper, number, scheme, chosen, "facts_known")
            _line(lower, number, scheme, chosen, "weighted_accuracy")
        _bounds(upper, lower, exponent, plan, capacity)
        kind = "equally frequent" if exponent == 0 else f"power law, s = {exponent:g}"
        upper.set_title(kind)
        lower.set_xlabel("facts offered")
        lower.set_xscale("log")
        lower.set_xticks([plan.offered(load) for load in plan.loads])
        lower.xaxis.set_major_formatter(thousands)
        lower.xaxis.set_minor_locator(NullLocator())
        lower.tick_params(axis="x", labelrotation=90)
    panels[0, 0].set(ylabel="facts known", ylim=(0, None))
    panels[0, 0].yaxis.set_major_formatter(thousands)
    panels[1, 0].set(ylabel="frequency-weighted accuracy", ylim=(0, 1.03))
    handles, labels = panels[0, 0].get_legend_handles_labels()
    above.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    left, right = below.subplots(1, 2)
    _best(left, rows, plan, "facts_known")
    left.axhline(capacity / BITS, color="black", linewidth=1.2)
    best = max(capacity / BITS, *(row["facts_known"] for row in rows))
    left.set(ylim=(0, 1.05 * best), ylabel="facts known")
    left.set_title("Most facts known, over all numbers offered")
    left.yaxis.set_major_formatter(thousands)
    most = max(plan.loads)
    largest = [row for row in rows if row["load"] == most]
    _best(right, largest, plan, "weighted_ratio")
    right.axhline(1, color="black", linewidth=1.2)
    title = (
        f"{plan.offered(most):,} facts, {plan.offered(most) * BITS / capacity:.2g} times what fits"
    )
    right.set(ylabel="weighted accuracy / bound", title=title)
    first = rows[0]
    seeds = len({row["seed"] for row in rows})
    note = (
        f"{first['parameters']:,} parameters; {BITS:g} bits a fact; {plan.draws:,} draws; "
        + ("one seed" if seeds == 1 else f"mean of {seeds} seeds, bars: their range")
        + f"\ncapacity {capacity:,.0f} bits, as ordinary training stores of uniform facts"
    )
    figure.supxlabel(note)
    return figure


def _line(axes: Axes, number: int, scheme: str, rows: Sequence[Row], column: str) -> None:
    offered = sorted({row["facts"] for row in rows})
    found = [_over_seeds(rows, facts, column) for facts in offered]
    axes.errorbar(
        offered,
        [mean for mean, *_ in found],
        yerr=np.transpose([bars for _, *bars in found]),
        color=COLORS[number],
        marker=MARKERS[number],
        linestyle=DASHES[number],
        capsize=2.5,
        label=scheme,
    )


def _over_seeds(rows: Sequence[Row], facts: int, column: str) -> tuple[float, float, float]:
    """The mean over seeds, and how far it lies above the least and below the most of them."""
    values = [float(row[column]) for row in rows if row["facts"] == facts]
    mean = float(np.mean(values))
    return mean, max(mean - min(values), 0.0), max(max(values) - mean, 0.0)


def _bounds(upper: Axes, lower: Axes, exponent: float, plan: Plan, capacity: float) -> None:
    few, many = plan.offered(min(plan.loads)), plan.offered(max(plan.loads))
    offered = np.unique(np.geomspace(few, many, _CURVE).astype(int))
    most = np.array([bound(exponent, int(facts), capacity) for facts in offered])
    for axes, values in zip((upper, lower), most.T, strict=True):
        axes.plot(offered, values, color="black", linewidth=1.2, label="all-or-nothing bound")


def _best(axes: Axes, rows: Sequence[Row], plan: Plan, column: str) -> None:
    """For each exponent a mark a scheme: its best mean over the set sizes."""
    schemes = (ORDINARY, *plan.pictured)
    for number, scheme in enumerate(schemes):
        shift = (number - (len(schemes) - 1) / 2) * 0.13
        for place, exponent in enumerate(plan.exponents):
            here = [r for r in rows if r["exponent"] == exponent and r["scheme"] == scheme]
            mean, *bars = max(
                _over_seeds(here, facts, column) for facts in {row["facts"] for row in here}
            )
            axes.errorbar(
                place + shift,
                mean,
                yerr=np.transpose([bars]),
                color=COLORS[number],
                marker=MARKERS[number],
                capsize=2.5,
                linestyle="none",
            )
    axes.set_xticks(
        range(len(plan.exponents)),
        ["uniform" if exponent == 0 else f"s = {exponent:g}" for exponent in plan.exponents],
    )
    axes.set_ylim(0, None)
    axes.grid(axis="x", visible=False)
