"""Facts counted in a corpus: read, search, add up, write."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from factcap.synth.counting.matching import compile_names
from factcap.synth.counting.names import Names, gather_names
from factcap.synth.counting.pieces import Part, corpus_files, cut_corpus
from factcap.synth.counting.tally import Tally, no_documents
from factcap.synth.counting.unfinished import Unfinished
from factcap.synth.counting.workers import Search, count_parts
from factcap.synth.disk.files import digest_of, write_whole
from factcap.synth.errors import require
from factcap.synth.tabular.named_facts import NamedFacts

# Bytes of a part. Of many facts it is larger, so that the time to save counts stays small.
_PART = 32 << 20
_PART_TO_COUNTS = 8
# With more, workers could fill a gibibyte.
_MOST_WORKERS = 8


@dataclass(frozen=True)
class Options:
    """How to count.

    Attributes:
        ignore_case: names and texts are compared by `str.casefold`.
        words: a name counts only where no letter, digit or underscore stands beside it.
        text: key or column of the texts.
        workers: processes; 0: one a core, at most 8.
    """

    ignore_case: bool = False
    words: bool = False
    text: str = "text"
    workers: int = 0


def count_facts(
    corpus: str,
    facts: NamedFacts,
    out: Path,
    options: Options | None = None,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> pa.Table:
    """Count in how many documents subject, object and both of each fact stand, and write that.

    Each part that is counted is kept in a folder beside `out`; the same call goes on from there.

    Args:
        corpus: a file, a folder or a glob; `factcap.synth.counting.pieces` says what is read.
        facts: with all names of their subjects and objects.
        out: a Parquet file that does not exist yet.
        options: how to count.
        progress: called with bytes of text read so far and in all, first with those kept before.

    Returns:
        What is written: a row a fact, with relation, subject, object, subject_count, object_count,
        pair_count, documents, and the columns that the facts carry.

    Raises:
        BadInput: for a corpus that cannot be read, an `out` that cannot be written, or counts kept
            there of other facts, documents or options.
    """
    options = options or Options()
    require(options.workers >= 0, f"--workers must be at least 0, not {options.workers}")
    require(out.suffix.lower() == ".parquet", f"--out must be a .parquet file, not {out}")
    require(not out.exists(), f"{out} exists; choose another name or remove it")
    require(out.parent.is_dir(), f"the folder {out.parent} does not exist; create it first")
    names = gather_names(facts.subject_names, facts.object_names, ignore_case=options.ignore_case)
    search = Search(
        names, compile_names(names.names), options.ignore_case, options.words, options.text
    )
    counts = 8 * (names.entities + names.facts)
    files = corpus_files(corpus)
    parts = cut_corpus(files, max(_PART, _PART_TO_COUNTS * counts))
    kept = Unfinished(out, _key(names, options, files, parts), len(parts), no_documents(names))
    try:
        total = _count(search, parts, kept, options.workers, progress)
        table = counted_table(facts, names, total)
        require(total.documents > 0, f"{corpus} has no document")
        write_whole(out, lambda partial: pq.write_table(table, partial))
        kept.remove()
    finally:
        kept.close()
    return table


def counted_table(facts: NamedFacts, names: Names, total: Tally) -> pa.Table:
    """The counts, a row a fact, in the columns that `factcap predict` takes."""
    columns = {
        "relation": pa.array(facts.relation),
        "subject": pa.array(facts.subject),
        "object": pa.array(facts.object),
        "subject_count": pa.array(total.entity[names.subject]),
        "object_count": pa.array(total.entity[names.object]),
        "pair_count": pa.array(total.pair),
        "documents": pa.array(np.full(names.facts, total.documents)),
    }
    return pa.table(columns | {name: pa.array(held) for name, held in facts.carried.items()})


def _count(
    search: Search,
    parts: list[Part],
    kept: Unfinished,
    workers: int,
    progress: Callable[[int, int], object],
) -> Tally:
    sizes = [sum(piece.size for piece in part) for part in parts]
    missing = np.flatnonzero(~kept.done).tolist()
    done = sum(sizes) - sum(sizes[number] for number in missing)
    progress(done, sum(sizes))
    workers = workers or min(len(os.sched_getaffinity(0)), _MOST_WORKERS)
    for place, tally in count_parts(search, [parts[number] for number in missing], workers):
        kept.add(missing[place], tally)
        done += sizes[missing[place]]
        progress(done, sum(sizes))
    return kept.total


def _key(names: Names, options: Options, files: list[Path], parts: list[Part]) -> str:
    status = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return digest_of(
        {
            "names": [name.hex() for name in names.names],
            "bearer": names.bearer.tolist(),
            "first": names.first.tolist(),
            "subject": names.subject.tolist(),
            "object": names.object.tolist(),
            "options": [options.ignore_case, options.words, options.text],
            "files": status,
            "parts": len(parts),
        }
    )
