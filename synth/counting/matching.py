"""Names found in texts by Hyperscan, which looks for all of them at once."""

from array import array
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from jaxtyping import Int64

from factcap.synth.counting.boundaries import MARGIN, whole_words
from factcap.synth.libraries import library

_EDGE = b"\n" * MARGIN


def compile_names(names: Sequence[bytes]) -> bytes:
    """What a `Matcher` looks names up with; it may be sent to other processes of this machine.

    Args:
        names: different ones, none empty.

    Raises:
        BadInput: where the library hyperscan is not installed.
    """
    hyperscan = library("hyperscan", "count")
    database = hyperscan.Database()
    database.compile(
        expressions=list(names), ids=list(range(len(names))), literal=True, flags=[0] * len(names)
    )
    return hyperscan.dumpb(database)


class Matcher:
    """Finds names in documents, also a name within a longer one, and names that overlap.

    Args:
        names: as they were compiled.
        compiled: by `compile_names`.
        words: a match has no word character beside it (`factcap.synth.counting.boundaries`).
    """

    def __init__(self, names: Sequence[bytes], compiled: bytes, *, words: bool):
        hyperscan = library("hyperscan", "count")
        self._database: Any = hyperscan.loadb(compiled, hyperscan.HS_MODE_BLOCK)
        self._database.scratch = hyperscan.Scratch(self._database)
        self._length = np.array([len(name) for name in names], np.int64)
        self._words = words

    def find(
        self, documents: Sequence[bytes]
    ) -> tuple[Int64[np.ndarray, " matches"], Int64[np.ndarray, " matches"]]:
        """The number of the name and that of the document, for each match.

        Args:
            documents: UTF-8.
        """
        text = _EDGE + b"\n".join(documents) + _EDGE
        name, stop = self._scan(text)
        start = stop - self._length[name]
        # A document ends with the line break after it.
        lengths = (len(document) + 1 for document in documents)
        end = np.fromiter(accumulate(lengths, initial=MARGIN), np.int64, len(documents) + 1)
        document = np.searchsorted(end, start, side="right") - 1
        within = (document >= 0) & (document < len(documents))
        within[within] = stop[within] < end[1:][document[within]]
        if self._words:
            place = np.flatnonzero(within)
            in_text = np.frombuffer(text, np.uint8)
            within[place] = whole_words(in_text, start[place], stop[place])
        return name[within], document[within]

    def _scan(
        self, text: bytes
    ) -> tuple[Int64[np.ndarray, " matches"], Int64[np.ndarray, " matches"]]:
        """Each match's name and the byte after its last."""
        names, stops = array("q"), array("q")
        add_name, add_stop = names.append, stops.append

        def found(name: int, start: int, stop: int, flags: int, context: object) -> None:
            add_name(name)
            add_stop(stop)

        self._database.scan(text, match_event_handler=found)
        return np.frombuffer(names, np.int64), np.frombuffer(stops, np.int64)
