"""The runs of transformers on facts that follow a rule but for exceptions, and their bounds."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from factcap.capacity import least_exception_error, rate_distortion_bound
from factcap.figures.fields import Count, ProperShare, Seeds, Share
from factcap.figures.rules.units import NetworkPlan
from factcap.models import Measurement, RunSpec, run_spec
from factcap.synth import RuledFacts, ruled_facts
from factcap.synth.errors import require

Row = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """Which runs are made.

    Attributes:
        facts: training facts of every run.
        fresh: keys that are asked for and not trained on.
        epsilon: share of exceptions against which sizes and exposures are drawn.
        epsilons: shares at the middle size; 1 is there at every size, where it measures capacity.
        widths: of the transformers, of two blocks and one head.
        orders: how many features a value token depends on; a panel each.
        exposures: of each fact; the last is that of all other panels.
        seeds: of facts, parameters and draws.
        networks: of one hidden layer.
    """

    facts: Count = 2000
    fresh: Count = 500
    epsilon: ProperShare = 0.2
    epsilons: tuple[Share, ...] = (0.05, 0.1, 0.2, 0.4, 0.7, 1.0)
    widths: tuple[Count, ...] = (8, 12, 16, 20, 24)
    orders: tuple[Count, ...] = (1, 2)
    exposures: tuple[Count, ...] = (10, 25, 50, 100, 200)
    seeds: Seeds = (0, 1)
    networks: NetworkPlan = field(default_factory=NetworkPlan)

    def __post_init__(self):
        for epsilon in (self.epsilon, *self.epsilons):
            exceptions = math.floor(epsilon * self.facts + 0.5)
            require(
                1 <= exceptions < self.facts or epsilon == 1,
                f"of {self.facts} facts a share of {epsilon:g} makes no exceptions, or all of them",
            )

    @property
    def width(self) -> int:
        """The middle size."""
        return self.widths[len(self.widths) // 2]

    def points(self) -> list[tuple[int, float, int, int]]:
        """(order, epsilon, width, exposures) of every run, each once."""
        first, most = self.orders[0], self.exposures[-1]
        every = {
            *((order, self.epsilon, width, most) for order in self.orders for width in self.widths),
            *((first, self.epsilon, self.width, exposures) for exposures in self.exposures),
            *((first, epsilon, self.width, most) for epsilon in self.epsilons),
            *((first, 1.0, width, most) for width in self.widths),
        }
        return sorted(every)


@dataclass(frozen=True)
class Run:
    """A run, and what the figure knows of it before it is made.

    Attributes:
        known: the columns of its row that do not depend on the result.
        drawn: what it learns.
        spec: the run.
    """

    known: Row
    drawn: RuledFacts
    spec: RunSpec

    @property
    def work(self) -> float:
        """What it costs, but for a factor."""
        return self.known["exposures"] * self.known["parameters"]

    def row(self, measurement: Measurement) -> Row:
        """The row of the figure."""
        recall, drawn = measurement.recall, self.drawn
        trained = ~drawn.is_fresh
        saved = (drawn.surprise_bits - measurement.nll_bits)[trained]
        found = {
            "exceptions_known": float(recall[drawn.is_exception].mean()),
            "memorized_bits": float(saved.sum()),
        }
        if drawn.epsilon < 1:  # else there is no rule
            found |= {
                "rule_facts_known": float(recall[trained & ~drawn.is_exception].mean()),
                "fresh_known": float(recall[drawn.is_fresh].mean()),
                "fresh_nll_bits": float(measurement.nll_bits[drawn.is_fresh].mean()),
            }
        return self.known | found


def planned_runs(plan: Plan) -> list[Run]:
    """The runs of a plan, those that take longest first."""
    runs = [
        _planned_run(plan, order, epsilon, width, exposures, seed)
        for order, epsilon, width, exposures in plan.points()
        for seed in plan.seeds
    ]
    return sorted(runs, key=lambda run: -run.work)


def _planned_run(
    plan: Plan, order: int, epsilon: float, width: int, exposures: int, seed: int
) -> Run:
    arguments = {"fresh": plan.fresh, "order": order, "identity": 4, "seed": seed}
    drawn = ruled_facts(plan.facts, epsilon, **arguments)
    facts = {"generator": "ruled_facts", "facts": plan.facts, "epsilon": epsilon, **arguments}
    spec = run_spec(
        {
            "facts": facts,
            "model": {"width": width, "depth": 2, "heads": 1},
            # a mean over all keys, of which the fresh ones are never drawn
            "exposures": exposures * plan.facts / len(drawn.facts),
            "fewest_steps": 0,
            "batch": 64,
            "saturate": False,
            "seed": seed,
        }
    )
    known = {
        "kind": "transformer",
        "epsilon": epsilon,
        "order": order,
        "choices": drawn.value_choices,
        "rule_bits": drawn.rule_bits if epsilon < 1 else 0.0,
        "held_bits": float(drawn.surprise_bits[~drawn.is_fresh].sum()),
        "width": width,
        "parameters": spec.transformer(drawn.facts).parameters,
        "facts": plan.facts,
        "exposures": exposures,
        "seed": seed,
        "run": spec.id,
    }
    return Run(known, drawn, spec)


def order_of(row: Row) -> tuple:
    """Where a row of a transformer belongs in the table."""
    return tuple(row[name] for name in ("order", "epsilon", "width", "exposures", "seed"))


def bits_per_parameter(rows: Iterable[Row]) -> float:
    """The most that a model stored for each parameter where every fact is an exception."""
    return max(
        row["memorized_bits"] / row["parameters"]
        for row in rows
        if row["kind"] == "transformer" and row["epsilon"] == 1
    )


def bound_rows(plan: Plan, rows: Sequence[Row]) -> list[Row]:
    """Most exceptions that a model can know at the measured bits a parameter; by size, by share.

    `alone`: where the capacity is spent on the values of the exceptions and on nothing else.
    `rule kept`: where the rule's facts are known too, so that it must tell which are exceptions.
    Neither charges the model for the rule.
    """
    rate, choices = bits_per_parameter(rows), rows[0]["choices"]
    sizes = sorted({row["parameters"] for row in rows})
    [middle] = {row["parameters"] for row in rows if row["width"] == plan.width}
    places = [
        *((plan.epsilon, size) for size in np.geomspace(sizes[0], sizes[-1], 41).tolist()),
        *((epsilon, middle) for epsilon in np.linspace(min(plan.epsilons), 1, 41).tolist()),
    ]
    found = []
    for epsilon, parameters in places:
        bits = rate * parameters / plan.facts
        wrong = least_exception_error(epsilon, choices, bits)
        alone = rate_distortion_bound([1.0], choices, bits / epsilon).accuracy
        for kind, known in (
            ("bound, alone", alone),
            ("bound, rule kept", 1 - wrong / (epsilon * (1 - 1 / choices))),
        ):
            found.append(
                {
                    "kind": kind,
                    "epsilon": epsilon,
                    "choices": choices,
                    "facts": plan.facts,
                    "parameters": parameters,
                    "memorized_bits": rate * parameters,
                    "exceptions_known": known,
                }
            )
    return found
