"""A corpus made of facts: each in some documents, in the words of a template, with filler."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64

from factcap.synth.corpus.documents import Document, Span
from factcap.synth.corpus.relations import Knowledge
from factcap.synth.errors import require
from factcap.synth.frequency import empirical

# Sentences that say nothing of any fact. All documents share them, so that they cost a model
# little: which of them stands in a document is not more than three bits.
FILLER = (
    "This is well known.",
    "Here is more.",
    "It is said so.",
    "See below.",
    "That is all.",
    "Many know it.",
    "It was noted.",
    "So it is.",
)


@dataclass(frozen=True)
class Corpus:
    """Documents, and the facts that are told in them.

    Attributes:
        documents: each tells one fact, which is marked.
        knowledge: the facts.
        fact: number of the fact that each document tells.
        frequency: of each fact, that by which its documents were drawn; sums to 1.
    """

    documents: tuple[Document, ...]
    knowledge: Knowledge
    fact: Int64[np.ndarray, " documents"]
    frequency: Float64[np.ndarray, " facts"]


def compose(
    knowledge: Knowledge,
    *,
    documents: int,
    facts: int | None = None,
    exponent: float = 0.5,
    longest: int | None = None,
    most_alike: int | None = None,
    seed: int = 0,
) -> Corpus:
    """Documents that tell facts: a sentence from a template, with filler around it.

    Each fact is told in one document, and the others are drawn by frequency, proportional to
    count^exponent (page views are so skewed that at exponent 1 a few facts would fill the corpus).
    All templates of the relation are equally likely, those too whose value comes before the entity.
    A line of filler stands before the sentence in a third of the documents, and behind it in a
    third.

    Args:
        knowledge: what there is to tell.
        documents: how many, at least one a fact.
        facts: how many facts to take, drawn without regard to their counts; None: all.
        exponent: at least 0; 0 tells all facts equally often.
        longest: facts whose entity and value have more characters together are left out, since all
            documents of a batch cost as much as the longest; None: none is.
        most_alike: how many facts of a relation may have one value; the others of it are left out,
            by chance. Where most native languages are French, a model that always says French is
            right for most and has memorized none. None: any number.
        seed: the same seed gives the same corpus.

    Raises:
        BadInput: for an argument out of range.
    """
    length = np.array(
        [
            len(entity + value)
            for entity, value in zip(knowledge.entities, knowledge.values, strict=True)
        ]
    )
    require(
        most_alike is None or most_alike >= 1,
        f"facts with one value must number at least 1, not {most_alike}",
    )
    require(seed >= 0, f"seed must be >= 0, not {seed}")
    rng = np.random.default_rng(seed)
    short = np.arange(len(length)) if longest is None else np.flatnonzero(length <= longest)
    usable = short[rng.permutation(len(short))]
    if most_alike is not None:
        usable = _first_of_each_value(knowledge, usable, most_alike)
    available = len(usable)
    wanted = available if facts is None else facts
    alike = "" if most_alike is None else f", with most_alike {most_alike}"
    require(
        1 <= wanted <= available,
        f"there are {available} facts{alike}; ask for 1 to that, not {wanted}",
    )
    require(
        documents >= wanted,
        f"{wanted} facts need at least as many documents, not {documents}",
    )
    require(
        bool(np.isfinite(exponent)) and exponent >= 0,
        f"the exponent must be finite and >= 0, not {exponent:g}",
    )
    taken = knowledge.take(np.sort(usable[:wanted]))
    frequency = empirical(taken.counts**exponent)
    times = 1 + rng.multinomial(documents - wanted, frequency)
    fact = rng.permutation(np.repeat(np.arange(wanted), times))
    made = tuple(_tell(taken, int(number), row, rng) for row, number in enumerate(fact))
    return Corpus(made, taken, fact, frequency)


def _first_of_each_value(
    knowledge: Knowledge, facts: Int64[np.ndarray, " facts"], most: int
) -> Int64[np.ndarray, " kept"]:
    """Those of the facts before which fewer than `most` have the same relation and value."""
    seen: Counter[tuple[str, str]] = Counter()
    kept: list[int] = []
    for fact in facts.tolist():
        pair = knowledge.relations[fact], knowledge.values[fact]
        if seen[pair] < most:
            kept.append(fact)
        seen[pair] += 1
    return np.array(kept, np.int64)


def _tell(knowledge: Knowledge, fact: int, row: int, rng: np.random.Generator) -> Document:
    entity, relation, value = (
        texts[fact] for texts in (knowledge.entities, knowledge.relations, knowledge.values)
    )
    sentence, start = _pick(knowledge.templates[relation], rng).fill(entity, value)
    # A line of its own, so that a sentence begins alike with filler before it and without.
    where, line = int(rng.integers(3)), _pick(FILLER, rng)
    before = f"{line}\n" if where == 0 else ""
    behind = f"\n{line}" if where == 1 else ""
    start += len(before)
    span = Span(entity, relation, value, start, start + len(value))
    return Document(f"{row}", before + sentence + behind, (span,))


def _pick(items: Sequence[Any], rng: np.random.Generator) -> Any:
    return items[int(rng.integers(len(items)))]
