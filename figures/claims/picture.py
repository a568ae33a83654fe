"""Pictures of claims: the runs of each, and all measured numbers over the published ones."""

from collections.abc import Mapping, Sequence
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator, StrMethodFormatter

from factcap.figures.claims.claim import HOLDS, IN_PART, NOT_HERE, Claim, Panel, Row
from factcap.figures.style import COLORS, COLUMN_WIDTH, DASHES, MARKERS, TEXT_WIDTH, legend_below

# Ends of the axis of measured over published.
_FEWEST, _MOST = 0.05, 20.0

_VERDICTS = {HOLDS: ("o", COLORS[4]), IN_PART: ("s", COLORS[1]), NOT_HERE: ("X", COLORS[5])}


def draw_claim(claim: Claim, rows: Sequence[Row]) -> Figure:
    """Means over seeds, with their range, as the panel of the claim says.

    Rows whose value is infinite (a plateau that never ended) are left out.
    """
    panel = claim.panel
    rows = [row for row in rows if np.isfinite(row[panel.y])]
    figure = Figure(figsize=(COLUMN_WIDTH, 3.3), layout="constrained")
    axes = figure.subplots()
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(str(row[panel.by]) if panel.by else "", []).append(row)
    for number, (label, group) in enumerate(groups.items()):
        _line(axes, number, label, group, panel)
    if panel.published is not None:
        axes.axhline(panel.published, color="black", linewidth=0.8, label="published")
    axes.set(xlabel=panel.labels[0], ylabel=panel.labels[1], title=fill(claim.title, 42))
    if panel.log:
        axes.set_xscale("log")
        axes.set_xticks(_apart(sorted({row[panel.x] for row in rows})))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        axes.xaxis.set_minor_locator(NullLocator())
    if panel.log_y:
        axes.set_yscale("log")
    else:
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    if panel.floor is not None:
        axes.set_ylim(panel.floor, None)
    if len(groups) > 1:
        legend_below(axes, ncols=2, columnspacing=1)
    return figure


def _apart(positions: Sequence[float]) -> list[float]:
    """Those of some positive numbers whose labels do not touch on a logarithmic axis.

    >>> _apart([100, 101, 200])
    [100, 200]
    """
    kept: list[float] = []
    for at in positions:
        if not kept or at >= kept[-1] * (positions[-1] / positions[0]) ** 0.08:
            kept.append(at)
    return kept


def _line(axes: Axes, number: int, label: str, rows: Sequence[Row], panel: Panel) -> None:
    positions = sorted({row[panel.x] for row in rows})
    values = [[row[panel.y] for row in rows if row[panel.x] == at] for at in positions]
    center = np.array([np.mean(each) for each in values])
    below = np.maximum(center - [min(each) for each in values], 0)
    above = np.maximum(np.array([max(each) for each in values]) - center, 0)
    axes.errorbar(
        positions,
        center,
        yerr=[below, above],
        color=COLORS[number % len(COLORS)],
        # Of more lines than colors, those of one color have different markers.
        marker=MARKERS[(number + number // len(COLORS)) % len(MARKERS)],
        linestyle=DASHES[number % len(DASHES)],
        capsize=3,
        label=label or None,
    )


def draw_findings(rows: Sequence[Mapping[str, str]]) -> Figure:
    """Each measured number over the published one, with its interval, on a logarithmic axis.

    Args:
        rows: of the table of findings, as texts; those whose published number is missing or 0 are
            left out, and what lies beyond the axis is drawn at its end.
    """
    shown = [row for row in rows if row["published"] and float(row["published"]) > 0]
    figure = Figure(figsize=(TEXT_WIDTH, 1.1 + 0.36 * len(shown)), layout="constrained")
    axes = figure.subplots()
    axes.axvline(1, color="black", linewidth=0.8)
    for place, row in enumerate(shown):
        low, center, high = (
            min(max(float(row[name]) / float(row["published"]), _FEWEST), _MOST)
            for name in ("low", "measured", "high")
        )
        marker, color = _VERDICTS[row["verdict"]]
        axes.plot([low, high], [place, place], color=color)
        axes.plot(center, place, marker=marker, color=color)
    for verdict, (marker, color) in _VERDICTS.items():
        axes.plot([], [], marker=marker, color=color, linestyle="none", label=verdict)
    axes.set(xscale="log", xlim=(_FEWEST, _MOST), xlabel="measured / published")
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_yticks(range(len(shown)), [fill(row["claim"], 52) for row in shown])
    axes.invert_yaxis()
    figure.legend(loc="outside upper right", ncols=len(_VERDICTS))
    return figure
