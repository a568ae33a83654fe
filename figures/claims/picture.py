"""Pictures of claims: the runs of each, and all measured numbers over the published ones."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from factcap.figures.claims.claim import HOLDS, IN_PART, NOT_HERE, Claim, Panel, Row
from factcap.figures.style import COLORS, DASHES, MARKERS

_VERDICTS = {HOLDS: ("o", COLORS[2]), IN_PART: ("s", COLORS[1]), NOT_HERE: ("X", COLORS[5])}


def draw_claim(claim: Claim, rows: Sequence[Row]) -> Figure:
    """Means over seeds, with their range, as the panel of the claim says."""
    panel = claim.panel
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.subplots()
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(str(row[panel.by]) if panel.by else "", []).append(row)
    for number, (label, group) in enumerate(groups.items()):
        _line(axes, number, label, group, panel)
    if panel.published is not None:
        axes.axhline(panel.published, color="black", linewidth=0.8, label="published")
    axes.set(xlabel=panel.labels[0], ylabel=panel.labels[1], title=claim.title)
    if panel.log:
        axes.set_xscale("log")
        positions = sorted({row[panel.x] for row in rows})
        axes.set_xticks(positions)
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    if panel.log_y:
        axes.set_yscale("log")
    if len(groups) > 1:
        axes.legend()
    return figure


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
        marker=MARKERS[number % len(MARKERS)],
        linestyle=DASHES[number % len(DASHES)],
        capsize=3,
        label=label or None,
    )


def draw_findings(rows: Sequence[Mapping[str, str]]) -> Figure:
    """Each measured number over the published one, with its interval, on a logarithmic axis.

    Args:
        rows: of the table of findings, as texts; those without a published number are left out.
    """
    shown = [row for row in rows if row["published"] and float(row["measured"]) > 0]
    figure = Figure(figsize=(9.5, 1.2 + 0.3 * len(shown)), layout="constrained")
    axes = figure.subplots()
    axes.axvline(1, color="black", linewidth=0.8)
    for place, row in enumerate(shown):
        published = float(row["published"])
        ends = [max(float(row[end]) / published, 1e-3) for end in ("low", "high")]
        marker, color = _VERDICTS[row["verdict"]]
        axes.plot(ends, [place, place], color=color)
        axes.plot(float(row["measured"]) / published, place, marker=marker, color=color)
    for verdict, (marker, color) in _VERDICTS.items():
        axes.plot([], [], marker=marker, color=color, linestyle="none", label=verdict)
    axes.set(xscale="log", xlabel="measured / published")
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_yticks(range(len(shown)), [row["claim"] for row in shown])
    axes.invert_yaxis()
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return figure
