"""In which batches passages are read, so that little is padded and nothing is read twice."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from factcap.causal_lm.passages import Passages

# A prefix shorter than this is not worth a pass of its own.
_LEAST_SHARED = 8


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
    order = passages.in_order()
    alike = passages.alike(order)
    groups: list[_Group] = []
    first = 0
    while first < len(order):
        last, shared = first, int(passages.free[order[first]])
        while last < len(alike) and alike[last] >= _LEAST_SHARED:
            # More rows may share less; whether that is better is decided by what it saves.
            less = min(shared, int(alike[last]))
            rows = last + 1 - first
            if less * rows < shared * (rows - 1):
                break
            shared, last = less, last + 1
        rows = order[first : last + 1]
        saved = shared * (len(rows) - 1)
        if saved > 0 and 3 * saved >= passages.read[rows].sum():
            groups.append(_Group(rows, shared))
        first = last + 1
    return groups


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
