"""Facts whose accuracies are drawn from known laws."""

from dataclasses import replace

import numpy as np
from scipy.special import expit

from factcap.capacity.retention import CountedFacts, Names


def counted(
    facts: int = 2000, *, relations: int = 8, objects: int = 12, seed: int = 0, named: bool = True
) -> CountedFacts:
    """Facts with log-normal counts that contradict nothing, and no accuracy."""
    rng = np.random.default_rng(seed)
    subject = np.floor(np.exp2(rng.uniform(0, 16, facts)))
    pair = np.floor(subject * rng.beta(1, 2, facts))
    relation = rng.integers(relations, size=facts)
    answer = (objects * rng.beta(1, 2, facts)).astype(int)
    often = np.exp2(18 + 4 * rng.random(objects * relations))
    standing = rng.random(facts) < 0.05
    length = rng.integers(3, 30, facts).astype(float)
    names = Names(standing, np.where(standing, 1.0, rng.random(facts)), length, length[::-1])
    return CountedFacts(
        relation=np.array([f"relation {number}" for number in relation]),
        object=np.array([f"object {number}" for number in answer]),
        subject=np.array([f"subject {number}" for number in range(facts)]),
        subject_count=subject,
        object_count=np.floor(often[relation * objects + answer]) + pair,
        pair_count=pair,
        accuracy=np.full(facts, np.nan),
        documents=1e8,
        answers=np.full(facts, 400.0),
        names=names if named else None,
        model="simulated-1b",
        size=1e9,
    )


def answered(
    facts: CountedFacts,
    *,
    pair: float = 1.2,
    subject: float = -0.5,
    known: float = -8.0,
    guess: float = -4.0,
    spread: float = 0.5,
    answers: int = 400,
    seed: int = 1,
) -> tuple[CountedFacts, np.ndarray]:
    """The facts with accuracies of know-or-guess, and the chance that each was drawn from.

    `pair` and `subject` are exponents of the odds; `known` and `guess` are log2 odds, the intercept
    of knowing being that of one document; `spread` that of the relations' intercepts.
    """
    rng = np.random.default_rng(seed)
    relations = np.unique(facts.relation)
    own = dict(zip(relations, rng.normal(0, spread, len(relations)), strict=True))
    effect = np.array([own[name] for name in facts.relation])
    log2_odds = known + effect
    log2_odds += pair * np.log2(1 + facts.pair_count) + subject * np.log2(1 + facts.subject_count)
    k, g = expit(np.log(2) * log2_odds), expit(np.log(2) * (guess + effect))
    chance = g + (1 - g) * k
    if facts.names is not None:
        chance = np.where(facts.names.standing, 1.0, chance)
    accuracy = rng.binomial(answers, chance) / answers
    return replace(facts, accuracy=accuracy), chance
