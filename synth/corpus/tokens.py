"""Documents as tokens, and as fact sets: to train on, to score by, to ask."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
import pyarrow as pa
from jaxtyping import Float64

from factcap.synth.corpus.byte_pairs import BytePairs, learn_byte_pairs
from factcap.synth.corpus.documents import Document, Span
from factcap.synth.errors import require
from factcap.synth.factset import FactSet, Origin


@dataclass(frozen=True)
class TokenizedSpan:
    """A marked value among the tokens of its document.

    Attributes:
        document: its number.
        span: the value and its fact.
        start: the first token of the value.
        end: the token after its last.
    """

    document: int
    span: Span
    start: int
    end: int


@dataclass(frozen=True)
class Tokenized:
    """Documents as tokens; no token reaches over the end of a marked value.

    Attributes:
        documents: the texts.
        pairs: the vocabulary.
        tokens: of each document.
        spans: all marked values, document by document.
    """

    documents: tuple[Document, ...] = field(repr=False)
    pairs: BytePairs
    tokens: tuple[tuple[int, ...], ...] = field(repr=False)
    spans: tuple[TokenizedSpan, ...] = field(repr=False)

    @property
    def start_token(self) -> int:
        """The token that stands before every document: one after the pieces of text."""
        return self.pairs.size


def pieces_of(document: Document) -> list[str]:
    """The text, cut before and after each marked value; the space before a value goes with it.

    >>> pieces_of(Document("a", "Bo is from Rome.", (Span("Bo", "birthplace", "Rome", 11, 15),)))
    ['Bo is from', ' Rome', '.']
    """
    cuts = [0]
    for span in document.spans:
        spaced = span.start > cuts[-1] and document.text[span.start - 1] == " "
        cuts += [span.start - spaced, span.end]
    cuts.append(len(document.text))
    return [document.text[cuts[i] : cuts[i + 1]] for i in range(len(cuts) - 1)]


def learn_vocabulary(documents: Sequence[Document], size: int) -> BytePairs:
    """`learn_byte_pairs` of what lies between the cuts of `pieces_of`."""
    return learn_byte_pairs(chain.from_iterable(map(pieces_of, documents)), size)


def tokenize(documents: Sequence[Document], pairs: BytePairs) -> Tokenized:
    """Documents as tokens.

    Raises:
        BadInput: for no document, or one that the vocabulary has not all characters of.
    """
    require(len(documents) > 0, "there is no document; give at least one")
    cut = [pieces_of(document) for document in documents]
    encoded = iter(pairs.encode([piece for pieces in cut for piece in pieces]))
    tokens: list[tuple[int, ...]] = []
    spans: list[TokenizedSpan] = []
    for number, (document, pieces) in enumerate(zip(documents, cut, strict=True)):
        parts = [next(encoded) for _ in pieces]
        ends = np.cumsum([len(part) for part in parts])
        # Values are the second, fourth, ... piece.
        spans += [
            TokenizedSpan(number, span, int(ends[2 * place]), int(ends[2 * place + 1]))
            for place, span in enumerate(document.spans)
        ]
        tokens.append(tuple(chain.from_iterable(parts)))
    return Tokenized(tuple(documents), pairs, tuple(tokens), tuple(spans))


def document_facts(
    tokenized: Tokenized, frequency: Float64[np.ndarray, " documents"] | None = None
) -> FactSet:
    """Documents to train on: one row each, without a key, so that the loss is on all of the text.

    The engine puts a start token before each, the token after the pieces of text. `choices` is 1:
    how much a document tells is not known from its text.

    Args:
        tokenized: the documents.
        frequency: how often each is drawn; None: equally often.
    """
    count = len(tokenized.documents)
    return _fact_set(
        tokenized,
        [((), tokens) for tokens in tokenized.tokens],
        keys=[document.id for document in tokenized.documents],
        values=[document.text for document in tokenized.documents],
        choices=np.ones(count),
        frequency=np.full(count, 1 / count) if frequency is None else frequency,
        what="documents",
        vocabulary=tokenized.pairs.size,
    )


def span_facts(
    tokenized: Tokenized,
    spans: Sequence[TokenizedSpan],
    choices: Float64[np.ndarray, " spans"],
) -> FactSet:
    """Marked values to score: one row each, its key the start token and the text before it.

    What a model says of a row is what it says of these tokens in the document, since attention
    depends on distances alone.

    Args:
        tokenized: the documents.
        spans: those of its marked values that are to be scored.
        choices: of each.
    """
    rows = [
        (
            (tokenized.start_token, *tokenized.tokens[span.document][: span.start]),
            tokenized.tokens[span.document][span.start : span.end],
        )
        for span in spans
    ]
    documents = tokenized.documents
    return _fact_set(
        tokenized,
        rows,
        keys=[documents[span.document].text[: span.span.start] for span in spans],
        values=[span.span.value for span in spans],
        choices=choices,
        frequency=np.full(len(spans), 1 / max(len(spans), 1)),
        what="spans",
        vocabulary=tokenized.pairs.size + 1,
    )


def prompt_facts(
    tokenized: Tokenized,
    prompts: Sequence[tuple[str, str]],
    choices: Float64[np.ndarray, " prompts"],
    frequency: Float64[np.ndarray, " prompts"],
) -> FactSet:
    """Questions: one row each, its key the start token and a text, its value how that goes on.

    Args:
        tokenized: documents of the same vocabulary.
        prompts: (text up to the value, the value), as `Template.prompt` gives the first.
        choices: of each.
        frequency: of each; sums to 1.

    Raises:
        BadInput: for a prompt that the vocabulary has not all characters of.
    """
    # Cut as in the documents: the space before the value goes with it.
    before = [text[:-1] if text.endswith(" ") else text for text, _ in prompts]
    after = [text[len(cut) :] + value for cut, (text, value) in zip(before, prompts, strict=True)]
    keys, values = tokenized.pairs.encode(before), tokenized.pairs.encode(after)
    return _fact_set(
        tokenized,
        [((tokenized.start_token, *key), value) for key, value in zip(keys, values, strict=True)],
        keys=[text for text, _ in prompts],
        values=[value for _, value in prompts],
        choices=choices,
        frequency=frequency,
        what="prompts",
        vocabulary=tokenized.pairs.size + 1,
    )


def _fact_set(
    tokenized: Tokenized,
    rows: Sequence[tuple[Sequence[int], Sequence[int]]],
    *,
    keys: list[str],
    values: list[str],
    choices: Float64[np.ndarray, " facts"],
    frequency: Float64[np.ndarray, " facts"],
    what: str,
    vocabulary: int,
) -> FactSet:
    require(len(rows) > 0, f"there are no {what}; at least one is needed")
    key_length = np.array([len(key) for key, _ in rows], np.int32)
    length = key_length + np.array([len(value) for _, value in rows], np.int32)
    tokens = np.zeros((len(rows), int(length.max())), np.int32)
    tokens[np.arange(tokens.shape[1]) < length[:, None]] = np.fromiter(
        chain.from_iterable((*key, *value) for key, value in rows), np.int32
    )
    notes = (
        ()
        if what == "documents"
        else (
            "a value's entropy is -log2 of its share among the values of its relation, each fact "
            "counted once",
        )
    )
    return FactSet(
        keys=pa.array(keys, pa.string()),
        values=pa.array(values, pa.string()),
        choices=choices,
        frequency=frequency,
        tokens=tokens,
        key_length=key_length,
        length=length,
        origin=Origin(
            generator="corpus",
            arguments={"rows": what, "documents": len(tokenized.documents)},
            seed=None,
            vocabulary_size=vocabulary,
            notes=notes,
        ),
    )
