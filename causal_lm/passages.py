"""Passages of tokens with marked spans, and in which batches they are read."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Int32, Int64

# A prefix shorter than this is not worth a pass of its own.
_LEAST_SHARED = 8


@dataclass(frozen=True)
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

    def needed(self, rows: int, longest: int, scored: int, shared: int = 0) -> int:
        """Bytes that a batch takes: reading and making logits follow each other."""
        kept = rows * shared * self.kept
        return kept + max(rows * longest * self.token, scored * self.logits)


def plan(passages: Sequence[Passage], room: Room, *, sharing: bool) -> list[Batch]:
    """Batches of all passages, the longest first, none larger than the room but for a single row.

    Rows of a batch are nearly equally long, so that little is padded. Where several passages begin
    alike and it saves a third of what they have to read, the tokens that they share are read once.

    Args:
        passages: in any order.
        room: for a batch.
        sharing: whether the model can go on from what it has read.
    """
    groups = _groups(passages) if sharing else []
    inside = np.zeros(len(passages), bool)
    for rows, _ in groups:
        inside[rows] = True
    alone = np.flatnonzero(~inside)
    batches = _packed(passages, [(alone[[place]], 0) for place in range(len(alone))], room)
    return batches + _packed(passages, groups, room)


def _groups(passages: Sequence[Passage]) -> list[tuple[Int64[np.ndarray, " rows"], int]]:
    """Rows that begin alike, and with how many tokens."""
    order = sorted(range(len(passages)), key=lambda row: passages[row].tokens.tolist())
    alike = [_alike(passages[one], passages[other]) for one, other in pairwise(order)]
    groups: list[tuple[Int64[np.ndarray, " rows"], int]] = []
    first = 0
    while first < len(order):
        last, shared = first, passages[order[first]].free
        while last < len(alike) and alike[last] >= _LEAST_SHARED:
            # More rows may share less; whether that is better is decided by what it saves.
            less = min(shared, alike[last], passages[order[last + 1]].free)
            rows = last + 1 - first
            if less < _LEAST_SHARED or less * rows < shared * (rows - 1):
                break
            shared, last = less, last + 1
        rows = np.array(order[first : last + 1])
        saved = shared * (len(rows) - 1)
        if saved * 3 >= sum(passages[row].read for row in rows) and len(rows) > 1:
            groups.append((rows, shared))
        first = last + 1
    return groups


def _alike(one: Passage, other: Passage) -> int:
    """With how many tokens both begin, of those that may be read ahead."""
    length = min(one.free, other.free)
    same = one.tokens[:length] == other.tokens[:length]
    return length if same.all() else int(np.argmin(same))


def _packed(
    passages: Sequence[Passage],
    groups: Sequence[tuple[Int64[np.ndarray, " rows"], int]],
    room: Room,
) -> list[Batch]:
    """Rows group by group, those of equally long prefixes together, cut where the room ends."""
    read = np.array([passage.read for passage in passages])
    scored = np.array([passage.scored for passage in passages])
    longest = [int(read[rows].max()) - shared for rows, shared in groups]
    order = sorted(range(len(groups)), key=lambda number: (-groups[number][1], -longest[number]))
    batches: list[Batch] = []
    taken: list[int] = []
    group: list[int] = []
    held = most = marked = 0

    def close() -> None:
        if taken:
            _, number = np.unique(group, return_inverse=True)
            batches.append(Batch(np.array(taken), held, number))
            taken.clear()
            group.clear()

    for number in order:
        rows, shared = groups[number]
        for row in rows[np.argsort(-read[rows], kind="stable")]:
            length = int(read[row]) - shared
            wider, more = max(most, length), marked + int(scored[row])
            if taken and (
                shared != held or room.needed(len(taken) + 1, wider, more, shared) > room.bytes
            ):
                close()
            if not taken:
                held, wider, more = shared, length, int(scored[row])
            most, marked = wider, more
            taken.append(int(row))
            group.append(number)
    close()
    return batches
