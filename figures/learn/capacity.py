"""Chapter 3: stored bits a parameter, by exposures and by size."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, StrMethodFormatter

from factcap.capacity import fit_exposures
from factcap.figures.files import read_csv
from factcap.figures.learn.means import means
from factcap.figures.style import COLORS, DASHES, MARKERS, TEXT_WIDTH, line

# Peak bits a parameter of GPT-2 on bioS, by exposures (Allen-Zhu and Li 2024, 2404.05405).
_PUBLISHED = {100: 1.0, 1000: 2.0}
_OPTIMIZERS = {"muon": "Muon", "adamw": "AdamW"}
_SIZE, _EXPOSURES = "29k", 100


def draw(results: Path) -> Figure:
    """Bits a parameter against exposures with a fitted law, and against parameters.

    Args:
        results: the folder that holds `stored_bits.csv`.
    """
    rows = [r for r in read_csv(results / "stored_bits.csv") if r["source"] == "bitstrings"]
    figure = Figure(figsize=(TEXT_WIDTH, 2.9), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    rows_of_size = [row for row in rows if row["model"] == _SIZE]
    grid = np.geomspace(20, 1100, 200)
    for number, (optimizer, name) in enumerate(_OPTIMIZERS.items()):
        mine = [row for row in rows_of_size if row["optimizer"] == optimizer]
        exposures, bits = means(mine, "exposures", "bits_per_parameter")
        left.plot(
            exposures,
            bits,
            color=COLORS[number],
            marker=MARKERS[number],
            linestyle="none",
            label=f"measured, {name}",
        )
        if optimizer == "muon":
            law = fit_exposures(exposures, bits, rng=np.random.default_rng(0))
            left.plot(grid, law.predict(grid), **line(number, label="fitted law"))
    left.plot(
        list(_PUBLISHED),
        list(_PUBLISHED.values()),
        color="black",
        marker="*",
        markersize=8,
        linestyle="none",
        label="published, GPT-2 (2024)",
    )
    left.set(
        xscale="log",
        xlabel="exposures of each fact",
        ylabel="stored bits / parameters",
        ylim=(0, 3.6),
        title=f"{rows_of_size[0]['parameters']:,} parameters",
    )
    left.set_xticks([25, 50, 100, 200, 1000])
    left.legend(loc="upper left", ncols=2, columnspacing=1, handlelength=1.6, handletextpad=0.5)
    same = [r for r in rows if r["optimizer"] == "muon" and r["exposures"] == _EXPOSURES]
    right.plot(
        *means(same, "parameters", "bits_per_parameter"),
        color=COLORS[0],
        marker=MARKERS[0],
        linestyle=DASHES[0],
    )
    right.set(xscale="log", xlabel="parameters", title=f"Muon, {_EXPOSURES} exposures of each fact")
    right.set_xticks(means(same, "parameters", "bits_per_parameter")[0])
    for axes in (left, right):
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.xaxis.set_minor_locator(NullLocator())
    return figure
