"""Fact sets larger than a model holds, trained on as they are and with selection."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from factcap.capacity import all_or_nothing_bound
from factcap.figures.fields import Count, Items, NotNegative, Positive, Seeds, Size, one_of
from factcap.figures.intervals import mean_and_half
from factcap.figures.runs import Finished
from factcap.models import RunSpec, named_size, run_spec
from factcap.models.transformer.fast.values import PRECISIONS
from factcap.synth import power_law
from factcap.synth.errors import require
from factcap.synth.selection import SCHEMES

COLUMNS = (
    *("exponent", "facts", "load", "scheme", "seed", "facts_known", "most_known", "known_ratio"),
    *("weighted_accuracy", "weighted_bound", "weighted_ratio", "facts_kept", "stored_bits"),
    *("draws", "scoring_draws", "capacity_bits", "entropy_bits", "parameters", "run"),
)

# Ordinary training: all facts, by their frequency.
ORDINARY = "ordinary"
# `worth` where nobody counts how often a fact occurs.
UNCOUNTED = "worth uncounted"
# Of the capacity, what a scheme keeps that must be told. All of it is, for some sets, more than the
# model learns in these draws: of four times what fits random subsampling then once knew 88 % of the
# bound, with 95 % of it 97 %.
_TOLD_SHARE = 0.95
# Facts of 3 value tokens of 128 after a key of 4.
VOCABULARY, VALUE, KEY = 128, 3, 4
BITS = VALUE * float(np.log2(VOCABULARY))

Row = Mapping[str, Any]
SchemeName = Annotated[str, one_of((*SCHEMES, UNCOUNTED))]
# Those that need not be told a budget.
SelfBudgeted = Annotated[str, one_of([name for name in SCHEMES if SCHEMES[name].sets_budget])]


@dataclass(frozen=True)
class Plan:
    """Which runs are made: each exponent, size, scheme and seed.

    Attributes:
        size: of the model.
        bits_per_parameter: that it stores in these draws, measured before. It sets how many facts
            are offered, and is the budget of schemes that must be told one; the bounds are drawn
            at what the runs of this plan themselves store.
        draws: facts drawn in a run, scoring included.
        batch: facts a step.
        exponents: of the power law of frequency.
        loads: entropy of the facts offered, as multiples of what the model stores.
        schemes: names in `factcap.synth.selection.SCHEMES`, or `UNCOUNTED`, besides ordinary
            training.
        others: schemes that are trained at the loads `others_at` only.
        others_at: some of the loads.
        seeds: of facts, parameters and draws.
        precision: of all runs.
    """

    size: Size = "8k"
    bits_per_parameter: Positive = 2.38
    draws: Count = 448_000
    batch: Count = 128
    exponents: tuple[NotNegative, ...] = (0.0, 0.8, 1.0, 1.5)
    loads: tuple[Positive, ...] = (0.7, 1.0, 1.5, 2.0, 4.0)
    schemes: Annotated[tuple[SchemeName, ...], Items(empty=True)] = (
        *("random", "loss_h", "loss_hf", "worth"),
    )
    others: Annotated[tuple[SchemeName, ...], Items(empty=True)] = (
        *("random_flat", "frequency", "influence", "deduplicate", UNCOUNTED),
    )
    others_at: Annotated[tuple[Positive, ...], Items(empty=True)] = (0.7, 2.0)
    seeds: Seeds = (0,)
    precision: Annotated[str, one_of(PRECISIONS)] = "float32"

    def __post_init__(self):
        require(
            0 in self.exponents,
            "0 must be one of the exponents: the capacity is measured on uniform facts",
        )
        require(
            self.offered(min(self.loads)) >= 1,
            f"a load of {min(self.loads):g} is less than one fact of {BITS:g} bits",
        )

    @property
    def nominal_bits(self) -> float:
        """What the model is taken to store, in bits."""
        return self.bits_per_parameter * named_size(self.size, VOCABULARY).parameters

    @property
    def pictured(self) -> tuple[str, ...]:
        """What is drawn beside ordinary training: the others only where there is nothing else."""
        return self.schemes or self.others

    def offered(self, load: float) -> int:
        """Facts offered at a load."""
        return round(load * self.nominal_bits / BITS)


def _at_size(size: str, draws: int, batch: int, seeds: int, **rest: Any) -> Plan:
    """Selection at twice what fits, beside ordinary training there and near what fits."""
    return Plan(
        size=size,
        draws=draws,
        batch=batch,
        exponents=(0.0, 1.0),
        loads=(1.0, 1.2, 2.0),
        schemes=(),
        others=("loss_h", "loss_hf", "worth"),
        others_at=(2.0,),
        seeds=tuple(range(seeds)),
        **rest,
    )


# Draws grow with the parameters, as the facts do: 28 to 30 for each. A core needs hours for 0.2M, a
# large GPU minutes for 0.8M, and days for gpt2-small.
PRESETS = {
    "tiny": Plan(
        draws=64_000,
        exponents=(0.0, 1.0),
        loads=(1.0, 2.0),
        schemes=("random", "loss_h", "worth"),
        others=(),
    ),
    "laptop": Plan(),
    "five-seeds": Plan(seeds=(0, 1, 2, 3, 4)),
    "0.2M": _at_size("0.2M", 6_000_000, 512, seeds=3),
    "0.8M": _at_size("0.8M", 24_000_000, 2048, seeds=3, precision="bfloat16"),
    "3.2M": _at_size("3.2M", 90_000_000, 4096, seeds=1, precision="bfloat16"),
    "gpt2-small": _at_size("gpt2-small", 2_400_000_000, 16_384, seeds=1, precision="bfloat16"),
}


@dataclass(frozen=True)
class Point:
    """A run of the plan.

    Attributes:
        exponent: of the power law.
        load: of the facts offered.
        scheme: by which they are selected, or `ORDINARY`.
        spec: the run.
    """

    exponent: float
    load: float
    scheme: str
    spec: RunSpec


def points(plan: Plan) -> list[Point]:
    """The runs of a plan; those that take longest to tell something first."""
    return [
        Point(exponent, load, scheme, _spec(plan, exponent, load, scheme, seed))
        for seed in plan.seeds
        for exponent in plan.exponents
        for load in plan.loads
        for scheme in _schemes(plan, load)
    ]


def _schemes(plan: Plan, load: float) -> Iterator[str]:
    yield from (ORDINARY, *plan.schemes)
    if load in plan.others_at:
        yield from plan.others


def _spec(plan: Plan, exponent: float, load: float, scheme: str, seed: int) -> RunSpec:
    recipe = power_law_recipe(plan.offered(load), exponent, seed)
    select = _select(plan, scheme)
    return fixed_draws(
        recipe, plan.size, plan.draws, plan.batch, seed, select, precision=plan.precision
    )


def power_law_recipe(facts: int, exponent: float, seed: int) -> dict[str, Any]:
    """Facts of `BITS` bits whose frequency follows a power law."""
    return {
        "generator": "bitstrings",
        "facts": facts,
        "vocabulary": VOCABULARY,
        "length": KEY + VALUE,
        "key_length": KEY,
        "exponent": exponent,
        "seed": seed,
    }


def fixed_draws(
    recipe: Mapping[str, Any],
    size: str,
    draws: int,
    batch: int,
    seed: int,
    select: Mapping[str, Any] | str | None,
    *,
    precision: str = "float32",
) -> RunSpec:
    """A run that draws so many facts, whatever it knows; scoring for `select` included."""
    return run_spec(
        {
            "facts": recipe,
            "model": size,
            "exposures": draws / recipe["facts"],
            "fewest_steps": 0,
            "batch": batch,
            "precision": precision,
            "saturate": False,
            "seed": seed,
            "select": select,
        }
    )


def _select(plan: Plan, scheme: str) -> dict[str, Any] | None:
    """The settings of a scheme: the defaults, and for the baseline what serves it best.

    `random` learns nothing by waiting: it is told the capacity, and drops at once what is too much.
    """
    if scheme == ORDINARY:
        return None
    if scheme == UNCOUNTED:
        return {"scheme": "worth", "counted": False}
    if SCHEMES[scheme].sets_budget:
        return {"scheme": scheme}
    told = {"scheme": scheme, "budget_bits": _TOLD_SHARE * plan.nominal_bits}
    return told | ({"schedule": "once", "first": 0.001} if scheme.startswith("random") else {})


def make_rows(plan: Plan, made: Iterable[tuple[Point, Finished]]) -> list[dict[str, Any]]:
    """The rows of the CSV: one a run, with the bounds at the measured capacity."""
    made = list(made)
    capacity = measured_capacity(
        (point.load, run.measurement.unclipped_stored_bits)
        for point, run in made
        if point.scheme == ORDINARY and point.exponent == 0
    )
    bounds = {
        (exponent, load): bound(exponent, plan.offered(load), capacity)
        for exponent in plan.exponents
        for load in plan.loads
    }
    return [_row(point, run, capacity, bounds[point.exponent, point.load]) for point, run in made]


def measured_capacity(stored: Iterable[tuple[float, float]]) -> float:
    """Bits that ordinary training stores: the best mean over seeds, of uniform facts.

    Args:
        stored: (load, stored bits) of the runs.

    >>> measured_capacity([(1.0, 90.0), (2.0, 110.0), (2.0, 100.0), (4.0, 95.0)])
    105.0
    """
    by_load: dict[float, list[float]] = {}
    for load, bits in stored:
        by_load.setdefault(load, []).append(bits)
    return max(float(np.mean(bits)) for bits in by_load.values())


def bound(exponent: float, facts: int, capacity_bits: float) -> tuple[float, float]:
    """(facts known, weighted accuracy) at the most, each fact stored whole or not at all.

    >>> known, weighted = bound(0.0, 100, 50 * BITS)
    >>> round(known, 3), round(weighted, 3)
    (50.0, 0.5)
    """
    choices = np.full(facts, 2.0**BITS)
    if facts * BITS <= capacity_bits:
        return float(facts), 1.0
    equal, frequency = np.full(facts, 1 / facts), power_law(facts, exponent)
    known = all_or_nothing_bound(equal, choices, capacity_bits).accuracy * facts
    return known, all_or_nothing_bound(frequency, choices, capacity_bits).accuracy


def _row(point: Point, run: Finished, capacity: float, most: tuple[float, float]) -> dict[str, Any]:
    found, outcome = run.measurement, run.outcome
    selection = outcome.get("selection", {})
    return {
        "exponent": point.exponent,
        "facts": len(found.recall),
        "load": point.load,
        "scheme": point.scheme,
        "seed": outcome["training"]["seed"],
        "facts_known": found.facts_known,
        "most_known": most[0],
        "known_ratio": found.facts_known / most[0],
        "weighted_accuracy": found.weighted_accuracy,
        "weighted_bound": most[1],
        "weighted_ratio": found.weighted_accuracy / most[1],
        "facts_kept": selection.get("facts_kept", len(found.recall)),
        "stored_bits": found.unclipped_stored_bits,
        "draws": outcome["steps"] * outcome["training"]["batch"],
        "scoring_draws": selection.get("scoring_draws", 0.0),
        "capacity_bits": capacity,
        "entropy_bits": BITS * len(found.recall),
        "parameters": found.parameters,
        "run": point.spec.id,
    }


def mean_of(rows: Sequence[Row], column: str) -> tuple[float, float]:
    """Mean over some runs, and half the width of its 95 % interval (Student's t); 0 for one run.

    >>> mean_of([{"x": 2.0}], "x")
    (2.0, 0.0)
    """
    return mean_and_half([row[column] for row in rows])
