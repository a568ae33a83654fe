"""Facts known in all domains together against the share spent before branching."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from factcap.capacity.splitting import Learning, facts_known
from factcap.figures.splitting.experiment import Plan
from factcap.figures.splitting.rows import Row, budget_draws
from factcap.figures.style import COLORS, MARKERS, TEXT_WIDTH, line

_POINTS = 201


def draw(
    plan: Plan,
    rows: Sequence[Row],
    table: Sequence[Mapping[str, Any]],
    capacity: Mapping[int, float],
    learning: Mapping[int, Learning],
) -> Figure:
    """A panel an overlap, of the largest model: measured, predicted, and the bound of each way."""
    width, count = max(plan.widths), len(plan.overlaps)
    columns = min(count, 2)
    figure = Figure(figsize=(TEXT_WIDTH, 2.4 * -(-count // columns) + 1.2), layout="constrained")
    panels = np.ravel(figure.subplots(-(-count // columns), columns, sharey=True, squeeze=False))
    for axes in panels[count:]:
        axes.remove()
    for axes, overlap in zip(panels, plan.overlaps, strict=False):
        some = [
            row
            for row in rows
            if row["overlap"] == overlap and row["parameters"] == plan.parameters(width)
        ]
        marked = [
            row
            for row in table
            if row["overlap"] == overlap and row["parameters"] == plan.parameters(width)
        ]
        for number, exposures in enumerate(plan.exposures):
            _measured(axes, [row for row in some if row["exposures"] == exposures], number)
            _predicted(axes, plan, overlap, exposures, capacity[width], learning[width], number)
        _chosen(axes, marked)
        _bounds(axes, marked[0])
        axes.set(
            title=f"overlap {overlap:.0%}",
            xlabel="share spent before branching",
            xlim=(-0.04, 1.04),
            ylim=(0, None),
        )
    panels[0].set_ylabel("facts known in all domains together")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3)
    figure.supxlabel(
        f"{plan.domains} domains of {plan.asked:,} facts of 18 bits; "
        f"{plan.parameters(width):,} parameters hold {capacity[width]:,.0f} bits; "
        f"{len(plan.seeds)} seeds;\n0: {plan.domains} models from nothing, 1: one model for all"
    )
    return figure


def _measured(axes: Axes, rows: Sequence[Row], number: int) -> None:
    known: dict[float, dict[int, int]] = {}
    for row in rows:
        by_seed = known.setdefault(row["pretraining_share"], {})
        by_seed[row["seed"]] = by_seed.get(row["seed"], 0) + row["facts_known"]
    shares = sorted(known)
    values = [np.array(list(known[share].values()), float) for share in shares]
    axes.errorbar(
        shares,
        [value.mean() for value in values],
        yerr=[
            np.array([value.mean() - value.min() for value in values]),
            np.array([value.max() - value.mean() for value in values]),
        ],
        marker=MARKERS[number],
        color=COLORS[number % len(COLORS)],
        linestyle="none",
        capsize=2,
        label=f"{rows[0]['exposures']:g} exposures, measured",
    )


def _predicted(
    axes: Axes,
    plan: Plan,
    overlap: float,
    exposures: float,
    capacity_bits: float,
    learning: Learning,
    number: int,
) -> None:
    share = np.linspace(0, 1, _POINTS)
    budget = budget_draws(plan, exposures)
    known = facts_known(plan.facts(overlap), capacity_bits, learning, budget, share * budget)
    axes.plot(
        share, plan.domains * known, label=f"{exposures:g} exposures, predicted", **line(number)
    )


def _chosen(axes: Axes, table: Sequence[Mapping[str, Any]]) -> None:
    axes.plot(
        [row["chosen_share"] for row in table],
        [row["chosen_known"] for row in table],
        linestyle="none",
        marker="o",
        markersize=9,
        markerfacecolor="none",
        markeredgecolor=COLORS[5],
        label="chosen by the theory",
    )


def _bounds(axes: Axes, row: Mapping[str, Any]) -> None:
    for column, label, style in (
        ("bound_branches", "bound: k branches", "-"),
        ("bound_one", "bound: one model", "--"),
        ("bound_one_large", "bound: one of k C bits", ":"),
    ):
        axes.axhline(row[column], color="0.45", linestyle=style, linewidth=1.0, label=label)
