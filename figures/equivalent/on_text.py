"""The runs on a corpus: ordinarily at each size and budget, and with selection at the smallest."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np

from factcap.figures.corpus.experiment import (
    ORDINARILY,
    ORDINARY,
    Material,
    Scheme,
    job,
    make_jobs,
    row,
)
from factcap.figures.corpus.experiment import Plan as TextPlan
from factcap.figures.equivalent.plan import BOTH, Plan, Series, Trial, at_sizes
from factcap.figures.runs import Progress
from factcap.figures.sizes import heads_of, widths
from factcap.models import Job, TransformerConfig, read_outcome
from factcap.models.runs.ledger import most_flops
from factcap.models.training.config import total_steps

TEXT = "text"
# Of the rows that the figure `corpus_selection` has, those that this one has too.
_SAME = (
    *("facts", "facts_known", "weighted_accuracy", "stored_bits", "entropy_bits", "facts_kept"),
    *("draws", "scoring_draws", "parameters", "run"),
)

# The corpus of each seed.
Materials = Mapping[int, Material]


def text_series(plan: Plan, made: Materials) -> list[Series]:
    """Ordinary training of each size and budget, and each scheme at the smallest size."""
    text, some = plan.text, next(iter(made.values()))
    vocabulary = some.tokenized.pairs.size + 1
    small = TransformerConfig(vocabulary, text.width, text.depth, heads_of(text.width))
    smallest = Series(TEXT, ORDINARY, BOTH, text.width, text.draws, text.batch)

    def draw_flops(one: Series) -> float:
        run = job_of(text, Trial(one, 1.0, 0), some, Path())
        steps = total_steps(run.training, text.documents)
        return most_flops(run.facts, run.model, run.training) / (steps * one.batch)

    return [
        *at_sizes(smallest, widths(small, plan.times)[1:], draw_flops),
        *(replace(smallest, scheme=one.name, scored=one.scored) for one in text.schemes),
    ]


def job_of(text: TextPlan, trial: Trial, made: Material, folder: Path) -> Job:
    """The run of a trial; its default rate falls with the width, and with smaller batches."""
    one = trial.series
    plan = replace(
        text,
        width=one.width,
        # Half a step less, so that rounding up to whole scans never adds one.
        draws=one.draws - one.batch // 2,
        batch=one.batch,
        learning_rate=trial.rate
        * text.learning_rate
        * (text.width / one.width)
        * sqrt(one.batch / text.batch),
    )
    return job(plan, made, _scheme(one), trial.seed, folder)


def _scheme(one: Series) -> Scheme:
    return ORDINARILY if one.scheme == ORDINARY else Scheme(one.scheme, one.scored)


def make_text_rows(
    plan: Plan,
    trials: Sequence[Trial],
    made: Materials,
    folder: Path,
    *,
    workers: int,
    progress: Progress,
) -> list[dict[str, Any]]:
    """The rows of some runs, in the order of the trials; runs that are missing are made.

    Raises:
        FloatingPointError: if a run diverged.
    """
    jobs = [job_of(plan.text, trial, made[trial.seed], folder) for trial in trials]
    make_jobs(jobs, workers=workers, progress=progress)
    return [
        _row(plan.text, trial, made[trial.seed], run)
        for trial, run in zip(trials, jobs, strict=True)
    ]


def _row(text: TextPlan, trial: Trial, made: Material, run: Job) -> dict[str, Any]:
    plan = replace(text, batch=trial.series.batch)
    found, _ = row(plan, made, _scheme(trial.series), trial.seed, run)
    return {name: found[name] for name in _SAME} | {
        "flops": read_outcome(run.directory)["ledger"]["flops"],
        "learning_rate": run.training.learning_rate,
    }


def text_problem(made: Material) -> tuple[np.ndarray, np.ndarray]:
    """(frequency, choices) of the facts of a corpus."""
    return made.corpus.frequency, made.corpus.knowledge.choices
