"""The experiment of the capacity curve: place the loads, make the runs, bound them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from capacity import all_or_nothing_bound, rate_distortion_bound
from models import (
    Job,
    Measurement,
    TrainConfig,
    model_vocabulary,
    named_size,
    read_outcome,
    run_config,
)
from models.runs.workers import run_jobs
from synth import FactSet, cities, phonebook, rank_size_exponent

COLUMNS = (
    *("model", "parameters", "exponent", "seed", "selection", "facts", "load", "facts_known"),
    *("accuracy", "weighted_accuracy", "stored_bits", "bits_per_parameter", "capacity_bits"),
    *("all_or_nothing", "rate_distortion"),
    *("frequency", "weighted_all_or_nothing", "weighted_rate_distortion", "entropy_bits"),
    *("unclipped_stored_bits", "exposures", "capped", "run"),
)


@dataclass(frozen=True)
class Preset:
    """One experiment: every size, frequency, load and seed.

    Attributes:
        source: makes a fact set from (frequency, facts, seed), nested in `facts`.
        frequencies: names that `source` knows, "uniform" among them, since the capacity is
            measured there; and how many facts every run with it draws at the least, so that a
            small set, or the rare facts of a skewed one, have compute enough to be learned with.
        sizes: names of models.
        loads: bits of the facts over the measured capacity.
        seeds: of facts, parameters and draws.
        exposures: of each fact, on average over the set, where those draws do not make it more.
        batch: facts a step.
        expected: bits per parameter that a model is expected to store. It only places the first,
            over-full runs; all smaller loads are placed by the capacity which those measure.
    """

    source: Callable[[str, int, int], FactSet]
    frequencies: Mapping[str, int]
    sizes: tuple[str, ...]
    loads: tuple[float, ...]
    seeds: tuple[int, ...]
    exposures: float
    batch: int
    expected: float


def _cities(frequency: str, facts: int, seed: int) -> FactSet:
    known = "uniform" if frequency == "uniform" else "population"
    return cities(facts, frequency=known, seed=seed)


def _phonebook(frequency: str, facts: int, seed: int) -> FactSet:
    return phonebook(facts, exponent={"uniform": 0.0, "power law": 1.0}[frequency], seed=seed)


_LOADS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0)

PRESETS = {
    "tiny": Preset(
        source=_cities,
        frequencies={"uniform": 0, "population": 0},
        sizes=("8k",),
        loads=(0.25, 1.5),
        seeds=(0,),
        exposures=60,
        batch=64,
        expected=1.0,
    ),
    "laptop": Preset(
        source=_cities,
        frequencies={"uniform": 350_000, "population": 480_000},
        sizes=("8k",),
        loads=_LOADS,
        seeds=(0, 1),
        exposures=100,
        batch=128,
        expected=2.32,
    ),
    "gpu": Preset(
        source=_phonebook,
        frequencies={"uniform": 500_000, "power law": 1_000_000},
        sizes=("29k", "0.1M", "0.2M", "0.8M"),
        loads=_LOADS,
        seeds=(0,),
        exposures=200,
        batch=256,
        expected=2.0,
    ),
}


@dataclass(frozen=True)
class _Point:
    """One run of the experiment."""

    size: str
    frequency: str
    facts: int
    seed: int


def measure_curve(
    preset: Preset,
    folder: Path,
    *,
    workers: int,
    progress: Callable[[int, int, float], object] = lambda run, runs, share: None,
) -> list[dict[str, Any]]:
    """Make all runs of a preset under `folder / "runs"` (finished ones are read) and bound them.

    The over-full runs on uniform facts come first and measure each size's capacity; the other
    numbers of facts follow from it.

    Args:
        preset: the experiment.
        folder: where the runs lie.
        workers: processes.
        progress: called with (number of the run, runs in all, share of the run that is done).

    Returns:
        One row a run, with the keys of `COLUMNS`.

    Raises:
        BadInput: if the source has fewer facts than the largest load needs.
    """
    measured: dict[_Point, Measurement] = {}
    few = preset.source("uniform", 1, 0)
    entropy, vocabulary = float(few.entropy_bits[0]), model_vocabulary(few)
    parameters = {size: named_size(size, vocabulary).parameters for size in preset.sizes}
    fullest = max(preset.loads)
    most = {
        size: round(fullest * preset.expected * parameters[size] / entropy) for size in preset.sizes
    }
    sets = {
        (frequency, seed): preset.source(frequency, max(most.values()), seed)
        for frequency in preset.frequencies
        for seed in preset.seeds
    }
    runs = len(preset.sizes) * len(preset.loads) * len(sets)

    def make(points: Iterable[_Point]) -> None:
        # The longest first, so that no core is left with one at the end.
        todo = sorted(set(points) - set(measured), key=lambda point: -point.facts)
        before = len(measured)
        jobs = [_job(preset, point, sets[point.frequency, point.seed], folder) for point in todo]
        results = run_jobs(
            jobs,
            workers=workers,
            progress=lambda number, share: progress(before + number, runs, share),
        )
        for number, measurement in results:
            measured[todo[number]] = measurement

    make(
        _Point(size, "uniform", most[size], seed) for size in preset.sizes for seed in preset.seeds
    )
    placing = _capacities(measured)
    make(
        _Point(
            size,
            frequency,
            most[size] if load == fullest else max(1, round(load * placing[size] / entropy)),
            seed,
        )
        for size in preset.sizes
        for load in preset.loads
        for frequency, seed in sets
    )
    capacities = _capacities(measured)
    exponents = {
        frequency: 0.0
        if frequency == "uniform"
        else rank_size_exponent(sets[frequency, preset.seeds[0]].frequency)
        for frequency in preset.frequencies
    }
    order = sorted(
        measured,
        key=lambda point: (
            preset.sizes.index(point.size),
            list(preset.frequencies).index(point.frequency),
            point.seed,
            point.facts,
        ),
    )
    rows = []
    for point in order:
        job = _job(preset, point, sets[point.frequency, point.seed], folder)
        outcome = read_outcome(job.directory)
        rows.append(
            {
                "model": point.size,
                "exponent": exponents[point.frequency],
                "seed": point.seed,
                "selection": "none",
                "frequency": point.frequency,
                "exposures": outcome["exposures"],
                "capped": outcome["capped"],
                "run": job.directory.name,
                **_bounded(measured[point], capacities[point.size]),
            }
        )
    return rows


def _job(preset: Preset, point: _Point, whole: FactSet, folder: Path) -> Job:
    facts = whole.prefix(point.facts)
    model = named_size(point.size, model_vocabulary(facts))
    training = TrainConfig(exposures=_exposures(preset, point), batch=preset.batch, seed=point.seed)
    return Job(facts, model, training, folder / "runs" / run_config(facts, model, training)["id"])


def _exposures(preset: Preset, point: _Point) -> float:
    return max(preset.exposures, preset.frequencies[point.frequency] / point.facts)


def _capacities(measured: dict[_Point, Measurement]) -> dict[str, float]:
    """Measured capacity of each size, in bits.

    The plateau of stored bits on uniform facts: N H minus the sum of NLL, not clipped, the mean
    over seeds, at the number of facts where it is largest (Morris et al. 2025, 2505.24832).
    """
    stored: dict[tuple[str, int], list[float]] = {}
    for point, measurement in measured.items():
        if point.frequency == "uniform":
            bits = measurement.unclipped_stored_bits
            stored.setdefault((point.size, point.facts), []).append(bits)
    sizes = {size for size, _ in stored}
    return {
        size: float(max(np.mean(bits) for (other, _), bits in stored.items() if other == size))
        for size in sizes
    }


def _bounded(measurement: Measurement, capacity: float) -> dict[str, Any]:
    """The numbers of a run, and the bounds at the capacity on the same facts."""
    summary = measurement.summary()
    choices = 2.0**measurement.entropy_bits
    both = {"": np.ones(len(choices)), "weighted_": measurement.frequency}
    return {
        **{name: summary[name] for name in COLUMNS if name in summary},
        "load": summary["entropy_bits"] / capacity,
        "capacity_bits": capacity,
        **{
            prefix + name: bound(weights / weights.sum(), choices, capacity).accuracy
            if capacity < summary["entropy_bits"]
            else 1.0
            for prefix, weights in both.items()
            for name, bound in (
                ("all_or_nothing", all_or_nothing_bound),
                ("rate_distortion", rate_distortion_bound),
            )
        },
    }
