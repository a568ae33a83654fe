"""Chapter 2: bits that a model stores against the bits that it is offered."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from factcap.figures.files import read_csv
from factcap.figures.learn.means import means, uniform
from factcap.figures.style import COLORS, DASHES, MARKERS, TEXT_WIDTH


def draw(results: Path) -> Figure:
    """Stored bits against bits offered, and the share of each bit offered that is stored.

    Args:
        results: the folder that holds `capacity_curve.csv`.
    """
    rows = uniform(read_csv(results / "capacity_curve.csv"))
    capacity = rows[0]["capacity_bits"]
    offered, stored = means(rows, "entropy_bits", "unclipped_stored_bits")
    figure = Figure(figsize=(TEXT_WIDTH, 2.9), layout="constrained")
    left, right = figure.subplots(1, 2)
    ends = np.array([0, max(offered)])
    left.plot(ends, ends, color="0.45", linestyle=DASHES[2], label="all that is offered")
    left.axhline(capacity, color="black", linestyle=DASHES[1], label="capacity")
    left.plot(
        offered, stored, color=COLORS[0], marker=MARKERS[0], linestyle=DASHES[0], label="stored"
    )
    left.set(
        title=f"{rows[0]['parameters']:,} parameters",
        xlabel="bits of the facts trained on, N H",
        ylabel="bits",
        ylim=(0, 1.55 * capacity),
    )
    for axis in (left.xaxis, left.yaxis):
        axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    left.set_xticks([0, 20_000, 40_000, 60_000])
    left.legend(loc="lower right")
    load = np.array(offered) / capacity
    grid = np.linspace(min(load), max(load), 200)
    right.plot(grid, np.minimum(1, 1 / grid), color="black", linestyle=DASHES[1], label="at most")
    right.plot(
        load,
        np.array(stored) / offered,
        color=COLORS[0],
        marker=MARKERS[0],
        linestyle=DASHES[0],
        label="stored",
    )
    right.set(
        title="The same, by load",
        xlabel="load: N H / capacity",
        ylabel="share of the bits that is stored",
        ylim=(0, 1.05),
    )
    right.legend(loc="upper right")
    return figure
