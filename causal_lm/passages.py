"""Passages of tokens with marked spans."""

import hashlib
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, islice, pairwise
from typing import NamedTuple, SupportsIndex, overload

import numpy as np
from jaxtyping import Int32, Int64

# Passages that are put together at a time.
_TOGETHER = 1024


@dataclass(frozen=True, slots=True)
class Passage:
    """Tokens, and the spans of them that are scored.

    Attributes:
        tokens: what the model reads, and the last scored one.
        spans: (first token, token after the last) of each; the first token of all has nothing
            before it from which it could be predicted, so that a span begins at 1 or later.
    """

    tokens: Int32[np.ndarray, " tokens"]
    spans: tuple[tuple[int, int], ...]

    @property
    def read(self) -> int:
        """How many tokens are read: all before the last scored one."""
        return max(end for _, end in self.spans) - 1


class ScoredTokens(NamedTuple):
    """Tokens that are scored in some passages.

    Attributes:
        span: the number of the span of each, counted through all passages.
        row: to which of the passages it belongs.
        place: its own in the passage.
        target: the token.
    """

    span: Int64[np.ndarray, " scored"]
    row: Int64[np.ndarray, " scored"]
    place: Int64[np.ndarray, " scored"]
    target: Int64[np.ndarray, " scored"]


class Passages(Sequence[Passage]):
    """Many passages in little memory.

    Args:
        passages: read once.
    """

    def __init__(self, passages: Iterable[Passage]):
        rest = iter(passages)
        tokens, spans, lengths, counts = [], [], [], []
        while some := list(islice(rest, _TOGETHER)):
            tokens.append(np.concatenate([each.tokens for each in some]).astype(np.int32))
            spans.append(np.array([*chain.from_iterable(each.spans for each in some)], np.int32))
            lengths += [len(each.tokens) for each in some]
            counts += [len(each.spans) for each in some]
        self._tokens = np.concatenate([np.zeros(0, np.int32), *tokens])
        self._spans = np.concatenate([np.zeros((0, 2), np.int32), *spans])
        self._first_token = np.cumsum([0, *lengths])
        self.first_span: Int64[np.ndarray, " passages_and_one"] = np.cumsum([0, *counts])
        """The number of the first span of each passage, and of all spans."""
        first, length = self.first_span[:-1], self._spans[:, 1] - self._spans[:, 0]
        self.read: Int64[np.ndarray, " passages"] = (
            np.maximum.reduceat(self._spans[:, 1], first).astype(np.int64) - 1
        )
        """How many tokens are read of each."""
        self.scored: Int64[np.ndarray, " passages"] = np.add.reduceat(length, first).astype(
            np.int64
        )
        """How many tokens are scored of each."""
        self.free: Int64[np.ndarray, " passages"] = (
            np.minimum.reduceat(self._spans[:, 0], first).astype(np.int64) - 1
        )
        """How many tokens of each stand before the one that gives the first scored one."""

    def __len__(self) -> int:
        return len(self.first_span) - 1

    @overload
    def __getitem__(self, row: SupportsIndex) -> Passage: ...
    @overload
    def __getitem__(self, row: slice) -> list[Passage]: ...
    def __getitem__(self, row: SupportsIndex | slice) -> Passage | list[Passage]:
        if isinstance(row, slice):
            return [self[each] for each in range(*row.indices(len(self)))]
        row = operator.index(row)
        if not 0 <= row < len(self):
            raise IndexError(row)
        spans = self._spans[self.first_span[row] : self.first_span[row + 1]]
        return Passage(
            self._tokens[self._first_token[row] : self._first_token[row + 1]],
            tuple((start, end) for start, end in spans.tolist()),
        )

    def tokens_of(
        self, rows: Int64[np.ndarray, " rows"], skip: int
    ) -> Int64[np.ndarray, "rows time"]:
        """What is read of these passages after their first `skip` tokens; 0 behind."""
        length = self.read[rows] - skip
        row, column = _ragged(length)
        tokens = np.zeros((len(rows), length.max(initial=0)), np.int64)
        tokens[row, column] = self._tokens[self._first_token[rows][row] + skip + column]
        return tokens

    def scored_of(self, rows: Int64[np.ndarray, " rows"]) -> ScoredTokens:
        """The scored tokens of these passages, span by span."""
        place, number = _ragged(self.first_span[rows + 1] - self.first_span[rows])
        span = self.first_span[rows][place] + number
        start, end = self._spans[span].astype(np.int64).T
        which, step = _ragged(end - start)
        row, token = place[which], start[which] + step
        target = self._tokens[self._first_token[rows][row] + token]
        return ScoredTokens(span[which], row, token, target.astype(np.int64))

    def in_order(self) -> Int64[np.ndarray, " passages"]:
        """Their numbers, as tokens order them: those that begin alike stand together."""
        # Bytes with the highest first are in the order of the numbers.
        data = self._tokens.astype(">i4").tobytes()
        places = (4 * self._first_token).tolist()
        keys = [data[first:last] for first, last in pairwise(places)]
        return np.array(sorted(range(len(self)), key=keys.__getitem__), np.int64)

    def alike(self, order: Int64[np.ndarray, " passages"]) -> Int64[np.ndarray, " pairs"]:
        """With how many tokens each begins as the next does, of those that may be read ahead."""
        one, other = order[:-1], order[1:]
        length = np.minimum(self.free[one], self.free[other])
        same = np.zeros(len(length), np.int64)
        left = np.flatnonzero(length > 0)
        while len(left):
            place = same[left]
            equal = (
                self._tokens[self._first_token[one[left]] + place]
                == self._tokens[self._first_token[other[left]] + place]
            )
            left = left[equal]
            same[left] += 1
            left = left[same[left] < length[left]]
        return same

    def digest(self) -> str:
        """A hash of all of them."""
        digest = hashlib.sha256()
        for array in (self._tokens, self._spans, self._first_token, self.first_span):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


def _ragged(
    lengths: Int64[np.ndarray, " rows"],
) -> tuple[Int64[np.ndarray, " all"], Int64[np.ndarray, " all"]]:
    """(row, place in it) of all that rows of these lengths hold, row by row.

    >>> _ragged(np.array([2, 0, 1]))
    (array([0, 0, 2]), array([0, 1, 0]))
    """
    row = np.repeat(np.arange(len(lengths)), lengths)
    return row, np.arange(len(row)) - (np.cumsum(lengths) - lengths)[row]
