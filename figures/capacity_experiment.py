"""The experiment of the capacity curve: place the loads, make the runs, bound them."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from factcap.capacity import all_or_nothing_bound, rate_distortion_bound
from factcap.figures.fields import Count, Positive, Seeds, Size, must, one_of
from factcap.figures.runs import Finished, make_runs
from factcap.models import Measurement, RunSpec, model_vocabulary, named_size, run_spec
from factcap.models.runs.directory.reading import is_finished
from factcap.models.runs.ledger import estimated_seconds
from factcap.models.sweep.making import build
from factcap.models.sweep.recipes import complete
from factcap.synth import FactSet, rank_size_exponent
from factcap.synth.errors import require

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
        source: the recipe of a fact set of (frequency, facts, seed); sets are nested in `facts`.
        frequencies: names that `source` knows, "uniform" among them, since the capacity is
            measured there; and how many facts every run with it draws at the least, so that a
            small set, or the rare facts of a skewed one, have compute enough to be learned with.
        sizes: names of models.
        loads: bits of the facts over the measured capacity.
        seeds: of facts, parameters and draws.
        exposures: of each fact, on average over the set, where those draws do not make it more.
        batch: facts a step.
        precision: of products; auto: the quickest on this machine.
        expected: bits per parameter that a model is expected to store, which places the loads; they
            are drawn where the measured capacity puts them.
    """

    source: Callable[[str, int, int], dict[str, Any]]
    frequencies: Mapping[str, Annotated[int, must("at least 0", lambda n: n >= 0)]]
    sizes: tuple[Size, ...]
    loads: tuple[Positive, ...]
    seeds: Seeds
    exposures: Positive
    batch: Count
    expected: Positive
    precision: Annotated[str, one_of(("auto", "float32", "bfloat16"))] = "float32"

    def __post_init__(self):
        require(
            "uniform" in self.frequencies,
            "uniform must be one of the frequencies: the capacity is measured there",
        )


def _cities(frequency: str, facts: int, seed: int) -> dict[str, Any]:
    known = "uniform" if frequency == "uniform" else "population"
    recipe = {"generator": "cities", "facts": facts, "frequency": known, "seed": seed}
    # Three quarters of the names; a step takes an eighth less time than with the longest.
    return recipe | {"longest_key": 5}


def _phonebook(frequency: str, facts: int, seed: int) -> dict[str, Any]:
    exponent = {"uniform": 0.0, "power law": 1.0}[frequency]
    return {"generator": "phonebook", "facts": facts, "exponent": exponent, "seed": seed}


def _on_gpu(*sizes: str, batch: int, **rest: Any) -> Preset:
    """Models of these sizes, on made-up phone numbers."""
    return Preset(
        source=_phonebook,
        frequencies={"uniform": 500_000, "power law": 1_000_000},
        sizes=sizes,
        loads=_LOADS,
        seeds=(0,),
        exposures=100,
        batch=batch,
        expected=2.2,
        **rest,
    )


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
        frequencies={"uniform": 480_000, "population": 560_000},
        sizes=("8k",),
        loads=_LOADS,
        seeds=(0, 1),
        exposures=100,
        batch=128,
        expected=2.3,
    ),
    "gpu": _on_gpu("29k", "0.1M", "0.2M", "0.8M", batch=512),
    "0.2M": _on_gpu("0.2M", batch=512),
    "0.8M": _on_gpu("0.8M", batch=2048, precision="auto"),
    "3.2M": _on_gpu("3.2M", batch=4096, precision="auto"),
    "gpt2-small": _on_gpu("gpt2-small", batch=16_384, precision="auto"),
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
    ended: Callable[[list[dict[str, Any]]], object] | None = None,
) -> list[dict[str, Any]]:
    """Make all runs of a preset under `folder / "runs"` (finished ones are read) and bound them.

    Args:
        preset: the experiment.
        folder: where the runs lie.
        workers: processes; 0: this one.
        progress: called with (number of the run, runs in all, share of the run that is done).
        say: called with a line of what the runs may cost, and one of what they did.
        ended: called with the rows of the runs that are finished, when some more are. Until all
            uniform runs of a size are, its capacity is the one that is expected.

    Returns:
        One row a run, with the keys of `COLUMNS`.

    Raises:
        BadInput: if the source has fewer facts than the largest load needs.
    """
    specs = _plan(preset)
    points, parameters = list(specs), _parameters(preset, _few(preset))
    say(_estimate([spec for spec in specs.values() if not _is_made(spec, folder)], workers))

    def rows_of(made: Mapping[int, Finished]) -> list[dict[str, Any]]:
        return _rows(preset, specs, {points[number]: run for number, run in made.items()}, expected)

    expected = {size: preset.expected * count for size, count in parameters.items()}
    finished = make_runs(
        list(specs.values()),
        folder,
        workers=workers,
        progress=progress,
        ended=None if ended is None else lambda made: ended(rows_of(made)),
    )
    say(_spent([run.outcome["ledger"] for run in finished]))
    return rows_of(dict(enumerate(finished)))


def _rows(
    preset: Preset,
    specs: Mapping[_Point, RunSpec],
    runs: Mapping[_Point, Finished],
    expected: Mapping[str, float],
) -> list[dict[str, Any]]:
    """The rows of some of the runs; a size has its expected capacity until it can be measured."""
    whole = {
        size
        for size in preset.sizes
        if all(p in runs for p in specs if p.size == size and p.frequency == "uniform")
    }
    capacities = {**expected, **_capacities({p: runs[p] for p in runs if p.size in whole})}
    exponents = _exponents(runs)
    order = sorted(
        runs,
        key=lambda point: (
            preset.sizes.index(point.size),
            list(preset.frequencies).index(point.frequency),
            point.seed,
            point.facts,
        ),
    )
    return [
        {
            "model": point.size,
            "exponent": exponents[point.frequency],
            "seed": point.seed,
            "selection": "none",
            "frequency": point.frequency,
            "exposures": runs[point].outcome["exposures"],
            "capped": runs[point].outcome["capped"],
            "run": specs[point].id,
            **_bounded(runs[point].measurement, capacities[point.size]),
        }
        for point in order
    ]


def _is_made(spec: RunSpec, folder: Path) -> bool:
    return is_finished(folder / "runs" / spec.id)


def _plan(preset: Preset) -> dict[_Point, RunSpec]:
    """The runs, the longest first, so that no core is left with one at the end."""
    few = _few(preset)
    entropy, points = float(few.entropy_bits[0]), []
    for size, parameters in _parameters(preset, few).items():
        fitting = preset.expected * parameters / entropy
        points += [
            _Point(size, frequency, facts, seed)
            for facts in sorted({max(2, round(load * fitting)) for load in preset.loads})
            for frequency in preset.frequencies
            for seed in preset.seeds
        ]
    points.sort(key=lambda point: -point.facts * _exposures(preset, point.frequency, point.facts))
    return {point: _spec(preset, point) for point in points}


def _few(preset: Preset) -> FactSet:
    """A fact like all others: of as many bits, with as many token ids."""
    return build(complete(preset.source("uniform", 1, 0)))


def _parameters(preset: Preset, few: FactSet) -> dict[str, int]:
    vocabulary = model_vocabulary(few)
    return {size: named_size(size, vocabulary).parameters for size in preset.sizes}


def _spec(preset: Preset, point: _Point) -> RunSpec:
    source = preset.source(point.frequency, point.facts, point.seed)
    return curve_run(preset, source, point.frequency, size=point.size, seed=point.seed)


def curve_run(
    preset: Preset,
    source: dict[str, Any],
    frequency: str,
    *,
    size: str,
    seed: int,
    select: str | None = None,
) -> RunSpec:
    """A run of the curve, or one that selects and is like it otherwise.

    Args:
        preset: the experiment.
        source: the recipe of its facts, with their number.
        frequency: of the facts; it says how many are drawn at the least.
        size: of the model.
        seed: of parameters and draws.
        select: a scheme of selection.
    """
    facts = source["facts"]
    return run_spec(
        {
            "facts": source,
            "model": size,
            "exposures": _exposures(preset, frequency, facts),
            "batch": preset.batch,
            "precision": preset.precision,
            "seed": seed,
            "select": select,
        }
    )


def _exposures(preset: Preset, frequency: str, facts: int) -> float:
    return max(preset.exposures, preset.frequencies[frequency] / facts)


def _exponents(runs: Mapping[_Point, Finished]) -> dict[str, float]:
    """The exponent of each frequency, measured on its largest set."""
    exponents = {"uniform": 0.0}
    for point in sorted(runs, key=lambda point: (-point.facts, point.seed)):
        if point.frequency not in exponents:
            frequency = runs[point].measurement.frequency
            exponents[point.frequency] = rank_size_exponent(frequency)
    return exponents


def _estimate(specs: Sequence[RunSpec], workers: int) -> str:
    """What the runs cost if each uses all its exposures."""
    flops = sum(spec.most_flops() for spec in specs)
    minutes = max(1, round(estimated_seconds(flops) / 60))
    return (
        f"{len(specs)} runs to make: at most {flops:.1e} FLOP, some {minutes} "
        f"min in {max(workers, 1)} process{'es' if workers > 1 else ''}, and compiling"
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


def _capacities(runs: Mapping[_Point, Finished]) -> dict[str, float]:
    """Measured capacity of each size, in bits.

    The plateau of stored bits on uniform facts: N H minus the sum of NLL, not clipped, the mean
    over seeds, at the number of facts where it is largest (Morris et al. 2025, 2505.24832).
    """
    stored: dict[tuple[str, int], list[float]] = {}
    for point, run in runs.items():
        if point.frequency == "uniform":
            bits = run.measurement.unclipped_stored_bits
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
