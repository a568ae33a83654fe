"""The figure `retention`: our own runs above, public models below."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from factcap.capacity.retention import noise_ceiling, r_squared
from factcap.figures.retention.own_plan import CITIES, CORPUS, POWER_LAW
from factcap.figures.retention.own_runs import Told
from factcap.figures.retention.picture import HeldOut, draw_against, marked
from factcap.figures.selection.experiment import ORDINARY
from factcap.figures.style import COLORS, TEXT_WIDTH, legend_below, line

# Facts of neighboring exposures share a point; a condition has this many points at the most.
_POINTS = 30
_PANELS = 4
_TITLES = {POWER_LAW: "Power law", CITIES: "Cities by population", CORPUS: "Corpus"}


def draw(told: Sequence[Told], public: Sequence[HeldOut]) -> Figure:
    """Recall against exposures, calibration and R^2 of our runs; predicted against measured.

    Args:
        told: the conditions that were predicted, some by a power law among them.
        public: models of `factcap predict`; at most four are drawn.
    """
    shown = public[:_PANELS]
    told = sorted(told, key=lambda one: list(_TITLES).index(one.condition.source))
    groups = _groups(told)
    rows = (len(groups) + 2) // 2
    heights = (2.7 * rows, 0.19 * len(told) + 1, 2.2)[: 3 if shown else 2]
    figure = Figure(figsize=(TEXT_WIDTH, sum(heights)), layout="constrained")
    grid: Any = figure.subfigures(len(heights), 1, squeeze=False, height_ratios=heights)
    parts = grid[:, 0]
    panels = list(parts[0].subplots(rows, 2, squeeze=False).flat)
    for axes, (title, mine) in zip(panels, groups.items(), strict=False):
        for number, one in enumerate(mine):
            _by_exposures(axes, one, number)
        axes.set(title=title, xlabel="exposures by frequency", xscale="log", ylim=(-0.03, 1.03))
        axes.set_ylabel("recall: points; law: lines")
        legend_below(axes, ncols=2, columnspacing=1)
    _calibration(panels[len(groups)], told)
    for axes in panels[len(groups) + 1 :]:
        axes.set_axis_off()
    _against_noise(parts[1].subplots(), told)
    if shown:
        below = parts[2].subplots(1, len(shown), sharey=True, squeeze=False)[0]
        image = [draw_against(axes, one) for axes, one in zip(below, shown, strict=True)][-1]
        below[0].set_ylabel("measured accuracy")
        parts[2].colorbar(image, ax=list(below), label="facts", pad=0.01)
    return figure


def _groups(told: Sequence[Told]) -> dict[str, list[Told]]:
    """What shares a panel, by its title: a scheme by power law, and each other source."""
    groups: dict[str, list[Told]] = {}
    for one in told:
        source = one.condition.source
        title = _TITLES[source]
        if source == POWER_LAW:
            title += f", {_training(one)}"
        groups.setdefault(title, []).append(one)
    return groups


def _training(one: Told) -> str:
    scheme = one.condition.scheme
    return "ordinary training" if scheme == ORDINARY else f"selected by {scheme}"


def _label(one: Told) -> str:
    condition = one.condition
    if condition.source == POWER_LAW:
        return f"s = {condition.exponent:g}, load {condition.load:g}"
    if condition.source == CITIES:
        return f"{condition.scheme}, load {condition.load:g}"
    return condition.scheme


def _by_exposures(axes: Axes, one: Told, number: int) -> None:
    """Means over facts of neighboring exposures; equal ones stay together."""
    exposures = one.training.exposures
    rank = stats.rankdata(exposures, method="min") - 1
    member = np.unique(rank * _POINTS // len(rank), return_inverse=True)[1]
    facts = np.bincount(member)
    center = np.exp(np.bincount(member, np.log(exposures)) / facts)
    measured, law = (np.bincount(member, x) / facts for x in (one.accuracy, one.predicted))
    axes.plot(center, measured, **marked(number, label=_label(one)), alpha=0.8)
    axes.plot(center, law, **line(number))


def _calibration(axes: Axes, told: Sequence[Told]) -> None:
    """Of facts that were told about the same probability, how many the runs recall."""
    kinds = dict.fromkeys((one.condition.source, one.condition.scheme) for one in told)
    for number, kind in enumerate(kinds):
        mine = [one for one in told if (one.condition.source, one.condition.scheme) == kind]
        predicted = np.concatenate([one.predicted for one in mine])
        accuracy = np.concatenate([one.accuracy for one in mine])
        member = np.minimum((predicted * 10).astype(int), 9)
        there = np.unique(member)
        means = [
            [values[member == each].mean() for each in there] for values in (predicted, accuracy)
        ]
        axes.plot(*means, **marked(number, label=", ".join(kind)))
    axes.plot([0, 1], [0, 1], color="0.4", linewidth=0.8)
    axes.set(
        title="Calibration",
        xlabel="predicted, in groups of a tenth",
        ylabel="share of runs that recall",
        xlim=(-0.03, 1.03),
        ylim=(-0.03, 1.03),
    )
    legend_below(axes)


def _against_noise(axes: Axes, told: Sequence[Told]) -> None:
    """R^2 of each condition, and the most that so few runs allow."""
    place = np.arange(len(told))
    reached = [r_squared(one.accuracy, one.predicted) for one in told]
    ceiling = [
        noise_ceiling(one.accuracy, np.full(len(one.accuracy), float(len(one.condition.seeds))))
        for one in told
    ]
    axes.barh(place, reached, height=0.7, color=COLORS[0], alpha=0.7)
    axes.plot(ceiling, place, linestyle="none", marker="|", color="0.1")
    names = [f"{one.condition.source}, {_label(one)}" for one in told]
    names = [
        f"{name}, {one.condition.scheme}" if one.condition.source == POWER_LAW else name
        for name, one in zip(names, told, strict=True)
    ]
    axes.set_yticks(place, names)
    axes.invert_yaxis()
    axes.set(
        title="$R^2$ per fact, noise ceiling", xlim=(0, 1), xlabel="law (bars), ceiling (ticks)"
    )
