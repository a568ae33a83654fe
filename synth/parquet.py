"""Fact sets on disk: Parquet, written and read block by block."""

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float64

from factcap.synth.errors import BadInput, require
from factcap.synth.factset import (
    SCHEMA,
    FactSet,
    FactStream,
    Origin,
    check_choices,
    check_frequency,
)

_METADATA_KEY = b"factcap"


def write(
    facts: FactSet | FactStream,
    path: str | os.PathLike,
    progress: Callable[[int], object] = lambda rows: None,
) -> None:
    """Write a fact set as Parquet, one row group a block.

    The file appears whole or not at all: it is written under another name beside its place and
    then moved there.

    Args:
        facts: the set, or the stream that makes it.
        path: a file that does not exist yet.
        progress: called with the number of rows after each block.

    Raises:
        BadInput: if the path exists or its folder does not.
    """
    target = Path(path)
    require(not target.exists(), f"{target} exists; choose another name or remove it")
    require(target.parent.is_dir(), f"the folder {target.parent} does not exist; create it first")
    stream = facts.stream() if isinstance(facts, FactSet) else facts
    schema = SCHEMA.with_metadata({_METADATA_KEY: stream.origin.to_json()})
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with pq.ParquetWriter(
            partial,
            schema,
            use_dictionary=["choices"],  # pyright: ignore[reportArgumentType] the stubs know bool only
            compression="none",
            write_statistics=False,
        ) as writer:
            for block in stream.blocks():
                writer.write_batch(block)
                progress(block.num_rows)
        partial.rename(target)
    finally:
        partial.unlink(missing_ok=True)


def scan(path: str | os.PathLike) -> FactStream:
    """Open a fact set as a stream; reads the metadata and the column names only.

    Raises:
        BadInput: if it is not a Parquet file with the columns and metadata of a fact set.
    """
    with _open(path, SCHEMA.names) as file:
        metadata = file.schema_arrow.metadata or {}
        if _METADATA_KEY not in metadata:
            raise BadInput(
                f"{path} has no 'factcap' entry in its schema metadata; "
                "write it with `factcap generate` or synth.write"
            )
        try:
            origin = Origin.from_json(metadata[_METADATA_KEY])
        except BadInput as error:
            raise BadInput(f"{path}: {error}") from None
        facts = file.metadata.num_rows

    def blocks() -> Iterator[pa.RecordBatch]:
        with _open(path, SCHEMA.names) as file:
            for batch in file.iter_batches(columns=SCHEMA.names):
                yield _to_schema(batch, path)

    return FactStream(origin, facts, blocks)


def load(path: str | os.PathLike) -> FactSet:
    """Read a fact set into memory and check every value.

    Raises:
        BadInput: if the file is not a fact set; the message names the file and what is wrong.
    """
    stream = scan(path)
    try:
        return stream.collect()
    except BadInput as error:
        raise BadInput(_named(path, error)) from None
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, error) from None


def load_frequency(
    path: str | os.PathLike,
) -> tuple[Float64[np.ndarray, " facts"], Float64[np.ndarray, " facts"]]:
    """Read only what the bounds need: (frequency, choices), checked.

    Raises:
        BadInput: as `load`.
    """
    names = ["frequency", "choices"]
    with _open(path, names) as file:
        try:
            table = file.read(columns=names)
        except (pa.ArrowException, OSError) as error:
            raise _damaged(path, error) from None
    require(table.num_rows > 0, f"{path}: the fact set is empty; it needs at least one fact")
    frequency, choices = (_doubles(table.column(name), name, path) for name in names)
    try:
        check_choices(choices)
        check_frequency(frequency)
    except BadInput as error:
        raise BadInput(_named(path, error)) from None
    return frequency, choices


def _damaged(path: str | os.PathLike, error: Exception) -> BadInput:
    reason = str(error).splitlines()[0]
    return BadInput(f"{path} is damaged ({reason}); generate it again")


def _named(path: str | os.PathLike, error: BadInput) -> str:
    return str(error) if str(path) in str(error) else f"{path}: {error}"


def _open(path: str | os.PathLike, names: list[str]) -> pq.ParquetFile:
    require(Path(path).exists(), f"{path} does not exist; give a fact set written by factcap")
    require(Path(path).is_file(), f"{path} is not a file; give a fact set written by factcap")
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise BadInput(f"{path} is not a readable Parquet file ({reason})") from None
    missing = [name for name in names if name not in file.schema_arrow.names]
    if missing:
        file.close()
        raise BadInput(
            f"{path} lacks the column {', '.join(map(repr, missing))}; "
            f"a fact set has {', '.join(SCHEMA.names)}"
        )
    return file


def _doubles(column: pa.ChunkedArray, name: str, path) -> Float64[np.ndarray, " facts"]:
    require(column.null_count == 0, f"{path}: column {name!r} has missing values; fill them in")
    try:
        return column.cast(pa.float64()).to_numpy()
    except (pa.ArrowException, ValueError):
        raise BadInput(f"{path}: column {name!r} must hold numbers, not {column.type}") from None


def _to_schema(batch: pa.RecordBatch, path: str | os.PathLike) -> pa.RecordBatch:
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        require(column.null_count == 0, f"{path}: column {name!r} has missing values; fill them in")
    try:
        return pa.RecordBatch.from_arrays(
            [batch.column(field.name).cast(field.type) for field in SCHEMA], schema=SCHEMA
        )
    except (pa.ArrowException, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise BadInput(f"{path}: a column has the wrong type ({reason})") from None
