"""Capacity curve: measured fact accuracy against load, under what information theory allows."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from factcap.capacity import Bound, all_or_nothing_bound, even_spreading, rate_distortion_bound
from factcap.figures.capacity_experiment import COLUMNS, PRESETS, measure_curve
from factcap.figures.files import claim, save
from factcap.figures.presets import Changes, choose
from factcap.figures.style import COLORS, DASHES, MARKERS, TEXT_WIDTH, look

NAME = "capacity_curve"

Row = Mapping[str, Any]


def capacity_curve(
    folder: Path,
    *,
    preset: str = "laptop",
    changes: Changes = (),
    workers: int = 0,
    progress: Callable[[int, int, float], object] = lambda run, runs, share: None,
    say: Callable[[str], object] = lambda line: None,
    ended: Callable[[Sequence[Row]], object] = lambda rows: None,
) -> list[dict[str, Any]]:
    """Make the runs of a preset, and write the figure and its numbers.

    Writes `capacity_curve.png`, `.svg`, `.csv` and `.json`, and the runs below `runs/`. Picture and
    table grow while the runs end. Finished runs are read and not made again, and an interrupted
    call goes on where it was.

    Args:
        folder: where to write; other files there are left alone.
        preset: a name in `PRESETS`.
        changes: of the preset: see `factcap.figures.presets`.
        workers: processes; 0: this one.
        progress: called with (number of the run, runs in all, share of the run that is done).
        say: called with a line of what the runs may cost, and one of what they did.
        ended: called with the rows that there are, when more runs have ended.

    Returns:
        The rows of the CSV.

    Raises:
        BadInput: for an unknown preset or change, more facts than there are, or if something else
            in the folder has these names.
    """
    plan, record = choose(NAME, PRESETS, preset, changes)
    claim(folder, record)

    def sketch(found: Sequence[Row]) -> None:
        with look():
            save(draw(found, unfinished=True), found, COLUMNS, folder, record, ("png",))

    sketch_seldom = seldom(sketch)

    def more(found: Sequence[Row]) -> None:
        ended(found)
        sketch_seldom(found)

    rows = measure_curve(plan, folder, workers=workers, progress=progress, say=say, ended=more)
    with look():
        save(draw(rows), rows, COLUMNS, folder, record)
    return rows


def seldom(call: Callable[[Any], object], share: float = 0.1) -> Callable[[Any], None]:
    """A call that is left out while it would take more than this share of the time."""
    ready = float("-inf")

    def perhaps(argument: Any) -> None:
        nonlocal ready
        begun = time.monotonic()
        if begun >= ready:
            call(argument)
            ready = time.monotonic() + (time.monotonic() - begun) / share

    return perhaps


def lines(rows: Sequence[Row]) -> dict[tuple[str, str], list[list[Row]]]:
    """Rows by line (model, frequency), and in a line by number of facts: the seeds of a point."""
    found: dict[tuple[str, str], dict[int, list[Row]]] = {}
    for row in rows:
        points = found.setdefault((row["model"], row["frequency"]), {})
        points.setdefault(row["facts"], []).append(row)
    return {name: [points[facts] for facts in sorted(points)] for name, points in found.items()}


def draw(rows: Sequence[Row], *, unfinished: bool = False) -> Figure:
    """The figure: accuracy against load, and facts known against facts trained on.

    Args:
        rows: of the CSV.
        unfinished: whether other rows are to come, which the figure then says.
    """
    figure = Figure(figsize=(TEXT_WIDTH, 4.3), layout="constrained")
    accuracy_axes, known_axes = figure.subplots(1, 2)
    seeds = len({row["seed"] for row in rows})
    for number, points in enumerate(lines(rows).values()):
        style = {
            "color": COLORS[number % len(COLORS)],
            "marker": MARKERS[number % len(MARKERS)],
            "linestyle": DASHES[number % len(DASHES)],
            "capsize": 3,
            "label": _line_name(points[0][0]),
            "zorder": 3,
        }
        _plot(accuracy_axes, points, "load", "accuracy", style)
        _plot(known_axes, points, "facts", "facts_known", style)
    _draw_bounds(accuracy_axes, rows)
    _draw_known_bounds(known_axes, rows)

    accuracy_axes.set(
        xscale="log",
        xlabel="load: bits of the facts / measured capacity",
        ylabel="fact accuracy (share recalled exactly)",
        ylim=(-0.03, 1.06),
        title="Fact accuracy against load",
    )
    loads = [0.125, 0.25, 0.5, 1, 2, 4, 8]
    low, high = accuracy_axes.get_xlim()
    accuracy_axes.set_xticks([load for load in loads if low <= load <= high])
    accuracy_axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    accuracy_axes.xaxis.set_minor_formatter(NullFormatter())
    known_axes.set(
        xscale="log",
        yscale="log",
        xlabel="facts trained on",
        ylabel="facts known (recalled exactly)",
        title="Facts known against facts trained on",
    )
    for axis in (known_axes.xaxis, known_axes.yaxis):
        axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    known_axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
    known_axes.xaxis.set_minor_formatter(NullFormatter())
    known_axes.yaxis.set_minor_formatter(NullFormatter())
    spread = f"points: mean of {seeds} seeds, bars: their range" if seeds > 1 else "one seed"
    handles, labels = accuracy_axes.get_legend_handles_labels()
    title = f"{spread}; facts recalled exactly by greedy decoding"
    if unfinished:
        figure.suptitle(f"{len(rows)} runs so far")
    if any(row["capped"] for row in rows):
        title += "\nhollow: bits still grew when all exposures were used"
    figure.legend(handles, labels, loc="outside lower center", ncols=2, title=title)
    return figure


def _line_name(row: Row) -> str:
    frequency = row["frequency"]
    if row["exponent"]:
        frequency += f" (exponent {row['exponent']:.2f})"
    return f"measured, {row['parameters']:,} parameters, {frequency}"


def _plot(axes: Axes, points: list[list[Row]], x: str, y: str, style: dict[str, Any]) -> None:
    center = [np.mean([row[y] for row in seeds]) for seeds in points]
    low = [mean - min(row[y] for row in seeds) for mean, seeds in zip(center, points, strict=True)]
    high = [max(row[y] for row in seeds) - mean for mean, seeds in zip(center, points, strict=True)]
    position = [np.mean([row[x] for row in seeds]) for seeds in points]
    axes.errorbar(position, center, yerr=np.maximum([low, high], 0), **style)
    capped = [any(row["capped"] for row in seeds) for seeds in points]
    hollow = {"marker": style["marker"], "color": "white", "markeredgecolor": style["color"]}
    axes.plot(
        np.compress(capped, position), np.compress(capped, center), linestyle="", zorder=4, **hollow
    )


def _draw_bounds(axes: Axes, rows: Sequence[Row]) -> None:
    """The bounds on plain accuracy; they depend on load and choices, hardly on the model."""
    largest = max(rows, key=lambda row: row["capacity_bits"])
    capacity, each = largest["capacity_bits"], largest["entropy_bits"] / largest["facts"]
    loads = [row["load"] for row in rows]
    grid = np.geomspace(min(loads) / 1.15, max(loads) * 1.15, 200)
    facts = np.maximum(1, np.round(grid * capacity / each)).astype(int)
    bounds: list[tuple[str, Callable[..., Bound], dict[str, Any]]] = [
        (
            "bound: rate-distortion (the limit)",
            rate_distortion_bound,
            {"color": "black", "linewidth": 1.2},
        ),
        (
            "bound: facts stored whole (all-or-nothing)",
            all_or_nothing_bound,
            {"color": "0.45", "linewidth": 2.6, "alpha": 0.5, "zorder": 1},
        ),
        ("floor: bits spread evenly", even_spreading, {"color": "black", "linestyle": ":"}),
    ]
    for label, bound, style in bounds:
        values = [bound(np.full(n, 1 / n), 2.0**each, capacity).accuracy for n in facts]
        axes.plot(grid, values, label=label, **style)


def _draw_known_bounds(axes: Axes, rows: Sequence[Row]) -> None:
    """All facts up to the capacity, then as many as fit: one bound a model."""
    few, many = min(row["facts"] for row in rows), max(row["facts"] for row in rows)
    for model in dict.fromkeys(row["model"] for row in rows):
        row = next(row for row in rows if row["model"] == model)
        fitting = row["capacity_bits"] * row["facts"] / row["entropy_bits"]
        facts = np.geomspace(few / 1.15, many * 1.15, 200)
        axes.plot(
            facts, np.minimum(facts, fitting), color="0.45", linewidth=2.6, alpha=0.5, zorder=1
        )


def line(row: Row) -> str:
    """A run in a line, for one who waits for the others.

    >>> row = {"model": "8k", "frequency": "uniform", "facts": 906, "seed": 0}
    >>> line(row | {"facts_known": 904, "bits_per_parameter": 2.3})
    '8k, uniform, seed 0: 904 of 906 facts known, 2.30 bits a parameter'
    """
    return (
        f"{row['model']}, {row['frequency']}, seed {row['seed']}: {row['facts_known']:,} of "
        f"{row['facts']:,} facts known, {row['bits_per_parameter']:.2f} bits a parameter"
    )


def table(rows: Sequence[Row]) -> str:
    """The numbers as text for a terminal: a line a point, the mean over its seeds."""
    head = ("model", "frequency", "facts", "load", "known", "accuracy", "weighted")
    head += ("bits/param", "bound", "bound (weighted)")
    body: list[tuple[str, ...]] = [head]
    for (model, frequency), points in lines(rows).items():
        for seeds in points:

            def mean(column: str, seeds=seeds) -> float:
                return float(np.mean([row[column] for row in seeds]))

            body.append(
                (
                    model,
                    frequency,
                    f"{seeds[0]['facts']:,}",
                    f"{mean('load'):.2f}",
                    f"{mean('facts_known'):,.0f}",
                    f"{mean('accuracy'):.3f}",
                    f"{mean('weighted_accuracy'):.3f}",
                    f"{mean('bits_per_parameter'):.2f}",
                    f"{mean('rate_distortion'):.3f}",
                    f"{mean('weighted_rate_distortion'):.3f}",
                )
            )
    widths = [max(len(line[column]) for line in body) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in body
    )


def findings(rows: Sequence[Row]) -> list[str]:
    """What the figure shows, a sentence a line of it, and any point above its bound."""
    sentences = []
    for (model, frequency), points in lines(rows).items():
        known = [float(np.mean([row["facts_known"] for row in seeds])) for seeds in points]
        load = [float(np.mean([row["load"] for row in seeds])) for seeds in points]
        best = int(np.argmax(known))
        capacity, parameters = points[0][0]["capacity_bits"], points[0][0]["parameters"]
        sentences.append(
            f"{model}, {frequency}: capacity {capacity:,.0f} bits "
            f"({capacity / parameters:.2f} a parameter); most facts known {known[best]:,.0f} "
            f"at load {load[best]:.2f}, but {known[-1]:,.0f} at load {load[-1]:.2f}"
        )
    for prefix in ("", "weighted_"):
        above = [row for row in rows if row[f"{prefix}accuracy"] > row[f"{prefix}rate_distortion"]]
        if above:
            sentences.append(
                f"{len(above)} of {len(rows)} runs lie above the rate-distortion bound on "
                f"{prefix.replace('_', ' ')}accuracy: the capacity was not reached; train longer"
            )
    return sentences
