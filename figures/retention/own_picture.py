"""The figure `retention`: our own runs above, public models below."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from factcap.capacity.retention import r_squared
from factcap.figures.retention.own_runs import Plan, Told
from factcap.figures.retention.picture import HeldOut, draw_against, marked
from factcap.figures.selection.experiment import ORDINARY
from factcap.figures.style import line

# Facts of neighboring ranks that share a point, and how many points a condition has.
_POINTS = 30
_PANELS = 4


def draw(plan: Plan, told: Sequence[Told], public: Sequence[HeldOut]) -> Figure:
    """Recall against exposures for each scheme, and predicted against measured.

    Args:
        plan: of the runs.
        told: the conditions that were predicted.
        public: models of `factcap predict`; at most four are drawn.
    """
    shown = public[:_PANELS]
    schemes = plan.schemes
    columns = len(schemes) + 1
    width = max(3.9 * columns, 3.1 * len(shown), 9.3)
    figure = Figure(figsize=(width, 8.0 if shown else 4.3), layout="constrained")
    grid: Any = figure.subfigures(2 if shown else 1, 1, squeeze=False)
    parts = grid[:, 0]
    panels = parts[0].subplots(1, columns, squeeze=False)[0]
    for axes, scheme in zip(panels, schemes, strict=False):
        mine = [one for one in told if one.condition.scheme == scheme]
        for number, one in enumerate(mine):
            _by_exposures(axes, one, number)
        pooled = _pooled(mine)
        kind = "ordinary training" if scheme == ORDINARY else f"selected by {scheme}"
        axes.set(
            title=f"Our runs, {kind}",
            xlabel="exposures by frequency",
            xscale="log",
            ylim=(-0.03, 1.03),
        )
        title = f"$R^2$ = {pooled:.2f} per fact\npower law, load"
        axes.legend(loc="center right", title=title)
    panels[0].set_ylabel("recall: mean over runs (points), the law (lines)")
    _calibration(panels[-1], plan, told)
    if shown:
        below = parts[1].subplots(1, len(shown), sharey=True, squeeze=False)[0]
        image = [draw_against(axes, one) for axes, one in zip(below, shown, strict=True)][-1]
        below[0].set_ylabel("measured accuracy")
        parts[1].colorbar(image, ax=list(below), label="facts", pad=0.01)
    return figure


def _by_exposures(axes: Axes, one: Told, number: int) -> None:
    """Means over facts of neighboring ranks, which are in the order of their frequency."""
    member = np.arange(len(one.accuracy)) * _POINTS // len(one.accuracy)
    facts = np.bincount(member)
    center = np.exp(np.bincount(member, np.log(one.exposures)) / facts)
    measured = np.bincount(member, one.accuracy) / facts
    condition = one.condition
    label = f"s = {condition.exponent:g}, {condition.load:g}"
    axes.plot(center, measured, **marked(number, label=label), alpha=0.8)
    axes.plot(one.exposures, one.predicted, **line(number))


def _calibration(axes: Axes, plan: Plan, told: Sequence[Told]) -> None:
    """Of facts that were told about the same probability, how many the runs recall."""
    for number, scheme in enumerate(plan.schemes):
        mine = [one for one in told if one.condition.scheme == scheme]
        predicted = np.concatenate([one.predicted for one in mine])
        accuracy = np.concatenate([one.accuracy for one in mine])
        member = np.minimum((predicted * 10).astype(int), 9)
        there = np.unique(member)
        means = [
            [values[member == each].mean() for each in there] for values in (predicted, accuracy)
        ]
        axes.plot(*means, **marked(number, label=scheme))
    axes.plot([0, 1], [0, 1], color="0.4", linewidth=0.8)
    axes.set(
        title="Calibration, all conditions",
        xlabel="predicted, in groups of a tenth",
        ylabel="share of runs that recall",
        aspect="equal",
    )
    axes.legend()


def _pooled(told: Sequence[Told]) -> float:
    accuracy = np.concatenate([one.accuracy for one in told])
    return r_squared(accuracy, np.concatenate([one.predicted for one in told]))
