"""A small diffusion model from memorizing to generalizing, as points outgrow its capacity."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from factcap.figures.diffusion_experiment import (
    COLUMNS,
    MEMORIZED,
    NETWORK,
    POSTERIOR,
    PRESETS,
    TRUTH,
    Trial,
    measure_each,
)
from factcap.figures.files import claim, save
from factcap.figures.presets import Changes, choose
from factcap.figures.style import COLORS, DASHES, MARKERS, TEXT_WIDTH, legend_below, look

NAME = "diffusion_transition"

Rows = list[dict[str, Any]]


def diffusion_transition(
    folder: Path,
    *,
    workers: int = 0,
    progress: Callable[[int, int, float], object] = lambda run, runs, share: None,
    preset: str = "laptop",
    changes: Changes = (),
) -> Rows:
    """Train denoisers, draw `diffusion_transition.png` and `.svg`, and write the CSV beside them.

    The points come from four clusters in 8 dimensions, whose score is known at every noise. Of each
    network, in the column `panel`:

    - `samples`: how many samples are memorized
      (`factcap.capacity.memorized_prior.memorized_fraction`), of the network, of the memorized
      mixture (drawn alike), of DPS with the network, and of fresh points;
    - `score`: its score against the memorized mixture's on noised training points, and against the
      true distribution's on noised fresh points (`factcap.models.diffusion.score_error`);
    - `stored`: bits stored of the training points, at a resolution of the least noise, the most
      that could be, and what a fresh point costs more than it need
      (`factcap.models.diffusion.measure`);
    - `posterior`, at one N: the share of DPS samples nearest each training point, beside its weight
      in the exact posterior, of the empirical prior and of the mixture at the least noise.

    Args:
        folder: where to write; results lie in `diffusion_transition_runs`, and those there are
            read.
        workers: processes; 0: this one.
        progress: called with (number of the run, runs in all, share of the run that is done).
        preset: a name in `PRESETS`.
        changes: of the preset: see `factcap.figures.presets`.

    Returns:
        The rows of the CSV.

    Raises:
        BadInput: for an unknown preset or change, or if something else in the folder has these
            names.
    """
    plan, record = choose(NAME, PRESETS, preset, changes)
    claim(folder, record)
    trials = [
        Trial(plan, points, seed, folder / "diffusion_transition_runs")
        for seed in plan.seeds
        for points in plan.points
    ]
    found = measure_each(trials, workers, progress)
    rows = [row for number in range(len(trials)) for row in found[number]]
    with look():
        save(draw(rows), rows, COLUMNS, folder, record)
    return rows


def draw(rows: Rows) -> Figure:
    """The figure: memorized fraction, score errors, stored bits, and posterior samples."""
    figure = Figure(figsize=(TEXT_WIDTH, 7.4), layout="constrained")
    axes = figure.subplots(2, 2)
    panels = {
        name: [row for row in rows if row["panel"] == name]
        for name in ("samples", "score", "stored", "posterior")
    }
    _samples(axes[0, 0], panels["samples"])
    _scores(axes[0, 1], panels["score"])
    _stored(axes[1, 0], panels["stored"])
    _posterior(axes[1, 1], panels["posterior"])
    for panel in (axes[0, 0], axes[0, 1], axes[1, 0]):
        panel.set(xscale="log", xlabel="training points N")
        points = sorted({row["points"] for row in rows})
        panel.set_xticks(points, [f"{n:,}" for n in points], rotation=60)
        panel.minorticks_off()
    seeds, full = len({row["seed"] for row in rows}), capacity_points(rows)
    notes = [f"lines: mean of {seeds} seeds, bars: their range"] * (seeds > 1)
    if full is not None:
        for panel in (axes[0, 0], axes[0, 1], axes[1, 0]):
            panel.axvline(full, ymax=0.82, color="0.5", linewidth=0.9, zorder=0)
        notes.append(
            f"gray upright: the most bits stored are all there is to store of {full:.0f} points"
        )
    figure.supxlabel("\n".join(notes))
    return figure


def _samples(axes: Axes, rows: Rows) -> None:
    labels = {
        NETWORK: "network",
        POSTERIOR: "network, posterior samples (DPS)",
        MEMORIZED: "memorized mixture",
        TRUTH: "fresh points",
    }
    for number, (name, label) in enumerate(labels.items()):
        mine = [row for row in rows if row["series"] == name]
        _line(axes, number, label, mine, "memorized_fraction")
    axes.set(
        ylabel="memorized fraction of samples",
        ylim=(-0.03, 1.05),
        title="Nearest training point three times\nnearer than the next",
    )
    legend_below(axes, room=6.5)


def _scores(axes: Axes, rows: Rows) -> None:
    noises = sorted({row["noise"] for row in rows})
    labels = {"memorized_error": "to the mixture", "true_error": "to the truth"}
    for kind, (column, label) in enumerate(labels.items()):
        for number, noise in enumerate(noises):
            mine = [row for row in rows if row["noise"] == noise]
            style = {"linestyle": DASHES[kind], "markerfacecolor": ["white", COLORS[number]][kind]}
            name = rf"{label}, $\sigma$ = {noise:g}"
            _line(axes, number, name, mine, column, **style)
    axes.set(
        yscale="log",
        ylabel=r"squared error of $\sigma$ $\times$ score",
        title="Score of the network\nagainst both closed forms",
    )
    legend_below(axes, room=6.5, ncols=2, columnspacing=1)


def capacity_points(rows: Rows) -> float | None:
    """The N whose points would just fill the most bits that were stored, log-interpolated.

    None if that lies beyond the numbers tried.
    """
    stored = [row for row in rows if row["panel"] == "stored"]
    peak = _most_stored(stored)
    found = _by_points(stored, "most_bits")
    needed = [float(np.mean(values)) for _, values in found]
    if not needed[0] < peak < needed[-1]:
        return None
    return float(np.exp(np.interp(np.log(peak), np.log(needed), np.log([n for n, _ in found]))))


def _most_stored(rows: Rows) -> float:
    return max(float(np.mean(values)) for _, values in _by_points(rows, "stored_bits"))


def _stored(axes: Axes, rows: Rows) -> None:
    _line(axes, 0, "stored by the network", rows, "stored_bits")
    _line(axes, 2, "all there is to store", rows, "most_bits")
    peak = _most_stored(rows)
    axes.axhline(peak, color="0.5", linewidth=0.9, label=f"most stored: {peak:,.0f} bits")
    parameters = rows[0]["parameters"]
    axes.set(
        ylabel=rf"bits of all points, resolution {rows[0]['noise']:g}",
        ylim=(min(0.0, *(1.1 * row["stored_bits"] for row in rows)), 1.5 * peak),
        title=f"Stored bits, {parameters:,} parameters",
    )
    legend_below(axes, room=6.5)


def _posterior(axes: Axes, rows: Rows) -> None:
    for number, (name, label) in enumerate(
        ((MEMORIZED, "DPS, score of the mixture"), (NETWORK, "DPS, network"))
    ):
        mine = [row for row in rows if row["series"] == name]
        weights, shares = (
            np.array([row[column] for row in mine]) for column in ("empirical_weight", "share")
        )
        axes.plot(
            weights,
            shares,
            MARKERS[number],
            color=COLORS[number],
            markerfacecolor="none" if number else COLORS[number],
            label=f"{label}: {distance(mine):.0%} off",
        )
    most = max(max(row["empirical_weight"], row["share"]) for row in rows)
    axes.plot([0, most], [0, most], color="black", linewidth=1)
    problems = len({(row["seed"], row["observation"]) for row in rows})
    axes.set(
        xlabel="exact posterior weight of a training point",
        ylabel="share of samples nearest to it",
        title=f"N = {rows[0]['points']}: {problems} inverse problems",
    )
    legend_below(axes)


def distance(rows: Rows) -> float:
    """Total variation between shares and exact weights, the mean over inverse problems."""
    problems = {(row["seed"], row["observation"]) for row in rows}
    away = sum(abs(row["share"] - row["empirical_weight"]) for row in rows)
    return away / 2 / len(problems)


def _by_points(rows: Rows, column: str) -> list[tuple[int, list[float]]]:
    every = sorted({row["points"] for row in rows})
    return [(n, [row[column] for row in rows if row["points"] == n]) for n in every]


def _line(axes: Axes, number: int, label: str, rows: Rows, column: str, **style: Any) -> None:
    """The mean over seeds, with their range."""
    found = _by_points(rows, column)
    center = np.array([np.mean(values) for _, values in found])
    below = center - [min(values) for _, values in found]
    above = np.array([max(values) for _, values in found]) - center
    axes.errorbar(
        [n for n, _ in found],
        center,
        yerr=np.maximum([below, above], 0),
        marker=MARKERS[number],
        capsize=3,
        label=label,
        **{"color": COLORS[number], "linestyle": DASHES[number], **style},
    )
