"""Capacity ratio of small transformers on bioD: R against R_max, and against exposures."""

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from factcap.capacity import EdgeWarning, Fit, fit_exposures
from factcap.capacity import capacity_ratio as ratio_of
from factcap.figures.fields import Count, Positive, Seed, Size
from factcap.figures.files import claim, save
from factcap.figures.presets import Changes, choose
from factcap.figures.runs import make_runs
from factcap.figures.style import COLORS, DASHES, MARKERS, TEXT_WIDTH, legend_below, look
from factcap.models import Measurement, RunSpec, run_spec

NAME = "capacity_ratio"
COLUMNS = (
    *("model", "parameters", "seed", "exposures", "N", "K", "C", "D", "L", "T"),
    *("p2", "R", "R_max", "run"),
)
SHAPE = {"attributes": 2, "chunks": 4, "diversity": 16, "length": 1, "vocabulary": 64}


@dataclass(frozen=True)
class Plan:
    """Which runs are made: one model, every number of names at every number of exposures.

    Few exposures store most in many small steps, hence the small batch.
    """

    model: Size = "8k"
    people: tuple[Count, ...] = (60, 120, 240, 480)
    exposures: tuple[Count, ...] = (50, 100, 200, 400)
    seed: Seed = 0
    batch: Count = 4
    learning_rate: Positive = 0.01


PRESETS = {
    "tiny": Plan(people=(60, 120, 240), exposures=(50, 100, 200)),
    "laptop": Plan(),
}


def capacity_ratio(
    folder: Path,
    *,
    workers: int = 0,
    progress: Callable[[int, int, float], object] = lambda run, runs, share: None,
    preset: str = "laptop",
    changes: Changes = (),
) -> list[dict[str, Any]]:
    """Train on bioD, draw `capacity_ratio.png` and `.svg`, write `capacity_ratio.csv`.

    R and R_max count values and diversity sets (Allen-Zhu and Li 2024, 2404.05405): names are the
    keys here, given and not learned, so p1 = ln N_0 and their term is 0.

    Args:
        folder: where to write, a store of runs too; finished ones are read.
        workers: processes; 0: this one.
        progress: called with (number of the run, runs in all, share of the run that is done).
        preset: a name in `PRESETS`; `laptop` takes a minute on two cores.
        changes: of the preset: see `factcap.figures.presets`.

    Returns:
        The rows of the CSV.

    Raises:
        BadInput: for an unknown preset or change, or if something else in the folder has these
            names.
    """
    plan, record = choose(NAME, PRESETS, preset, changes)
    claim(folder, record)
    points = [(people, exposures) for people in plan.people for exposures in plan.exposures]
    points.sort(key=lambda point: -point[0] * point[1])
    specs = [_spec(plan, people, exposures) for people, exposures in points]
    runs = make_runs(specs, folder, workers=workers, progress=progress)
    rows = [
        _row(plan, *point, run.measurement, spec.id)
        for point, run, spec in zip(points, runs, specs, strict=True)
    ]
    rows.sort(key=lambda row: (row["exposures"], row["N"]))
    with look():
        save(draw(rows), rows, COLUMNS, folder, record)
    return rows


def _spec(plan: Plan, people: int, exposures: int) -> RunSpec:
    return run_spec(
        {
            "facts": {"generator": "tuples", "people": people, "seed": plan.seed, **SHAPE},
            "model": plan.model,
            "exposures": exposures,
            "batch": plan.batch,
            "learning_rate": plan.learning_rate,
            "optimizer": "adamw",
            "saturate": False,
            "fewest_steps": 0,
            "seed": plan.seed,
        }
    )


def _row(
    plan: Plan, people: int, exposures: int, measurement: Measurement, run: str
) -> dict[str, Any]:
    p2 = float(measurement.nll_bits.mean()) * math.log(2)
    names = 2.0**30
    symbols: dict[str, Any] = {
        "N": people,
        "K": SHAPE["attributes"],
        "C": SHAPE["chunks"],
        "D": SHAPE["diversity"],
        "L": SHAPE["length"],
        "T": SHAPE["vocabulary"],
    }
    nothing: dict[str, Any] = {"N_0": names, "p1": math.log(names), "P": measurement.parameters}
    # The first chunk costs no more than the whole value, so R is at least this; the term is small.
    ratio = ratio_of(**symbols, **nothing, p2=p2, p3=p2)
    return {
        "model": plan.model,
        "parameters": measurement.parameters,
        "seed": plan.seed,
        "exposures": exposures,
        **symbols,
        "p2": p2,
        "R": ratio,
        "R_max": ratio_of(**symbols, **nothing, p2=0.0, p3=0.0),
        "run": run,
    }


def peaks(rows: list[dict[str, Any]]) -> dict[int, float]:
    """The largest R over the set sizes, for each number of exposures: the capacity reached."""
    every = sorted({row["exposures"] for row in rows})
    return {e: max(row["R"] for row in rows if row["exposures"] == e) for e in every}


def law(rows: list[dict[str, Any]]) -> Fit | None:
    """Peak R against exposures, fitted; None for fewer than three numbers of exposures."""
    reached = peaks(rows)
    if len(reached) < 3:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EdgeWarning)  # said in the figure instead
        return fit_exposures(
            list(reached), [max(r, 0.0) for r in reached.values()], rng=np.random.default_rng(0)
        )


def draw(rows: list[dict[str, Any]]) -> Figure:
    """The figure: R against R_max, a line a number of exposures; and the peaks, fitted."""
    figure = Figure(figsize=(TEXT_WIDTH, 3.7), layout="constrained")
    left, right = figure.subplots(1, 2)
    every = sorted({row["exposures"] for row in rows})
    for number, exposures in enumerate(every):
        points = [row for row in rows if row["exposures"] == exposures]
        left.plot(
            [row["R_max"] for row in points],
            [row["R"] for row in points],
            color=COLORS[number % len(COLORS)],
            linestyle=DASHES[number % len(DASHES)],
            marker=MARKERS[number % len(MARKERS)],
            label=f"{exposures} exposures",
        )
    most = max(row["R_max"] for row in rows)
    grid = np.geomspace(min(row["R_max"] for row in rows) / 1.2, most * 1.2, 50)
    left.plot(grid, grid, color="black", linewidth=1, label="R = R_max: all is known")
    left.set(
        xscale="log",
        xlabel="R_max: bits of the set / parameters",
        ylabel="R: bits known / parameters",
        ylim=(min(0.0, *(row["R"] for row in rows)) * 1.1, 1.25 * max(row["R"] for row in rows)),
        title=f"bioD, {rows[0]['parameters']:,} parameters",
    )
    left.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    left.xaxis.set_minor_formatter(NullFormatter())
    left.set_xticks([tick for tick in (0.25, 0.5, 1, 2, 4, 8) if grid[0] <= tick <= grid[-1]])
    legend_below(left, ncols=2)
    _draw_law(right, rows)
    return figure


def _draw_law(axes: Axes, rows: list[dict[str, Any]]) -> None:
    reached = peaks(rows)
    axes.plot(
        list(reached),
        list(reached.values()),
        color=COLORS[0],
        marker=MARKERS[0],
        linestyle="none",
        label="measured",
    )
    fit = law(rows)
    if fit is not None:
        most = max(row["exposures"] for row in rows)
        grid = np.linspace(0, 1.5 * most, 200)
        low, high = fit.interval["saturated"]
        beyond = ", an extrapolation" if fit.edge else ""
        axes.plot(
            grid,
            fit.predict(grid),
            color="black",
            label=f"fit C (1 - exp(-kE)): C = {fit.estimate['saturated']:.3g}\n"
            f"({fit.level:.0%} interval {low:.3g} to {high:.3g}{beyond})",
        )
    axes.set(
        xlabel="exposures E of each fact",
        ylabel="R: bits known / parameters",
        ylim=(0, None),
        title="Largest R of the left panel against exposures",
    )
    legend_below(axes)
