"""Retention: what the law says of each fact before it is asked, against what the model knows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from factcap.capacity.retention import CountedFacts, calibration_curve, r_squared
from factcap.figures.style import COLORS, MARKERS, TEXT_WIDTH, legend_below, line, look
from factcap.synth.disk.files import write_whole

# Most models that have a panel of their own.
_PANELS = 4
_CELLS = 25
_FEWEST = 20
_LEAST = 1e-3
_PAPER = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1.5}


@dataclass(frozen=True)
class HeldOut:
    """A model's facts, and what the law said of each when it was held out."""

    facts: CountedFacts
    predicted: npt.NDArray[np.float64]


def save_retention(models: Sequence[HeldOut], path: Path) -> None:
    """Draw the figure as a PNG; it appears whole or not at all."""
    with look():
        figure = draw(models)
        write_whole(path, partial(figure.savefig, format="png", metadata={"Software": None}))


def draw(models: Sequence[HeldOut]) -> Figure:
    """The figure: predicted against measured, calibration, and accuracy against frequency."""
    shown = models[:_PANELS]
    figure = Figure(figsize=(TEXT_WIDTH, 5.6), layout="constrained")
    halves: Any = figure.subfigures(2, 1, height_ratios=(1, 1.9))
    top, bottom = halves
    panels = top.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    image = [draw_against(axes, one) for axes, one in zip(panels, shown, strict=True)][-1]
    panels[0].set_ylabel("measured accuracy")
    top.colorbar(image, ax=list(panels), label="facts", pad=0.01)
    left, right = bottom.subplots(1, 2)
    for number, one in enumerate(models):
        _calibration(left, one, number)
        _frequency(right, one, number)
    left.plot([_LEAST, 1], [_LEAST, 1], color="0.4", linewidth=0.8)
    left.set(
        title="Calibration: 20 groups of facts",
        xlabel="predicted, mean of the group",
        ylabel="measured, mean of the group",
        xscale="log",
        yscale="log",
        xlim=(_LEAST, 1.1),
        ylim=(_LEAST, 1.1),
    )
    legend_below(left, ncols=2, columnspacing=1)
    right.set(
        title="By frequency: measured; law: lines",
        xlabel="documents that hold subject and object",
        ylabel="mean accuracy",
        xscale="symlog",
    )
    right.set_xlim(left=-0.3)
    right.set_ylim(bottom=0)
    return figure


def draw_against(axes: Axes, one: HeldOut) -> QuadMesh:
    """Measured against predicted: how many facts in each cell."""
    edges = np.linspace(0, 1, _CELLS + 1)
    cells, _, _ = np.histogram2d(one.predicted, one.facts.accuracy, bins=(edges, edges))
    image = axes.pcolormesh(
        edges, edges, np.ma.masked_equal(cells.T, 0), norm=LogNorm(1, 5000), cmap="YlGnBu"
    )
    axes.plot([0, 1], [0, 1], color="0.4", linewidth=0.8)
    axes.set(title=one.facts.model, xlabel="predicted", aspect="equal")
    text = f"$R^2$ = {r_squared(one.facts.accuracy, one.predicted):.2f}"
    memory = needs_memory(one.facts)
    if not memory.all():
        rest = r_squared(one.facts.accuracy[memory], one.predicted[memory])
        text += f"\n{rest:.2f} from memory"
    axes.text(0.04, 0.96, text, transform=axes.transAxes, va="top", size=8, bbox=_PAPER)
    return image


def _calibration(axes: Axes, one: HeldOut, number: int) -> None:
    predicted, measured, _ = calibration_curve(one.facts.accuracy, one.predicted)
    axes.plot(predicted, measured, **marked(number, label=one.facts.model), alpha=0.8)


def _frequency(axes: Axes, one: HeldOut, number: int) -> None:
    """Means over facts of like counts, those left out whose answer stands in the question."""
    memory = needs_memory(one.facts)
    count = one.facts.pair_count[memory]
    member = np.floor(np.log2(1 + count)).astype(int)
    facts = np.bincount(member)
    with np.errstate(invalid="ignore", divide="ignore"):
        center = np.bincount(member, count) / facts
        measured = np.bincount(member, one.facts.accuracy[memory]) / facts
        predicted = np.bincount(member, one.predicted[memory]) / facts
    enough = facts >= _FEWEST
    axes.plot(center[enough], measured[enough], **marked(number))
    axes.plot(center[enough], predicted[enough], **line(number))


def needs_memory(facts: CountedFacts) -> npt.NDArray[np.bool_]:
    """The facts whose answer does not stand in the question; all where names are not known."""
    return np.ones(len(facts), bool) if facts.names is None else ~facts.names.standing


def marked(number: int, **more: str) -> dict[str, Any]:
    """Color and marker of the points of this number, for points without a line."""
    style = {"color": COLORS[number % len(COLORS)], "marker": MARKERS[number % len(MARKERS)]}
    return {**style, "linestyle": "none", "markersize": 4.5, **more}
