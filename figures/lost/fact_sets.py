"""What is lost where facts are rows: accuracy on dropped facts, and how sure wrong answers are."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from factcap.figures.equivalent.fact_sets import fact_series, run_of
from factcap.figures.equivalent.plan import Trial
from factcap.figures.lost.answered import of_answers
from factcap.figures.lost.plan import Plan
from factcap.figures.runs import Progress, make_runs
from factcap.figures.selection.experiment import ORDINARY
from factcap.models import RunSpec
from factcap.models.runs.answers import Answers, read_answers


def fact_rows(
    plan: Plan, folder: Path, *, workers: int, progress: Progress
) -> list[dict[str, Any]]:
    """For each set, scheme and seed two rows: ordinary training, and with selection.

    Both are asked for the same facts, those that the scheme kept and those that it dropped. The
    runs are those of the small model in the figure `equivalent_size` at the default learning rate.
    """
    trials = [Trial(one, 1.0, seed) for seed in plan.seeds for one in fact_series(plan.sizes)]
    specs = {trial: run_of(plan.sizes, trial) for trial in trials}
    make_runs(list(specs.values()), folder, workers=workers, progress=progress)
    return [
        row
        for trial in trials
        if trial.series.scheme == ORDINARY
        for row in _rows(plan, specs, folder, trial)
    ]


def _rows(
    plan: Plan, specs: Mapping[Trial, RunSpec], folder: Path, ordinary: Trial
) -> Iterator[dict[str, Any]]:
    def answers(trial: Trial) -> Answers:
        job = specs[trial].job(folder / "runs" / specs[trial].id)
        return read_answers(job, job.facts)

    base = answers(ordinary)
    guess = 1 / base.measurement.choices
    for scheme in plan.schemes:
        chosen = replace(ordinary, series=replace(ordinary.series, scheme=scheme))
        weights = pq.read_table(folder / "runs" / specs[chosen].id / "weights.parquet")["weight"]
        kept = weights.to_numpy() > 0
        for trial, found in ((ordinary, base), (chosen, answers(chosen))):
            trained = ORDINARY if trial == ordinary else "selected"
            yield {
                **{"set": ordinary.series.facts, "scheme": scheme, "scored": ""},
                **{"trained": trained, "seed": ordinary.seed},
                **{"facts": len(kept), "dropped": int((~kept).sum())},
                **of_answers(found, kept, guess),
                "parameters": found.measurement.parameters,
                "run": specs[trial].id,
            }
