"""Chapter 5: what training on chosen facts gains."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, StrMethodFormatter

from factcap.capacity import power_law_bound
from factcap.figures.files import read_csv
from factcap.figures.learn.means import means
from factcap.figures.style import COLORS, DASHES, MARKERS, TEXT_WIDTH

_SCHEMES = {
    "ordinary": "all facts",
    "random": "a random part",
    "loss_hf": "chosen by losses (loss_hf)",
    "worth": "chosen by worth",
}
_PANELS = {0.0: ("facts_known", "Equally frequent"), 1.0: ("weighted_accuracy", "Power law, s = 1")}


def draw(results: Path) -> Figure:
    """Facts known of equally frequent ones, and queries answered of a power law, by scheme.

    Args:
        results: the folder that holds `selection_gain.csv`.
    """
    rows = read_csv(results / "selection_gain.csv")
    capacity = rows[0]["capacity_bits"]
    figure = Figure(figsize=(TEXT_WIDTH, 3.4), layout="constrained")
    panels = figure.subplots(1, 2)
    for axes, (exponent, (column, title)) in zip(panels, _PANELS.items(), strict=True):
        here = [row for row in rows if row["exponent"] == exponent]
        for number, (scheme, label) in enumerate(_SCHEMES.items()):
            axes.plot(
                *means([row for row in here if row["scheme"] == scheme], "facts", column),
                color=COLORS[number],
                marker=MARKERS[number],
                linestyle=DASHES[number],
                label=label,
            )
        ticks = means(here, "facts", "load")[0]
        choices = 2.0 ** (here[0]["entropy_bits"] / here[0]["facts"])
        offered = np.round(np.geomspace(ticks[0], ticks[-1], 120))
        best = np.array(
            [
                power_law_bound(n, choices, exponent, capacity, kind="all_or_nothing").accuracy
                for n in offered
            ]
        )
        most = best * offered if column == "facts_known" else best
        axes.plot(offered, most, color="black", linewidth=1, label="all-or-nothing bound", zorder=1)
        axes.set(title=title, xlabel="facts offered", xscale="log")
        axes.set_xticks(ticks)
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_ylim(bottom=0)
    panels[0].set_ylabel("facts known")
    panels[1].set_ylabel("share of queries answered")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure
