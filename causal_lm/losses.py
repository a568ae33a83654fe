"""Losses of the examples of a corpus, for `factcap select`, in bounded memory."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
import transformers

from factcap.causal_lm.batches import plan
from factcap.causal_lm.checkpoint import Checkpoint
from factcap.causal_lm.corpus import Example, read_examples
from factcap.causal_lm.parts import Parts
from factcap.causal_lm.rows import Rows, count_facts, document_rows, span_rows
from factcap.causal_lm.scoring import room_of, score
from factcap.causal_lm.tokens import Tokenizer
from factcap.synth.disk.files import write_whole
from factcap.synth.errors import BadInput, require

# A chunk is sorted by length and kept when it is done.
_DOCUMENTS, _CHARACTERS = 2048, 2**22

_Item = TypeVar("_Item")


def write_losses(
    checkpoint: Checkpoint,
    corpus: Path,
    out: Path,
    *,
    spans: bool = False,
    text: str = "text",
    batch_tokens: int = 0,
    progress: Callable[[int], object] = lambda documents: None,
) -> int:
    """Write the loss of each document, or of each marked span, as `factcap select` takes them.

    **Documents.** `loss` is the NLL of the whole text in bits, after the start token. A document
    longer than the model's context is read in pieces, each of which begins with the last token of
    the one before. `bits` is the same number: what is still to be stored of the document. `count`
    is that of the corpus, if it has one.

    **Spans.** A row is a marked value, its id `ID:START`, the document's and the place of the value
    in it. `loss` is the NLL of the value in bits, given the text before it, as much of it as the
    context holds; `bits` is -log2 of the share of the value among the facts of its relation, each
    counted once, and `count` says how often the corpus tells the fact. A value that stands before
    its entity is left out unless its fact has no other place. Memory grows with the number of
    different facts, not of documents.

    Documents are read in chunks, sorted by length inside a chunk; finished chunks are kept in a
    folder beside `out`, so that the same call goes on after an interruption.

    Args:
        checkpoint: the model.
        corpus: see `read_examples`.
        out: a file that does not exist yet; it appears whole or not at all.
        spans: whether to score marked spans instead of documents.
        text: the column of the text.
        batch_tokens: tokens read at once; 0: see `room_of`.
        progress: called with a number of documents that are done.

    Returns:
        The number of rows.

    Raises:
        BadInput: for a corpus that cannot be read, a value that the tokenizer cannot write or the
            context cannot hold, or if `out` exists.
    """
    require(not out.exists(), f"{out} exists; choose another name or remove it")
    require(out.parent.is_dir(), f"the folder {out.parent} does not exist; create it first")
    tokenizer = Tokenizer(checkpoint.tokenizer, checkpoint.name, checkpoint.vocabulary)
    facts = count_facts(read_examples(corpus, text)) if spans else None
    work = {
        "model": checkpoint.fingerprint(),
        "corpus": _stamp(corpus),
        "column": text,
        "kind of rows": "spans" if spans else "documents",
        "precision": str(checkpoint.model.dtype).removeprefix("torch."),
        "device": checkpoint.device.type,
        "batch_tokens": batch_tokens,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }
    parts = Parts(out.with_name(f".{out.name}.unfinished"), work)
    done = len(parts)

    def prepared() -> Iterator[tuple[int, Rows | None]]:
        for number, chunk in enumerate(_chunks(read_examples(corpus, text))):
            if number < done:
                yield len(chunk), None
            elif facts is None:
                yield len(chunk), document_rows(tokenizer, chunk, checkpoint.context)
            else:
                yield len(chunk), span_rows(tokenizer, chunk, facts, checkpoint.context)

    with closing(parts):
        try:
            for documents, rows in _ahead(prepared()):
                if rows is not None:
                    parts.add(_losses(checkpoint, rows, batch_tokens))
                progress(documents)
        except BadInput:
            if len(parts) == 0:
                parts.remove()
            raise
        written = _join(parts, out)
        parts.remove()
    return written


def _chunks(examples: Iterable[Example]) -> Iterator[list[Example]]:
    """Examples in their order, as many together as fit a chunk."""
    chunk: list[Example] = []
    characters = 0
    for example in examples:
        chunk.append(example)
        characters += len(example.document.text)
        if len(chunk) == _DOCUMENTS or characters >= _CHARACTERS:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


def _ahead(items: Iterator[_Item]) -> Iterator[_Item]:
    """The same, each made while the one before is used."""
    with ThreadPoolExecutor(1) as thread:
        following = thread.submit(next, items, None)
        while (item := following.result()) is not None:
            following = thread.submit(next, items, None)
            yield item


def _losses(checkpoint: Checkpoint, rows: Rows, batch_tokens: int) -> pa.Table:
    """The rows of a chunk with their losses."""
    bits_of_span = np.zeros(len(rows.row_of_span))
    batches = plan(rows.passages, room_of(checkpoint, batch_tokens, alone=True), sharing=False)
    for found in score(checkpoint, rows.passages, batches, recall=False):
        bits_of_span[found.span] = found.nll_bits
    loss = np.bincount(rows.row_of_span, weights=bits_of_span, minlength=len(rows.ids))
    columns = {"id": rows.ids, "loss": loss, "bits": loss if rows.bits is None else rows.bits}
    return pa.table(columns if rows.count is None else {**columns, "count": rows.count})


def _join(parts: Parts, out: Path) -> int:
    """Write all parts as one file; how many rows it has."""
    written = 0

    def write(path: Path) -> None:
        nonlocal written
        tables = iter(parts)
        first = next(tables)
        with pq.ParquetWriter(path, first.schema, compression="zstd") as file:
            for table in chain([first], tables):
                file.write_table(table)
                written += table.num_rows

    write_whole(out, write)
    return written


def _stamp(corpus: Path) -> list[list[str | int]]:
    """Name, size and time of each file of a corpus."""
    files = sorted(corpus.rglob("*")) if corpus.is_dir() else [corpus]
    found = [(path, path.stat()) for path in files if path.is_file()]
    return [[path.name, stat.st_size, stat.st_mtime_ns] for path, stat in found]
