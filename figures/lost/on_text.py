"""What is lost where facts are told by documents."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from factcap.figures.corpus.experiment import (
    ORDINARILY,
    ORDINARY,
    Material,
    Scheme,
    job,
    make_jobs,
    material,
)
from factcap.figures.lost.answered import SURE, of_answers
from factcap.figures.lost.calibration import sure_and_wrong
from factcap.figures.lost.other_text import (
    OtherText,
    Otherwise,
    Templates,
    asked_otherwise,
    hold_back,
    other_text,
)
from factcap.figures.lost.plan import Plan
from factcap.figures.runs import Progress
from factcap.models import Job
from factcap.models.runs.answers import Answers, read_answers
from factcap.synth.corpus import Knowledge

TEXT_MEASURES = (
    *("other_text_loss", "new_template_text_loss", "untold_loss", "untold_sure"),
    *("new_template_known", "new_template_loss"),
)


@dataclass(frozen=True)
class TextOfSeed:
    """The corpus of a seed, the text that is kept from it, and its runs."""

    made: Material
    back: Templates
    other: OtherText
    anew: OtherText | None
    jobs: dict[Scheme, Job]


def held_texts(plan: Plan, knowledge: Knowledge, folder: Path) -> dict[int, TextOfSeed]:
    """The corpus of each seed; no document is written with the templates that are held back.

    Raises:
        BadInput: if the corpus tells all facts that there are.
    """
    kept, back = hold_back(knowledge)
    return {seed: _of_seed(plan, kept, back, seed, folder) for seed in plan.text.seeds}


def _of_seed(
    plan: Plan, knowledge: Knowledge, back: Templates, seed: int, folder: Path
) -> TextOfSeed:
    made = material(plan.text, knowledge, seed)
    other = other_text(plan.text, knowledge, made, None, plan.others, seed)
    anew = other_text(plan.text, knowledge, made, back, plan.others, seed)
    assert other is not None
    schemes = (ORDINARILY, *plan.text.schemes)
    jobs = {scheme: job(plan.text, made, scheme, seed, folder) for scheme in schemes}
    return TextOfSeed(made, back, other, anew, jobs)


def text_rows(
    plan: Plan, texts: Mapping[int, TextOfSeed], *, workers: int, progress: Progress
) -> list[dict[str, Any]]:
    """For each scheme and seed two rows: ordinary training, and with selection.

    Raises:
        FloatingPointError: if a run diverged.
    """
    jobs = [one for held in texts.values() for one in held.jobs.values()]
    make_jobs(jobs, workers=workers, progress=progress)
    return [row for seed, held in texts.items() for row in _rows(plan, held, seed)]


@dataclass(frozen=True)
class _Read:
    """What a run says: to the questions, to those in templates held back, and of other text."""

    answers: Answers
    otherwise: Answers | None
    other: dict[str, float | None]


def _rows(plan: Plan, held: TextOfSeed, seed: int) -> Iterator[dict[str, Any]]:
    asked, otherwise = held.made.asked, asked_otherwise(held.made, held.back)
    read = {scheme: _read(held, run, otherwise) for scheme, run in held.jobs.items()}
    guess = held.made.guessable[asked.fact].astype(float)
    for scheme in plan.text.schemes:
        kept = _kept(held, scheme)
        for trained, which in ((ORDINARY, ORDINARILY), ("selected", scheme)):
            found = read[which]
            yield {
                **{"set": "text", "scheme": scheme.label, "scored": scheme.scored},
                **{"trained": trained, "seed": seed},
                **{"facts": len(kept), "dropped": int((~kept).sum())},
                **of_answers(found.answers, kept[asked.fact], guess),
                **found.other,
                **_by_new_templates(found, None if otherwise is None else kept[otherwise[1]]),
                "parameters": held.jobs[which].model.parameters,
                "run": held.jobs[which].config["id"],
            }


def _kept(held: TextOfSeed, scheme: Scheme) -> np.ndarray:
    """Which facts some document tells that was kept at the end."""
    weights = pq.read_table(held.jobs[scheme].directory / "weights.parquet")["weight"]
    told = held.made.corpus.fact[weights.to_numpy() > 0]
    return np.isin(np.arange(len(held.made.corpus.knowledge)), told)


def _read(held: TextOfSeed, run: Job, otherwise: Otherwise | None) -> _Read:
    untold = read_answers(run, held.other.values)
    return _Read(
        read_answers(run, held.made.asked.rows),
        None if otherwise is None else read_answers(run, otherwise[0]),
        {
            "other_text_loss": held.other.loss_outside_values(run),
            "new_template_text_loss": held.anew and held.anew.loss_outside_values(run),
            "untold_loss": float(untold.measurement.nll_bits.mean()),
            "untold_sure": sure_and_wrong(untold.probability, untold.right, SURE),
        },
    )


def _by_new_templates(found: _Read, kept: np.ndarray | None) -> dict[str, float | None]:
    """How many kept facts are known by a template that was never seen, and what they cost."""
    answers = found.otherwise
    if answers is None or kept is None or not kept.any():
        return {"new_template_known": None, "new_template_loss": None}
    return {
        "new_template_known": float(answers.right[kept].mean()),
        "new_template_loss": float(answers.measurement.nll_bits[kept].mean()),
    }
