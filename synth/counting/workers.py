"""Parts of a corpus counted in this process or by several."""

import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from factcap.synth.counting.matching import Matcher
from factcap.synth.counting.names import Names, fold
from factcap.synth.counting.pieces import Part
from factcap.synth.counting.tally import Tallier, Tally, no_documents
from factcap.synth.counting.texts import read_blocks
from factcap.synth.errors import BadInput


@dataclass(frozen=True)
class Search:
    """What is looked for, and how.

    Attributes:
        names: of the facts.
        compiled: these names, by `factcap.synth.counting.matching.compile_names`.
        ignore_case: fold the case of the texts, as that of the names is.
        words: a match has no word character beside it.
        column: key or column of the texts.
    """

    names: Names
    compiled: bytes
    ignore_case: bool
    words: bool
    column: str


class Counter:
    """Counts the documents of parts of a corpus."""

    def __init__(self, search: Search):
        self._search = search
        self._matcher = Matcher(search.names.names, search.compiled, words=search.words)
        self._tally = Tallier(search.names)

    def __call__(self, part: Part) -> Tally:
        """The counts of a part.

        Raises:
            BadInput: for a piece that cannot be read.
        """
        total = no_documents(self._search.names)
        for piece in part:
            for texts in read_blocks(piece, self._search.column):
                folded = list(map(fold, texts)) if self._search.ignore_case else texts
                name, document = self._matcher.find(folded)
                total += self._tally(name, document, len(texts))
        return total


def count_parts(search: Search, parts: Sequence[Part], workers: int) -> Iterator[tuple[int, Tally]]:
    """(number of the part, its counts), as they are done.

    Args:
        search: what to look for.
        parts: of a corpus.
        workers: processes; 1: this one.

    Raises:
        BadInput: for a piece that cannot be read, or if a worker was ended from outside.
    """
    if workers == 1 or len(parts) < 2:
        counter = Counter(search)
        for number, part in enumerate(parts):
            yield number, counter(part)
        return
    waiting = iter(enumerate(parts))
    # Each process has a pipe of its own, so that it ends when this one does, however that ends.
    crew = [_start(search) for _ in range(min(workers, len(parts)))]
    busy: dict[Connection, int] = {}
    try:
        for (_, pipe), (number, part) in zip(crew, waiting, strict=False):
            pipe.send(part)
            busy[pipe] = number
        while busy:
            ready = set(wait(list(busy)))
            for pipe in [each for each in busy if each in ready]:
                number, found = busy.pop(pipe), _receive(pipe)
                for later, part in waiting:
                    pipe.send(part)
                    busy[pipe] = later
                    break
                yield number, found
    finally:
        for process, pipe in crew:
            process.kill()
            process.join()
            pipe.close()


def _receive(pipe: Connection) -> Tally:
    try:
        found = pipe.recv()
    except (EOFError, OSError):
        raise BadInput(
            "a worker was ended from outside, perhaps for want of memory; what is finished is "
            "kept: give the same command again, perhaps with fewer --workers"
        ) from None
    if isinstance(found, BadInput):
        raise found
    return found


def _start(search: Search) -> tuple[BaseProcess, Connection]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, search), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def _serve(pipe: Connection, search: Search) -> None:
    # An interruption of all of them ends a process at once, without a word.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    counter = Counter(search)
    with suppress(EOFError, OSError):
        while True:
            part = pipe.recv()
            try:
                pipe.send(counter(part))
            except BadInput as error:
                pipe.send(error)
