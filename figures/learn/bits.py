"""Chapter 1: what a probability costs in bits, and what stored bits do for a guess."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from factcap.capacity import even_spreading
from factcap.figures.style import COLORS, MARKERS, TEXT_WIDTH, line

_MARKED = (1.0, 0.5, 0.25, 0.125, 0.0625)
_CHOICES = (2, 16, 1024)


def draw(results: Path) -> Figure:
    """NLL against the probability of the true value; chance of a right guess against stored bits.

    Args:
        results: not read; this picture needs no measured table.
    """
    figure = Figure(figsize=(TEXT_WIDTH, 2.9), layout="constrained")
    left, right = figure.subplots(1, 2)
    chance = np.linspace(0.02, 1, 400)
    left.plot(chance, -np.log2(chance), **line(0))
    left.plot(_MARKED, -np.log2(_MARKED), color=COLORS[0], marker=MARKERS[0], linestyle="none")
    for p in _MARKED:
        name = "1" if p == 1 else f"1/{1 / p:.0f}"
        offset = (2, 12) if p == 1 else (6, 3)
        left.annotate(
            f"{name}: {-np.log2(p) + 0:g} bits",
            (p, -np.log2(p)),
            xytext=offset,
            textcoords="offset points",
            ha="right" if p == 1 else "left",
        )
    left.set(
        title="What the true value costs",
        xlabel="probability that the model gives to it",
        ylabel="NLL (bits)",
        xlim=(0, 1.04),
        ylim=(-0.15, 5.6),
    )
    stored = np.linspace(0, 11, 111)
    for number, choices in enumerate(_CHOICES):
        right.plot(
            stored,
            [even_spreading([1.0], choices, bits).accuracy for bits in stored],
            **line(number, label=f"{choices:,} values, H = {np.log2(choices):g}"),
        )
    right.set(
        title="What stored bits are good for",
        xlabel="bits stored of one fact",
        ylabel="chance of a right guess",
        ylim=(-0.02, 1.42),
        yticks=[0, 0.25, 0.5, 0.75, 1],
    )
    right.legend(loc="upper center", bbox_to_anchor=(0.5, 1.04))
    return figure
