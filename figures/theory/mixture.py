"""Facts mixed with other text: the phases, and how much of too many facts to keep."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from factcap.capacity import Background, allocate, best_subsample, subsample, threshold_capacity
from factcap.figures.files import Record, claim, save
from factcap.figures.style import COLORS, MARKERS, TEXT_WIDTH, legend_below, line, look

NAME = "mixture"
COLUMNS = (
    *("panel", "ratio", "capacity_bits", "keep", "stored_share", "all_or_nothing"),
    "even_spreading",
)
PEOPLE = 1_000_000
PERSON_BITS = 47.6
# A biography has six sentences of some twelve tokens.
TOKENS = 72.0
# Loss against parameters of Hoffmann et al. 2022 (2203.15556), 406.4 P^-0.34 nats a token, for
# two bits of capacity a parameter.
TEXT = Background(scale=406.4 * 2**0.34 / math.log(2), power=0.34)
RATIO = 0.2
CAPACITIES = (1e8, 1.3e8, 1.6e8)


def mixture(folder: Path) -> list[dict[str, Any]]:
    """Draw `mixture.png` and `.svg` and write `mixture.csv`; returns its rows.

    Raises:
        BadInput: if something else in the folder has these names.
    """
    record = Record(NAME)
    claim(folder, record)
    rows = [*_phases(), *_kept()]
    with look():
        save(draw(rows), rows, COLUMNS, folder, record)
    return rows


def _phases() -> list[dict[str, Any]]:
    frequency = 1 / (PEOPLE * TOKENS)
    rows = []
    for ratio in np.geomspace(0.005, 0.95, 61):
        for capacity in np.geomspace(1e7, 1e10, 61):
            found = allocate(capacity, ratio, TEXT, frequency, PERSON_BITS, PEOPLE)
            rows.append(_row("phases", ratio, capacity, 1.0, found.stored_share[0], "", ""))
    return rows


def _kept() -> list[dict[str, Any]]:
    rows = []
    choices = 2**PERSON_BITS
    for capacity in CAPACITIES:
        best = best_subsample(PEOPLE, choices, capacity, RATIO, TEXT, tokens_per_fact=TOKENS)
        near = np.minimum(best * np.array([1, 1.002, 1.005, 1.01, 1.02, 1.05]), 1.0)
        keep = np.unique([*np.linspace(0.01, 1, 100), *near])
        found = subsample(keep, PEOPLE, choices, capacity, RATIO, TEXT, tokens_per_fact=TOKENS)
        shares = found.stored_bits / (keep * PEOPLE * PERSON_BITS)
        columns = (keep, shares, found.all_or_nothing, found.even_spreading)
        rows += [_row("kept", RATIO, capacity, *point) for point in zip(*columns, strict=True)]
    return rows


def _row(panel, ratio, capacity, keep, share, whole, even) -> dict[str, Any]:
    numbers = (panel, float(ratio), float(capacity), float(keep), float(share), whole, even)
    return dict(zip(COLUMNS, numbers, strict=True))


def draw(rows: list[dict[str, Any]]) -> Figure:
    """The figure: the phase diagram, and accuracy against the share of the facts kept."""
    figure = Figure(figsize=(TEXT_WIDTH, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    phases = [row for row in rows if row["panel"] == "phases"]
    ratios = sorted({row["ratio"] for row in phases})
    capacities = sorted({row["capacity_bits"] for row in phases})
    share = np.reshape([row["stored_share"] for row in phases], (len(ratios), len(capacities)))
    shades = LinearSegmentedColormap.from_list("stored", ["white", COLORS[0]])
    mesh = left.contourf(ratios, capacities, share.T, levels=np.linspace(0, 1, 11), cmap=shades)
    figure.colorbar(mesh, ax=left, label="share of the facts' bits stored")
    frequency = 1 / (PEOPLE * TOKENS)
    first = np.array([threshold_capacity(ratio, frequency, TEXT) for ratio in ratios])
    left.plot(ratios, first, color="black", label="below: nothing of the facts")
    left.plot(
        ratios,
        first + PEOPLE * PERSON_BITS,
        color="black",
        linestyle="--",
        label="above: all of the facts",
    )
    left.set(
        xscale="log",
        yscale="log",
        ylim=(min(capacities), max(capacities)),
        xlabel="share of the facts' text in the mixture",
        ylabel="capacity of the model (bits)",
        title="A million biographies in web text",
    )
    legend_below(left)

    kept = [row for row in rows if row["panel"] == "kept"]
    for number, capacity in enumerate(CAPACITIES):
        curve = [row for row in kept if row["capacity_bits"] == capacity]
        keep = [row["keep"] for row in curve]
        whole = [row["all_or_nothing"] for row in curve]
        even = [row["even_spreading"] for row in curve]
        right.plot(keep, whole, **line(number, label=f"{capacity / 1e6:.0f} million bits"))
        right.plot(keep, even, **line(number, linewidth=0.8))
        best = int(np.argmax(whole))
        right.plot(keep[best], whole[best], MARKERS[number], **line(number, linewidth=0))
    right.set(
        xlabel="share of the biographies kept, at random",
        ylabel="share of all biographies known",
        title=f"Keeping fewer, at a mixture of {RATIO:.0%}",
        ylim=(0, None),
    )
    right.plot([], [], color="0.3", label="thick: facts stored whole")
    right.plot([], [], color="0.3", linewidth=0.8, label="thin: bits spread evenly")
    legend_below(right, ncols=2, columnspacing=1)
    return figure
