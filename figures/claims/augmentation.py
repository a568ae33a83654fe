"""Facts told in one fixed order or in a new one each time, and asked for by question.

A person has three attributes. A biography names the person and tells all three, either always in
one order or in a random one each time. Half of the people are also asked for each attribute by
itself in training. Recall is of the questions about the other half. What is told first stands right
after the name, as the answer to a question does; so recall is of the other two attributes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np

from factcap.figures.claims.claim import (
    Claim,
    Finding,
    Made,
    Panel,
    Row,
    Wanted,
    column,
    parameters_of,
    run_of,
)
from factcap.figures.claims.facts import distinct_rows, facts_file, token_facts
from factcap.figures.fields import Count, Several, Size
from factcap.models import measure_other_facts, run_spec
from factcap.synth import FactSet

FIXED, NEW = "one order", "any order"
_TOKENS, _NAME, _ATTRIBUTES = 64, 3, 3
# After the tokens of names and values come those that name an attribute, and that ask for one.
_VOCABULARY = _TOKENS + 2 * _ATTRIBUTES


@dataclass(frozen=True)
class Settings:
    """Which runs are made.

    Attributes:
        size: of the model.
        people: half of whom are asked for in training.
        exposures: of each biography; questions are drawn as often as biographies.
    """

    size: Size = "29k"
    people: Several = 400
    exposures: Count = 500


def _people(settings: Settings, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(name, values) of each person, as tokens."""
    rng = np.random.default_rng(seed)
    names = distinct_rows(settings.people, _NAME, _TOKENS, rng)
    return names, rng.integers(_TOKENS, size=(settings.people, _ATTRIBUTES))


def _questions(names: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(keys, values): the name and the token that asks, for each attribute of each person."""
    asked = np.tile(_TOKENS + _ATTRIBUTES + np.arange(_ATTRIBUTES), len(names))
    keys = np.hstack([np.repeat(names, _ATTRIBUTES, axis=0), asked[:, None]])
    return keys, values.reshape(-1, 1)


def trained_facts(settings: Settings, form: str, seed: int) -> FactSet:
    """Biographies of all people, and questions about the first half of them."""
    names, values = _people(settings, seed)
    orders = list(permutations(range(_ATTRIBUTES)))
    orders = orders if form == NEW else orders[:1]
    told = []
    for order in orders:
        pairs = [(np.full(len(names), _TOKENS + one), values[:, one]) for one in order]
        told.append(np.stack([part for pair in pairs for part in pair], axis=1))
    half = settings.people // 2
    keys, answers = _questions(names[:half], values[:half])
    biographies, asked = len(orders) * len(names), len(keys)
    bits = _TOKENS**_ATTRIBUTES * len(orders)
    return token_facts(
        [np.tile(names, (len(orders), 1)), keys],
        [np.vstack(told), answers],
        [float(bits), float(_TOKENS)],
        np.repeat([1 / biographies, 1 / asked], [biographies, asked]),
        _VOCABULARY,
        claim="augmentation",
        form=form,
        people=settings.people,
        seed=seed,
    )


def asked_facts(settings: Settings, seed: int) -> FactSet:
    """Questions about the second half of the people."""
    names, values = _people(settings, seed)
    half = settings.people // 2
    keys, answers = _questions(names[half:], values[half:])
    which = {"claim": "augmentation, asked", "people": settings.people, "seed": seed}
    choices, frequency = [float(_TOKENS)], np.ones(len(keys))
    return token_facts([keys], [answers], choices, frequency, _VOCABULARY, **which)


def runs(settings: Settings, seeds: Sequence[int], folder: Path) -> list[Wanted]:
    """A run with biographies in one order, and one with any."""
    wanted = []
    for form in (FIXED, NEW):
        for seed in seeds:
            facts = trained_facts(settings, form, seed)
            draws = 2 * settings.people * settings.exposures
            path = facts_file(folder, facts)
            config = run_of(path, settings.size, draws / len(facts), seed)
            labels = {"form": form, "orders": 6 if form == NEW else 1, "seed": seed}
            wanted.append(Wanted(labels, run_spec(config)))
    return wanted


def rows(settings: Settings, made: Made) -> list[dict[str, Any]]:
    """The row of a run, with the recall of people who were not asked for in training."""
    job = made.wanted.spec.job(made.directory)
    asked = measure_other_facts(job, asked_facts(settings, made.wanted.labels["seed"]))
    recall_PxA = asked.recall.reshape(-1, _ATTRIBUTES)
    return [
        made.row(
            recall_by_question=float(recall_PxA[:, 1:].mean()),
            recall_of_first=float(recall_PxA[:, 0].mean()),
        )
    ]


def findings(settings: Settings, rows: Sequence[Row]) -> list[Finding]:
    """Recall by question, with one order and with any."""
    size = parameters_of(rows)
    recall = {form: list(column(rows, "recall_by_question", form=form)) for form in (FIXED, NEW)}
    return [
        Finding(
            "recall by question of what is told after another attribute, in one order",
            0.1,
            recall[FIXED],
            (0.0, 0.25),
            (0.0, 0.5),
            size,
        ),
        Finding(
            "recall by question of what is told after another attribute, in any order",
            0.97,
            recall[NEW],
            (0.85, 1.0),
            (0.4, 1.0),
            size,
        ),
    ]


CLAIM = Claim(
    title="Facts told in one way are not found by question, facts told in many are",
    source="Allen-Zhu and Li 2309.14316",
    settings={
        "tiny": Settings(size="8k", people=40, exposures=20),
        "laptop": Settings(),
        "gpu": Settings(size="0.8M", people=10_000, exposures=500),
    },
    runs=runs,
    rows=rows,
    findings=findings,
    panel=Panel("orders", "recall_by_question", "form", ("orders told", "recall by question")),
    notes=(
        "With three attributes in one order a model of 26,976 parameters finds half of the "
        "later ones by question. The source, with six attributes and 124 million parameters, "
        "finds a tenth of all."
    ),
)
