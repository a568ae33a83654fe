"""Runs on the corpus of `corpus_selection`: which facts of its documents they know."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from factcap.capacity.retention import Training
from factcap.figures.corpus.experiment import (
    ORDINARILY,
    ORDINARY,
    Material,
    Scheme,
    job,
    make_jobs,
    material,
)
from factcap.figures.retention.own_plan import Condition, Plan
from factcap.figures.retention.own_runs import Made
from factcap.models import Job, measure_other_facts
from factcap.synth.corpus import Knowledge


def make_corpus_runs(
    plan: Plan,
    conditions: Sequence[Condition],
    knowledge: Knowledge,
    folder: Path,
    *,
    workers: int,
    progress: Callable[[int, int, float], object],
) -> list[Made]:
    """Make those of the runs that are not finished, and ask all of them.

    Selection scores marked values. A fact is known if more than half of its templates get it.

    Args:
        plan: of the runs.
        conditions: those of a corpus.
        knowledge: what there is to tell.
        folder: the runs lie in its folder `runs`.
        workers: processes; 0: this one.
        progress: called with (number of the run, runs in all, share of the run that is done).

    Raises:
        BadInput: for fewer facts than a corpus tells, before anything is trained.
        FloatingPointError: if a run diverged.
    """
    corpora = {one.facts_seed for one in conditions}
    told = {seed: material(plan.corpus_plan, knowledge, seed) for seed in sorted(corpora)}
    jobs = [_jobs(plan, told[one.facts_seed], one, folder) for one in conditions]
    make_jobs([job for some in jobs for job in some], workers=workers, progress=progress)
    return [
        _ask(plan, told[one.facts_seed], one, some)
        for one, some in zip(conditions, jobs, strict=True)
    ]


def _ask(plan: Plan, made: Material, condition: Condition, jobs: Sequence[Job]) -> Made:
    found = [measure_other_facts(each, made.asked.rows).recall for each in jobs]
    known = np.array([made.asked.known(recall) for recall in found])
    return Made(condition, training(plan, made, jobs[0].model.parameters), known)


def _jobs(plan: Plan, made: Material, condition: Condition, folder: Path) -> list[Job]:
    ordinary = condition.scheme == ORDINARY
    scheme = ORDINARILY if ordinary else Scheme(condition.scheme)
    return [job(plan.corpus_plan, made, scheme, seed, folder) for seed in condition.seeds]


def training(plan: Plan, made: Material, parameters: int) -> Training:
    """What is known before: how many documents tell each fact, its entropy and its relation.

    Args:
        plan: of the runs.
        made: a corpus of it.
        parameters: of the model.
    """
    knowledge = made.corpus.knowledge
    times = np.bincount(made.corpus.fact, minlength=len(knowledge))
    draws = plan.corpus_plan.draws / len(made.corpus.fact)
    return Training(draws * times, np.log2(knowledge.choices), parameters, knowledge.relations)
