"""Documents on disk: JSONL or Parquet, written and read block by block."""

import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from factcap.synth.corpus.documents import Document, Span, check_ids
from factcap.synth.errors import BadInput, require

_SPAN = pa.struct(
    [
        pa.field("entity", pa.string(), nullable=False),
        pa.field("relation", pa.string(), nullable=False),
        pa.field("value", pa.string(), nullable=False),
        pa.field("start", pa.int32(), nullable=False),
        pa.field("end", pa.int32(), nullable=False),
    ]
)
SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("spans", pa.list_(pa.field("item", _SPAN, nullable=False)), nullable=False),
    ]
)
_SPAN_TYPES = {"entity": str, "relation": str, "value": str, "start": int, "end": int}
_BLOCK = 4096


def write_documents(documents: Iterable[Document], path: str | os.PathLike) -> int:
    """Write documents as they come; the file appears whole or not at all.

    JSONL has an object a line, `{"id": ..., "text": ..., "spans": [{"entity": ..., "relation":
    ..., "value": ..., "start": ..., "end": ...}]}`, without `spans` where nothing is marked;
    Parquet has the columns of `SCHEMA`. Offsets count characters.

    Args:
        documents: read once.
        path: a file that does not exist yet, its suffix .jsonl or .parquet.

    Returns:
        How many were written.

    Raises:
        BadInput: for another suffix, if the path exists or its folder does not.
    """
    target = Path(path)
    suffix = _suffix(target)
    require(not target.exists(), f"{target} exists; choose another name or remove it")
    require(target.parent.is_dir(), f"the folder {target.parent} does not exist; create it first")
    written = 0
    with _whole(target) as partial, _writer(suffix, partial) as write:
        rest = iter(documents)
        while block := list(islice(rest, _BLOCK)):
            write(block)
            written += len(block)
    return written


def read_documents(path: str | os.PathLike) -> Iterator[Document]:
    """The documents of a file, one after the other, each checked.

    A column or key `spans` that is not there, or null, means that nothing is marked; other columns
    are not read.

    Raises:
        BadInput: for a file that cannot be read, or a row that is no document; it names the file
            and the row, counted from 1.
    """
    source = Path(path)
    for row, entry in read_rows(source, SCHEMA.names, needed=("id", "text")):
        try:
            yield document_of(entry)
        except BadInput as error:
            raise BadInput(f"{source}: row {row}: {error}") from None


def read_rows(
    path: Path, names: Sequence[str], *, needed: Sequence[str] = ()
) -> Iterator[tuple[int, Any]]:
    """The rows of a .jsonl or .parquet file one after the other, with their numbers from 1.

    Args:
        path: the file.
        names: columns to read of Parquet, where they are there; of JSONL all are read.
        needed: of them, those that a Parquet file must have.

    Raises:
        BadInput: for another suffix, or a file that cannot be read.
    """
    suffix = _suffix(path)
    require(path.is_file(), f"{path} is not a file; give documents as .jsonl or .parquet")
    return _json_rows(path) if suffix == ".jsonl" else _parquet_rows(path, names, needed)


def load_documents(path: str | os.PathLike) -> tuple[Document, ...]:
    """All documents of a file, no two with one id.

    Raises:
        BadInput: as `read_documents`, for no document at all, or if an id comes twice.
    """
    documents = tuple(read_documents(path))
    require(len(documents) > 0, f"{path} is empty; it needs at least one document")
    try:
        check_ids(documents)
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from None
    return documents


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    require(
        suffix in (".jsonl", ".parquet"),
        f"{path}: the suffix must be .jsonl or .parquet, not {path.suffix!r}",
    )
    return suffix


@contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """A file beside the target that takes its place when all went well."""
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        yield partial
        partial.rename(target)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def _writer(suffix: str, path: Path) -> Iterator[Callable[[Iterable[Document]], None]]:
    """A function that writes a block of documents."""
    if suffix == ".jsonl":
        with path.open("w", encoding="utf-8", newline="\n") as lines:
            yield lambda block: lines.writelines(
                json.dumps(_entry(document, bare=True), ensure_ascii=False) + "\n"
                for document in block
            )
        return
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        yield lambda block: writer.write_batch(
            pa.RecordBatch.from_pylist([_entry(document) for document in block], SCHEMA)
        )


def _entry(document: Document, *, bare: bool = False) -> dict[str, Any]:
    spans = [{name: getattr(span, name) for name in _SPAN_TYPES} for span in document.spans]
    marked = {} if bare and not spans else {"spans": spans}
    return {"id": document.id, "text": document.text, **marked}


def document_of(entry: Any) -> Document:
    """The document of a row; raises `BadInput` if it is none."""
    require(isinstance(entry, dict), "it is not an object, as in {...}")
    for name in ("id", "text"):
        require(isinstance(entry.get(name), str), f"{name!r} must be text")
    spans = entry.get("spans")
    spans = [] if spans is None else spans
    require(isinstance(spans, list), "'spans' must be a list")
    return Document(entry["id"], entry["text"], tuple(map(_span, spans)))


def _span(entry: Any) -> Span:
    require(isinstance(entry, dict), "a span must be an object with " + ", ".join(_SPAN_TYPES))
    for name, wanted in _SPAN_TYPES.items():
        value = entry.get(name)
        require(
            isinstance(value, wanted) and not isinstance(value, bool),
            f"{name!r} of a span must be {'text' if wanted is str else 'a whole number'}, "
            f"not {json.dumps(value, default=str)[:40]}",
        )
    return Span(**{name: entry[name] for name in _SPAN_TYPES})


def _json_rows(path: Path) -> Iterator[tuple[int, Any]]:
    # utf-8-sig: with or without a byte order mark.
    with path.open(encoding="utf-8-sig") as lines:
        row = 0
        try:
            for row, line in enumerate(lines, 1):
                if line.strip():
                    yield row, json.loads(line)
        except UnicodeDecodeError:
            raise BadInput(f"{path}: after row {row}: the text is not UTF-8") from None
        except (ValueError, RecursionError):
            raise BadInput(f"{path}: row {row} is not valid JSON") from None


def _parquet_rows(
    path: Path, wanted: Sequence[str], needed: Sequence[str]
) -> Iterator[tuple[int, Any]]:
    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            for name in needed:
                require(name in names, f"{path} has no column {name!r}; it has {', '.join(names)}")
            present = [name for name in wanted if name in names]
            row = 0
            for batch in file.iter_batches(_BLOCK, columns=present):
                for entry in batch.to_pylist():
                    row += 1
                    yield row, entry
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise BadInput(f"{path} cannot be read as Parquet ({reason})") from None
