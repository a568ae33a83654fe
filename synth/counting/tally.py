"""From what stands in which document to counts of documents."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from factcap.synth.counting.names import Names


@dataclass(frozen=True)
class Tally:
    """Counts of documents.

    Attributes:
        documents: how many were read.
        entity: those that hold each entity, by one of its names at least.
        pair: those that hold subject and object of each fact.
    """

    documents: int
    entity: Int64[np.ndarray, " entities"]
    pair: Int64[np.ndarray, " facts"]

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.documents + other.documents, self.entity + other.entity, self.pair + other.pair
        )


def no_documents(names: Names) -> Tally:
    """The tally of no document."""
    return Tally(0, np.zeros(names.entities, np.int64), np.zeros(names.facts, np.int64))


class Tallier:
    """Counts documents, each once however often something stands in it.

    Args:
        names: to whom the names belong.
    """

    def __init__(self, names: Names):
        self._names = names
        # The facts in the order of their subjects, and where those of each subject begin.
        self._fact = np.argsort(names.subject, kind="stable")
        in_order = names.subject[self._fact]
        self._first = np.searchsorted(in_order, np.arange(names.entities + 1))

    def __call__(
        self,
        name: Int64[np.ndarray, " matches"],
        document: Int64[np.ndarray, " matches"],
        documents: int,
    ) -> Tally:
        """Count.

        Args:
            name: number of the name, for each match.
            document: number of the document in which it stands.
            documents: how many documents were looked at.
        """
        names = self._names
        match = _different(document * len(names.names) + name)
        document, name = np.divmod(match, max(len(names.names), 1))
        row, use = _spread(names.first, name)
        present = _different(document[row] * names.entities + names.bearer[use])
        document, entity = np.divmod(present, max(names.entities, 1))
        row, place = _spread(self._first, entity)
        fact = self._fact[place]
        wanted = document[row] * names.entities + names.object[fact]
        both = fact[_holds(present, wanted)]
        return Tally(
            documents,
            np.bincount(entity, minlength=names.entities),
            np.bincount(both, minlength=names.facts),
        )


def _different(values: Int64[np.ndarray, " some"]) -> Int64[np.ndarray, " fewer"]:
    """Each value once, in order: as `np.unique`, which for these takes twice as long."""
    ordered = np.sort(values)
    return ordered[np.diff(ordered, prepend=-1) > 0]


def _spread(
    first: Int64[np.ndarray, " starts"], number: Int64[np.ndarray, " rows"]
) -> tuple[Int64[np.ndarray, " out"], Int64[np.ndarray, " out"]]:
    """All members of the lists with these numbers: the row of each, and its place.

    The members of list i have the places first[i] to first[i+1] - 1.
    """
    length = first[number + 1] - first[number]
    row = np.repeat(np.arange(len(number)), length)
    shift = first[number] - (np.cumsum(length) - length)
    return row, np.arange(len(row)) + shift[row]


def _holds(ordered: Int64[np.ndarray, " some"], wanted: Int64[np.ndarray, " others"]):
    """Which of the wanted values stand among the ordered ones."""
    place = np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)
    return ordered[place] == wanted
