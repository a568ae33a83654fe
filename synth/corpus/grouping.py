"""What is selected where documents are trained on: groups of documents that tell the same."""

from collections.abc import Sized
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
from jaxtyping import Float64, Int64

from factcap.synth.corpus.marking import find_marks
from factcap.synth.corpus.relations import choices_of
from factcap.synth.corpus.tokens import (
    Tokenized,
    TokenizedSpan,
    document_facts,
    span_facts,
    tokenize,
)
from factcap.synth.errors import require
from factcap.synth.factset import FactSet

Rows = TypeVar("Rows", bound=Sized)

# Where frames are found in a smaller share of the documents, they are not what the text is made of.
_IN_FRAMES = 0.8


@dataclass(frozen=True)
class Grouping(Generic[Rows]):
    """Rows that are scored, and the groups of documents that their losses are about.

    Attributes:
        rows: what is scored, in the form that the engine reads: in ours a fact set of marked values
            (see `span_facts`), or of whole documents.
        entropies: of each group in bits; None where nothing is marked or found: a share of its
            loss when it is scored first then serves. By then a model has learned what documents
            have in common, and no more than that loss is left to be memorized of this one.
        fact_of_row: number of the fact that a row asks.
        group_of_pair: with `fact_of_pair`, which facts are told by the documents of each group.
        fact_of_pair: the same.
        group_of_document: number of the group; -1: the document tells no marked fact, though others
            do. Nothing is said of it, and it keeps its weight.
    """

    rows: Rows = field(repr=False)
    entropies: Float64[np.ndarray, " groups"] | None
    fact_of_row: Int64[np.ndarray, " rows"]
    group_of_pair: Int64[np.ndarray, " pairs"]
    fact_of_pair: Int64[np.ndarray, " pairs"]
    group_of_document: Int64[np.ndarray, " documents"]

    def __len__(self) -> int:
        return int(self.group_of_pair.max()) + 1

    def losses(self, row_losses: Float64[np.ndarray, " rows"]) -> Float64[np.ndarray, " groups"]:
        """Loss of each group: the sum over its facts of the mean over a fact's rows.

        Args:
            row_losses: in bits.
        """
        total = np.bincount(self.fact_of_row, weights=row_losses)
        fact = total / np.bincount(self.fact_of_row)
        return np.bincount(self.group_of_pair, weights=fact[self.fact_of_pair])

    def frequency(
        self, documents: Float64[np.ndarray, " documents"]
    ) -> Float64[np.ndarray, " groups"]:
        """Frequency of each group, the sum over its documents, made to sum to 1."""
        grouped = self.group_of_document >= 0
        total = np.bincount(
            self.group_of_document[grouped], weights=documents[grouped], minlength=len(self)
        )
        return total / total.sum()

    def document_weights(
        self,
        group_weights: Float64[np.ndarray, " groups"],
        documents: Float64[np.ndarray, " documents"],
    ) -> Float64[np.ndarray, " documents"]:
        """Weight of each document: that of its group times its share of the group's frequency.

        Documents of no group keep their frequency, and all others together keep theirs.

        Args:
            group_weights: new weights, not all 0, at any scale.
            documents: frequency of each document; sums to 1.
        """
        grouped = self.group_of_document >= 0
        group = self.group_of_document[grouped]
        frequency = self.frequency(documents)
        share = documents[grouped] / np.maximum(frequency[group], np.finfo(float).tiny)
        weights = group_weights[group] * share
        out = documents.copy()
        out[grouped] = weights * (documents[grouped].sum() / weights.sum())
        return out


def marked_groups(
    tokenized: Tokenized, *, rows_per_fact: int = 2, seed: int = 0
) -> Grouping[FactSet]:
    """Groups of documents that tell the same facts, scored by the losses of their marked values.

    A fact is an (entity, relation, value). Its entropy, -log2 of the share of its value among the
    facts of its relation, is counted once for all documents that tell it. (Where documents tell
    several facts each, it is counted once for each group of documents that tell the same ones.)
    A value is scored where its entity stands before it; of a fact without such a place all are.

    Args:
        tokenized: documents, of which some have marks.
        rows_per_fact: at how many places a fact is scored at the most, drawn by the seed.
        seed: of that draw.

    Raises:
        BadInput: if nothing is marked, or for `rows_per_fact` below 1.
    """
    require(len(tokenized.spans) > 0, "no document has a marked fact; select by documents instead")
    require(rows_per_fact >= 1, f"rows_per_fact must be at least 1, not {rows_per_fact}")
    numbers: dict[tuple[str, str, str], int] = {}
    told: list[set[int]] = [set() for _ in tokenized.documents]
    places: list[list[TokenizedSpan]] = []
    for span in tokenized.spans:
        number = numbers.setdefault(span.span.fact, len(numbers))
        if number == len(places):
            places.append([])
        places[number].append(span)
        told[span.document].add(number)
    _, relations, values = zip(*numbers, strict=True)
    choices = choices_of(relations, values)
    rng = np.random.default_rng(seed)
    scored: list[TokenizedSpan] = []
    fact_of_row: list[int] = []
    for number, all_places in enumerate(places):
        taken = _scorable(tokenized, all_places)
        kept = np.sort(rng.permutation(len(taken))[:rows_per_fact])
        scored += [taken[place] for place in kept]
        fact_of_row += [number] * len(kept)
    groups: dict[tuple[int, ...], int] = {}
    group_of_document = [
        groups.setdefault(tuple(sorted(facts)), len(groups)) if facts else -1 for facts in told
    ]
    pairs = np.array([(group, fact) for facts, group in groups.items() for fact in facts])
    fact = np.array(fact_of_row)
    return Grouping(
        rows=span_facts(tokenized, scored, choices[fact]),
        entropies=np.bincount(pairs[:, 0], weights=np.log2(choices)[pairs[:, 1]]),
        fact_of_row=fact,
        group_of_pair=pairs[:, 0],
        fact_of_pair=pairs[:, 1],
        group_of_document=np.array(group_of_document),
    )


def unmarked_groups(
    tokenized: Tokenized, *, rows_per_fact: int = 2, seed: int = 0
) -> Grouping[FactSet]:
    """Groups of documents that tell the same, where nobody marked what they tell.

    Marks are found by the frames that sentences share (see `find_marks`); what they mark is grouped
    and scored as `marked_groups` does. Where fewer than four fifths of the documents have such a
    sentence, each is a group of its own: see `single_documents`.

    Args:
        tokenized: documents; their marks are not read.
        rows_per_fact: at how many places a fact is scored at the most, drawn by the seed.
        seed: of that draw.
    """
    found = find_marks(tokenized.documents)
    if sum(bool(document.spans) for document in found) < _IN_FRAMES * len(found):
        return single_documents(tokenized)
    return marked_groups(tokenize(found, tokenized.pairs), rows_per_fact=rows_per_fact, seed=seed)


def single_documents(tokenized: Tokenized) -> Grouping[FactSet]:
    """Each document a group of its own, scored by the loss of all of its text; marks are not read.

    Its entropy is not known: see `Grouping`.
    """
    return each_alone(document_facts(tokenized))


def each_alone(rows: Rows) -> Grouping[Rows]:
    """Each row a document and a group of its own, of an entropy that is not known."""
    each = np.arange(len(rows))
    return Grouping(rows, None, each, each, each, each)


def _scorable(tokenized: Tokenized, places: list[TokenizedSpan]) -> list[TokenizedSpan]:
    telling = [place for place in places if tokenized.documents[place.document].tells(place.span)]
    return telling or places
