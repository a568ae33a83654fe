"""The runs on fact sets: each load and exponent, at each size and budget."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from factcap.figures.equivalent.plan import BOTH, Plan, Series, Trial, at_sizes
from factcap.figures.equivalent.table import Row, counted
from factcap.figures.equivalent.theory import Asked
from factcap.figures.runs import Finished, Progress, make_runs
from factcap.figures.selection.experiment import BITS, ORDINARY, power_law_recipe
from factcap.figures.sizes import of_width, widths
from factcap.models import RunSpec, run_spec
from factcap.models.training.config import default_learning_rate, total_steps
from factcap.synth import power_law

_OPTIMIZER = "muon"


def fact_series(plan: Plan) -> list[Series]:
    """Ordinary training of each size and budget, and each scheme at the smallest size."""
    return [
        one
        for load in plan.loads
        for exponent in plan.exponents
        for one in _series(plan, load, exponent)
    ]


def _series(plan: Plan, load: float, exponent: float) -> list[Series]:
    kind = "uniform" if exponent == 0 else f"s = {exponent:g}"
    smallest = Series(
        facts=f"{kind}, load {load:g}",
        scheme=ORDINARY,
        budget=BOTH,
        width=plan.small.width,
        draws=plan.draws,
        batch=plan.batch,
        load=load,
        exponent=exponent,
    )
    larger = widths(plan.small, plan.times)[1:]
    return [
        *at_sizes(smallest, larger, lambda one: _draw_flops(plan, one)),
        *(replace(smallest, scheme=scheme) for scheme in plan.schemes),
    ]


def _draw_flops(plan: Plan, one: Series) -> float:
    """Floating-point operations of learning from one fact."""
    spec = run_of(plan, Trial(one, 1.0, 0))
    steps = total_steps(spec.training, plan.offered(one.load))
    return spec.most_flops() / (steps * one.batch)


def run_of(plan: Plan, trial: Trial) -> RunSpec:
    """The run of a trial."""
    one = trial.series
    recipe = power_law_recipe(plan.offered(one.load), one.exponent, trial.seed)
    model = of_width(plan.small, one.width)
    select = None if one.scheme == ORDINARY else {"scheme": one.scheme, "rest": plan.rest}
    return run_spec(
        {
            "facts": recipe,
            "model": {"width": model.width, "depth": model.depth, "heads": model.heads},
            # Half a step less, so that rounding up to whole scans never adds one.
            "exposures": (one.draws - one.batch / 2) / recipe["facts"],
            "fewest_steps": 0,
            "batch": one.batch,
            "learning_rate": trial.rate * default_learning_rate(one.width, _OPTIMIZER, one.batch),
            "optimizer": _OPTIMIZER,
            "saturate": False,
            "seed": trial.seed,
            "select": select,
        }
    )


def make_fact_rows(
    plan: Plan, trials: Sequence[Trial], folder: Path, *, workers: int, progress: Progress
) -> list[dict[str, Any]]:
    """The rows of some runs, in the order of the trials; runs that are missing are made.

    Raises:
        BadInput: for facts that cannot be made.
        FloatingPointError: if a run failed.
    """
    specs = [run_of(plan, trial) for trial in trials]
    made = make_runs(specs, folder, workers=workers, progress=progress)
    return [_row(trial, spec, run) for trial, spec, run in zip(trials, specs, made, strict=True)]


def _row(trial: Trial, spec: RunSpec, run: Finished) -> dict[str, Any]:
    found, outcome, one = run.measurement, run.outcome, trial.series
    selection = outcome.get("selection", {})
    return {
        "facts": len(found.recall),
        "facts_known": found.facts_known,
        "weighted_accuracy": found.weighted_accuracy,
        "stored_bits": found.stored_bits,
        "entropy_bits": BITS * len(found.recall),
        "facts_kept": selection.get("facts_kept", len(found.recall)),
        "draws": outcome["steps"] * one.batch,
        "scoring_draws": selection.get("scoring_draws", 0.0),
        "flops": outcome["ledger"]["flops"],
        "learning_rate": spec.training.learning_rate,
        "parameters": found.parameters,
        "run": spec.id,
    }


def fact_problems(rows: Iterable[Row]) -> dict[str, dict[str, Asked]]:
    """What is counted of each fact set, as the rows of its runs tell it; a corpus is left out."""
    found: dict[str, dict[str, Asked]] = {}
    for row in rows:
        # A corpus has no load.
        if row["load"] > 0 and row["set"] not in found:
            facts = row["facts"]
            choices = np.full(facts, 2.0 ** (row["entropy_bits"] / facts))
            found[row["set"]] = counted(power_law(facts, row["exponent"]), choices)
    return found
