"""Runs on facts by a power law, and on cities by population as the capacity curve has them."""

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from factcap.capacity.retention import Training
from factcap.figures.capacity_experiment import curve_run
from factcap.figures.retention.own_plan import CITIES, Condition, Plan
from factcap.figures.retention.own_runs import Made
from factcap.figures.runs import Progress, make_runs
from factcap.figures.selection.experiment import (
    BITS,
    ORDINARY,
    fixed_draws,
    power_law_recipe,
)
from factcap.models import RunSpec
from factcap.models.sweep.making import build
from factcap.synth import power_law


def make_fact_set_runs(
    plan: Plan,
    conditions: Sequence[Condition],
    folder: Path,
    *,
    workers: int,
    progress: Progress,
) -> list[Made]:
    """Make those of the runs that the store in `folder` lacks, and read all of them.

    Args:
        plan: of the runs.
        conditions: their sources power laws or cities.
        folder: of the store.
        workers: processes; 0: this one.
        progress: called with (number of the run, runs in all, share of the run that is done).

    Raises:
        FloatingPointError: if a run failed.
    """
    each = [list(specs(plan, one)) for one in conditions]
    found = iter(make_runs(list(chain(*each)), folder, workers=workers, progress=progress))
    recalls = [[run.measurement.recall for run in islice(found, len(some))] for some in each]
    return [
        Made(one, training(plan, one), np.array(recall))
        for one, recall in zip(conditions, recalls, strict=True)
    ]


def specs(plan: Plan, condition: Condition) -> Iterator[RunSpec]:
    """The runs of a condition.

    Args:
        plan: of the runs.
        condition: its source a power law or cities.
    """
    select = None if condition.scheme == ORDINARY else condition.scheme
    for seed in condition.seeds:
        if condition.source == CITIES:
            cities, preset = _cities(plan, condition), plan.curve_preset
            yield curve_run(preset, cities, "population", size=plan.size, seed=seed, select=select)
        else:
            yield _by_power_law(plan, condition, seed, select)


def _by_power_law(plan: Plan, condition: Condition, seed: int, select: str | None) -> RunSpec:
    assert condition.load is not None
    assert condition.exponent is not None
    facts = plan.offered(condition.source, condition.load)
    recipe = power_law_recipe(facts, condition.exponent, condition.facts_seed)
    return fixed_draws(recipe, plan.size, plan.draws, plan.batch, seed, select)


def _cities(plan: Plan, condition: Condition) -> dict[str, Any]:
    assert condition.load is not None
    facts = plan.offered(condition.source, condition.load)
    return plan.curve_preset.source("population", facts, condition.facts_seed)


def training(plan: Plan, condition: Condition) -> Training:
    """What is known before: frequencies, entropies and the size of the model.

    A training that selects draws its facts otherwise; its exposures too are those of the frequency.
    """
    assert condition.load is not None
    if condition.source == CITIES:
        [spec] = list(specs(plan, condition))[:1]
        cities = build(spec.facts)
        draws = spec.training.exposures * len(cities)
        return Training(draws * cities.frequency, cities.entropy_bits, plan.parameters)
    assert condition.exponent is not None
    facts = plan.offered(condition.source, condition.load)
    frequency = power_law(facts, condition.exponent)
    return Training(plan.draws * frequency, np.full(facts, BITS), plan.parameters)
