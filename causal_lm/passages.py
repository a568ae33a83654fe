"""Passages of tokens with marked spans, and in which batches they are read."""

import hashlib
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, islice, pairwise
from typing import SupportsIndex, overload

import numpy as np
from jaxtyping import Int32, Int64

# A prefix shorter than this is not worth a pass of its own.
_LEAST_SHARED = 8
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

    @property
    def scored(self) -> int:
        """How many tokens are scored, one in two spans twice."""
        return sum(end - start for start, end in self.spans)

    @property
    def free(self) -> int:
        """How many tokens stand before the one from which the first scored one is predicted."""
        return min(start for start, _ in self.spans) - 1


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

    @property
    def read(self) -> Int64[np.ndarray, " passages"]:
        """How many tokens are read of each."""
        return np.maximum.reduceat(self._spans[:, 1], self.first_span[:-1]).astype(np.int64) - 1

    @property
    def scored(self) -> Int64[np.ndarray, " passages"]:
        """How many tokens are scored of each."""
        length = self._spans[:, 1] - self._spans[:, 0]
        return np.add.reduceat(length, self.first_span[:-1]).astype(np.int64)

    def digest(self) -> str:
        """A hash of all of them."""
        digest = hashlib.sha256()
        for array in (self._tokens, self._spans, self._first_token, self.first_span):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class Batch:
    """Passages that are read together.

    Attributes:
        rows: numbers of the passages.
        shared: how many tokens at the beginning are read once for all rows of a group.
        group: of each row; groups are numbered from 0.
    """

    rows: Int64[np.ndarray, " rows"]
    shared: int
    group: Int64[np.ndarray, " rows"]


@dataclass(frozen=True)
class Room:
    """How much memory a batch may take, and what takes it.

    Attributes:
        bytes: for a batch.
        token: bytes that a token takes while it is read.
        logits: bytes that the logits of a scored token take.
        kept: bytes of the keys and values of a token.
    """

    bytes: int
    token: int
    logits: int
    kept: int

    def needed(self, rows: int, longest: int, scored: int, shared: int, groups: int) -> int:
        """Bytes that a batch takes: reading ahead, reading, and making logits follow each other.

        Args:
            rows: of the batch.
            longest: tokens of the longest row, without those that are shared.
            scored: tokens that are scored.
            shared: tokens that are read ahead for each group.
            groups: of rows.
        """
        read = max(rows * longest, groups * shared) * self.token
        return rows * shared * self.kept + max(read, scored * self.logits)


@dataclass(frozen=True)
class _Group:
    """Rows that begin with so many tokens in common."""

    rows: Int64[np.ndarray, " rows"]
    shared: int


def plan(passages: Passages, room: Room, *, sharing: bool) -> list[Batch]:
    """Batches of all passages, none larger than the room but for a single row.

    Rows of a batch are nearly equally long, so that little is padded. Where several passages begin
    alike and it saves a third of what they have to read, the tokens that they share are read once.

    Args:
        passages: in any order.
        room: for a batch.
        sharing: whether the model can go on from what it has read.
    """
    groups = _groups(passages) if sharing else []
    alone = np.ones(len(passages), bool)
    for group in groups:
        alone[group.rows] = False
    rest = [_Group(np.flatnonzero(alone), 0)] if alone.any() else []
    return _packed(passages, [*groups, *rest], room)


def _groups(passages: Passages) -> list[_Group]:
    """Rows that are better read together, after what they share."""
    # Bytes with the highest first are in the order of the numbers.
    keys = [passage.tokens.astype(">i4").tobytes() for passage in passages]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    del keys
    alike = [_alike(passages[one], passages[other]) for one, other in pairwise(order)]
    groups: list[_Group] = []
    first = 0
    while first < len(order):
        last, shared = first, passages[order[first]].free
        while last < len(alike) and alike[last] >= _LEAST_SHARED:
            # More rows may share less; whether that is better is decided by what it saves.
            less = min(shared, alike[last])
            rows = last + 1 - first
            if less * rows < shared * (rows - 1):
                break
            shared, last = less, last + 1
        rows = np.array(order[first : last + 1])
        saved = shared * (len(rows) - 1)
        if saved > 0 and 3 * saved >= sum(passages[row].read for row in rows):
            groups.append(_Group(rows, shared))
        first = last + 1
    return groups


def _alike(one: Passage, other: Passage) -> int:
    """With how many tokens both begin, of those that may be read ahead."""
    length = min(one.free, other.free)
    same = one.tokens[:length] == other.tokens[:length]
    return length if same.all() else int(np.argmin(same))


def _packed(passages: Passages, groups: Sequence[_Group], room: Room) -> list[Batch]:
    """Rows group by group, those of equally long prefixes together, cut where the room ends."""
    read, scored = passages.read, passages.scored
    order = sorted(groups, key=lambda each: (-each.shared, -int(read[each.rows].max())))
    batches: list[Batch] = []
    taken: list[int] = []
    group: list[int] = []
    shared = longest = marked = 0

    def close() -> None:
        if taken:
            batches.append(Batch(np.array(taken), shared, np.array(group) - group[0]))
            taken.clear()
            group.clear()

    for number, each in enumerate(order):
        for row in each.rows[np.argsort(-read[each.rows], kind="stable")]:
            length, more = int(read[row]) - each.shared, int(scored[row])
            if taken and (
                each.shared != shared
                or room.needed(
                    len(taken) + 1,
                    max(longest, length),
                    marked + more,
                    shared,
                    number - group[0] + 1,
                )
                > room.bytes
            ):
                close()
            if not taken:
                shared, longest, marked = each.shared, 0, 0
            longest, marked = max(longest, length), marked + more
            taken.append(int(row))
            group.append(number)
    close()
    return batches
