"""Stored bits of over-full models: against exposures for each optimizer, and against parameters."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from factcap.figures.fields import Count, Items, Seeds, Size, one_of
from factcap.figures.files import claim, save
from factcap.figures.presets import Changes, choose
from factcap.figures.runs import Finished, make_runs
from factcap.figures.style import COLORS, DASHES, MARKERS, TEXT_WIDTH, legend_below, look
from factcap.models import RunSpec, TrainConfig, model_vocabulary, named_size, run_spec
from factcap.models.training.optim import OPTIMIZERS
from factcap.synth import biographies
from factcap.synth.errors import require

NAME = "stored_bits"
COLUMNS = (
    *("source", "model", "parameters", "optimizer", "learning_rate", "batch", "seed", "facts"),
    *("entropy_bits", "exposures", "unclipped_stored_bits", "bits_per_parameter", "run"),
)

# Exposures, and the peak capacity ratio of GPT-2 on bioS, trained with AdamW (Allen-Zhu and Li
# 2024, 2404.05405).
PUBLISHED = (100, 1.0)

Row = Mapping[str, Any]
Recipe = dict[str, Any]


def _bitstrings(size: str, bits_offered: float, seed: int) -> Recipe:
    """Facts of 24 bits, 3 value tokens of 256 after a key of 4."""
    parameters = named_size(size, 256).parameters
    facts = round(bits_offered * parameters / 24)
    shape = {"vocabulary": 256, "length": 7, "key_length": 4}
    return {"generator": "bitstrings", "facts": facts, "seed": seed, **shape}


def _biographies(size: str, bits_offered: float, seed: int) -> Recipe:
    """Six facts a person, 47.6 bits, under the person's name."""
    few = biographies(1)
    parameters = named_size(size, model_vocabulary(few.facts())).parameters
    people = round(bits_offered * parameters / few.entropy_bits)
    return {"generator": "biographies", "people": people, "seed": seed}


@dataclass(frozen=True)
class Source:
    """A kind of facts.

    Attributes:
        label: what the figure calls it.
        make: its recipe, from (name of the model, bits offered for each parameter, seed).
        bits_offered: more than a model stores; on biographies, near where it stores most.
        batch: facts a step.
    """

    label: str
    make: Callable[[str, float, int], Recipe]
    bits_offered: float
    batch: int


SOURCES = {
    "bitstrings": Source("facts of 24 bits", _bitstrings, 3.6, 64),
    "biographies": Source("bioS, names given", _biographies, 2.0, 256),
}


@dataclass(frozen=True)
class Plan:
    """Which runs are made.

    Attributes:
        size: of the model that every optimizer trains.
        optimizers: names in `factcap.models.training.optim.OPTIMIZERS`.
        exposures: of each fact; every number for every optimizer.
        sizes: of models that the default optimizer trains, with `at` exposures.
        at: one of the exposures.
        biographies: of models that the default optimizer trains on biographies, likewise.
        seeds: of facts, parameters and draws.
    """

    size: Size = "29k"
    optimizers: tuple[Annotated[str, one_of(OPTIMIZERS)], ...] = OPTIMIZERS
    exposures: tuple[Count, ...] = (25, 50, 100, 200)
    sizes: tuple[Size, ...] = ("8k", "29k", "0.1M")
    at: Count = 100
    biographies: Annotated[tuple[Size, ...], Items(empty=True)] = ("8k",)
    seeds: Seeds = (0, 1, 2)

    def __post_init__(self):
        require(
            self.at in self.exposures,
            f"at must be one of the exposures {', '.join(map(str, self.exposures))}, not {self.at}",
        )


PRESETS = {
    "tiny": Plan(
        size="8k",
        optimizers=("adamw", "muon"),
        exposures=(25, 50),
        sizes=("8k",),
        at=50,
        biographies=(),
        seeds=(0,),
    ),
    "laptop": Plan(),
}


def stored_bits(
    folder: Path,
    *,
    workers: int = 0,
    progress: Callable[[int, int, float], object] = lambda run, runs, share: None,
    preset: str = "laptop",
    changes: Changes = (),
) -> list[dict[str, Any]]:
    """Train over-full models, draw `stored_bits.png` and `.svg`, write `stored_bits.csv`.

    What a model stores is N H minus the sum of NLL, not clipped (Morris et al. 2025, 2505.24832).
    Each run uses all its exposures, at the default learning rate of its optimizer.

    Args:
        folder: where to write, a store of runs too; finished ones are read.
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
    points = sorted(_points(plan), key=lambda point: -point[1].most_flops())
    specs = [spec for _, spec in points]
    runs = make_runs(specs, folder, workers=workers, progress=progress)
    rows = [_row(*point, run) for point, run in zip(points, runs, strict=True)]
    rows.sort(key=_order)
    with look():
        save(draw(rows, plan), rows, COLUMNS, folder, record)
    return rows


def _points(plan: Plan) -> Iterable[tuple[str, RunSpec]]:
    """The name of a source, and a run with facts of it."""
    default = TrainConfig().optimizer
    points = {
        *(
            ("bitstrings", plan.size, name, exposures)
            for name in plan.optimizers
            for exposures in plan.exposures
        ),
        *(("bitstrings", size, default, plan.at) for size in plan.sizes),
        *(("biographies", size, default, plan.at) for size in plan.biographies),
    }
    for name, size, optimizer, exposures in sorted(points):
        source = SOURCES[name]
        for seed in plan.seeds:
            config = {
                "facts": source.make(size, source.bits_offered, seed),
                "model": size,
                "exposures": exposures,
                "fewest_steps": 0,
                "batch": source.batch,
                "optimizer": optimizer,
                "saturate": False,
                "seed": seed,
            }
            yield name, run_spec(config)


def _row(source: str, spec: RunSpec, run: Finished) -> dict[str, Any]:
    summary, training = run.measurement.summary(), run.outcome["training"]
    stored = summary["unclipped_stored_bits"]
    return {
        "source": source,
        "model": spec.model,
        **{name: training[name] for name in ("optimizer", "learning_rate", "batch", "seed")},
        "exposures": round(training["exposures"]),
        "facts": summary["facts"],
        "run": spec.id,
        "parameters": summary["parameters"],
        "entropy_bits": summary["entropy_bits"],
        "unclipped_stored_bits": stored,
        "bits_per_parameter": stored / summary["parameters"],
    }


def _order(row: Row) -> tuple:
    optimizer = OPTIMIZERS.index(row["optimizer"])
    return (row["source"], row["parameters"], optimizer, row["exposures"], row["seed"])


def draw(rows: Iterable[Row], plan: Plan) -> Figure:
    """The figure: bits a parameter against exposures, and against parameters."""
    rows = list(rows)
    figure = Figure(figsize=(TEXT_WIDTH, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    base = [row for row in rows if row["source"] == "bitstrings" and row["model"] == plan.size]
    for number, name in enumerate(plan.optimizers):
        _line(left, number, name, [r for r in base if r["optimizer"] == name], "exposures")
    if PUBLISHED[0] <= max(plan.exposures):
        left.plot(
            *PUBLISHED,
            color="black",
            marker="*",
            markersize=8,
            linestyle="none",
            label="published, GPT-2",
        )
    left.set(
        xscale="log",
        xlabel="exposures of each fact",
        ylabel="bits stored / parameters",
        ylim=(min(0.0, *(row["bits_per_parameter"] for row in rows)), None),
        title=f"Facts of 24 bits, {base[0]['parameters']:,} parameters",
    )
    left.set_xticks(plan.exposures)
    default = TrainConfig().optimizer
    for number, (name, source) in enumerate(SOURCES.items()):
        points = [
            row
            for row in rows
            if row["source"] == name and row["optimizer"] == default and row["exposures"] == plan.at
        ]
        if points:
            _line(right, number, source.label, points, "parameters")
    right.set(
        xscale="log", xlabel="parameters", title=f"{default}, {plan.at} exposures of each fact"
    )
    for axes in (left, right):
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        legend_below(axes, ncols=2, columnspacing=1)
    if len(plan.seeds) > 1:
        figure.supxlabel(f"points: mean of {len(plan.seeds)} seeds, bars: their range")
    return figure


def _line(axes: Axes, number: int, label: str, rows: list[Row], x: str) -> None:
    """The mean over seeds, with their range."""
    positions = sorted({row[x] for row in rows})
    seeds = [[row["bits_per_parameter"] for row in rows if row[x] == at] for at in positions]
    center = np.array([np.mean(bits) for bits in seeds])
    below = center - [min(bits) for bits in seeds]
    above = np.array([max(bits) for bits in seeds]) - center
    axes.errorbar(
        positions,
        center,
        yerr=np.maximum([below, above], 0),
        color=COLORS[number],
        marker=MARKERS[number],
        linestyle=DASHES[number],
        capsize=3,
        label=label,
    )
