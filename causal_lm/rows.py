"""What gets a loss in a corpus: whole documents, or marked spans, as passages of tokens."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from jaxtyping import Float64, Int64

from factcap.causal_lm.corpus import Example
from factcap.causal_lm.passages import Passage, Passages
from factcap.causal_lm.tokens import Tokenizer
from factcap.synth.corpus.relations import choices_of
from factcap.synth.errors import BadInput, require

Fact = tuple[str, str, str]


class Told(NamedTuple):
    """A fact of a corpus.

    Attributes:
        bits: -log2 of the share of its value within its relation, each fact counted once.
        places: at how many places it is told.
        telling: at how many of them the entity stands before the value.
    """

    bits: float
    places: int
    telling: int


@dataclass(frozen=True)
class Rows:
    """What gets a loss, and the spans whose losses make it up.

    Attributes:
        ids: a name each.
        passages: what is read.
        row_of_span: which row each span of the passages belongs to.
        bits: entropy of each row; None where it is not known.
        count: how often each occurs; None where nobody counted.
    """

    ids: pa.Array
    passages: Passages
    row_of_span: Int64[np.ndarray, " spans"]
    bits: Float64[np.ndarray, " rows"] | None
    count: Float64[np.ndarray, " rows"] | None


def count_facts(examples: Iterable[Example]) -> dict[Fact, Told]:
    """The facts that a corpus tells.

    Raises:
        BadInput: if nothing is marked.
    """
    found: dict[Fact, tuple[int, int]] = {}
    for example in examples:
        for span in example.document.spans:
            places, telling = found.get(span.fact, (0, 0))
            found[span.fact] = (places + 1, telling + example.document.tells(span))
    require(bool(found), "no document has a marked fact; leave out --spans")
    _, relations, values = zip(*found, strict=True)
    bits = np.log2(choices_of(relations, values))
    return {
        fact: Told(float(each), *times)
        for (fact, times), each in zip(found.items(), bits, strict=True)
    }


def document_rows(tokenizer: Tokenizer, chunk: Sequence[Example], context: int | None) -> Rows:
    """Each document a row, all of its tokens scored, in pieces where the context is short."""
    passages: list[Passage] = []
    row_of_span: list[int] = []
    for row, cut in enumerate(tokenizer.cut([each.document.text for each in chunk])):
        ids = np.array(tokenizer.started(cut).ids, np.int32)
        step = context or len(ids)
        for first in range(0, len(ids) - 1, step):
            piece = ids[first : first + step + 1]
            passages.append(Passage(piece, ((1, len(piece)),)))
            row_of_span.append(row)
    counts = [example.count for example in chunk if example.count is not None]
    return Rows(
        pa.array([example.id for example in chunk]),
        Passages(passages),
        np.array(row_of_span, np.int64),
        None,
        np.array(counts) if counts else None,
    )


def span_rows(
    tokenizer: Tokenizer,
    chunk: Sequence[Example],
    facts: Mapping[Fact, Told],
    context: int | None,
) -> Rows:
    """Each marked value a row that a reader could know the question of, or whose fact has none."""
    marked = [example for example in chunk if example.document.spans]
    ids: list[str] = []
    passages: list[Passage] = []
    told: list[Told] = []
    for example, cut in zip(
        marked, tokenizer.cut([each.document.text for each in marked]), strict=True
    ):
        document, places = example.document, []
        needed = cut.find(document.spans[0].start, document.spans[0].end)[0] == 0
        tokens = tokenizer.started(cut, needed=needed)
        for span in document.spans:
            if not document.tells(span) and facts[span.fact].telling > 0:
                continue
            tokenizer.check(cut, span.start, span.end)
            ids.append(f"{example.id}:{span.start}")
            told.append(facts[span.fact])
            places.append(tokens.find(span.start, span.end))
        if not places:
            continue
        read = np.array(tokens.ids[: places[-1][1]], np.int32)
        if context is None or len(read) - 1 <= context:
            passages.append(Passage(read, tuple(places)))
            continue
        for start, end in places:
            first = max(0, end - 1 - context)
            if start <= first:
                raise BadInput(
                    f"a value in the document {example.id!r} has {end - start} tokens; the context "
                    f"holds {context}"
                )
            passages.append(Passage(read[first:end], ((start - first, end - first),)))
    return Rows(
        pa.array(ids, pa.string()),
        Passages(passages),
        np.arange(len(ids)),
        np.array([each.bits for each in told]),
        np.array([float(each.places) for each in told]),
    )
