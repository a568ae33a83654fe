"""The experiment of the capacity curve: place the loads, make the runs, bound them."""

import statistics
from collections.abc import Callable, Mapping, Sequence
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
from models.ledger import measured_peak, most_flops
from models.runs.record import is_finished
from models.runs.workers import run_jobs
from synth import FactSet, cities, phonebook, rank_size_exponent

# Of a device's peak, what small models reach in training.
_USUAL_SHARE = 0.15

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
        expected: bits per parameter that a model is expected to store, which places the loads; they
            are drawn where the measured capacity puts them.
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
        frequencies={"uniform": 450_000, "population": 600_000},
        sizes=("8k",),
        loads=_LOADS,
        seeds=(0, 1),
        exposures=100,
        batch=128,
        expected=2.3,
    ),
    "gpu": Preset(
        source=_phonebook,
        frequencies={"uniform": 500_000, "power law": 1_000_000},
        sizes=("29k", "0.1M", "0.2M", "0.8M"),
        loads=_LOADS,
        seeds=(0,),
        exposures=200,
        batch=256,
        expected=2.2,
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
    say: Callable[[str], object] = lambda line: None,
) -> list[dict[str, Any]]:
    """Make all runs of a preset under `folder / "runs"` (finished ones are read) and bound them.

    Args:
        preset: the experiment.
        folder: where the runs lie.
        workers: processes.
        progress: called with (number of the run, runs in all, share of the run that is done).
        say: called with a line of what the runs may cost, and one of what they did.

    Returns:
        One row a run, with the keys of `COLUMNS`.

    Raises:
        BadInput: if the source has fewer facts than the largest load needs.
    """
    sets, jobs = _plan(preset, folder)
    points = list(jobs)
    say(_estimate([job for job in jobs.values() if not is_finished(job.directory)], workers))
    results = run_jobs(
        list(jobs.values()),
        workers=workers,
        progress=lambda number, share: progress(number, len(jobs), share),
    )
    measured = {points[number]: measurement for number, measurement in results}
    outcomes = {point: read_outcome(job.directory) for point, job in jobs.items()}
    say(_spent([outcome["ledger"] for outcome in outcomes.values()]))
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
        rows.append(
            {
                "model": point.size,
                "exponent": exponents[point.frequency],
                "seed": point.seed,
                "selection": "none",
                "frequency": point.frequency,
                "exposures": outcomes[point]["exposures"],
                "capped": outcomes[point]["capped"],
                "run": jobs[point].directory.name,
                **_bounded(measured[point], capacities[point.size]),
            }
        )
    return rows


def _plan(preset: Preset, folder: Path) -> tuple[dict[tuple[str, int], FactSet], dict[_Point, Job]]:
    """The largest fact set of each frequency and seed, and the job of each point."""
    few = preset.source("uniform", 1, 0)
    entropy, vocabulary = float(few.entropy_bits[0]), model_vocabulary(few)
    counts = {}
    for size in preset.sizes:
        fitting = preset.expected * named_size(size, vocabulary).parameters / entropy
        counts[size] = sorted({max(1, round(load * fitting)) for load in preset.loads})
    sets = {
        (frequency, seed): preset.source(frequency, max(map(max, counts.values())), seed)
        for frequency in preset.frequencies
        for seed in preset.seeds
    }
    points = [
        _Point(size, frequency, facts, seed)
        for size in preset.sizes
        for facts in counts[size]
        for frequency, seed in sets
    ]
    # The longest first, so that no core is left with one at the end.
    points.sort(key=lambda point: -point.facts * _exposures(preset, point))
    return sets, {
        point: _job(preset, point, sets[point.frequency, point.seed], folder) for point in points
    }


def _estimate(jobs: Sequence[Job], workers: int) -> str:
    """What the runs cost if each uses all its exposures."""
    flops = sum(most_flops(job.facts, job.model, job.training) for job in jobs)
    # The peak of this process, which is that of all cores.
    seconds = flops / (_USUAL_SHARE * measured_peak("float32"))
    return (
        f"{len(jobs)} runs to make: at most {flops:.1e} FLOP, some {max(1, round(seconds / 60))} "
        f"min in {workers} process{'es' if workers > 1 else ''}, and compiling"
    )


def _spent(ledgers: Sequence[Mapping[str, Any]]) -> str:
    """What the runs did cost, all together."""

    def total(name: str) -> float:
        return sum(ledger[name] for ledger in ledgers)

    share = statistics.median(ledger["peak_share"] for ledger in ledgers)
    return (
        f"{len(ledgers)} runs: {total('tokens'):.1e} tokens, {total('flops'):.1e} FLOP, "
        f"{total('run_seconds'):,.0f} s of all processes, {total('compile_seconds'):,.0f} s of it "
        f"compiling; {100 * share:.0f} % of the peak in the median run"
    )


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
