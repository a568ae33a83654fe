"""A file of losses: read in batches, checked, ranked."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float64

from factcap.synth.errors import BadInput, require
from factcap.synth.selection.identifiers import check_ids, find_duplicate

_ROWS = 1 << 18
_NUMBERS = ("loss", "bits", "count")
COLUMNS = ("id", *_NUMBERS)


@dataclass(frozen=True)
class Rows:
    """A batch of examples.

    Attributes:
        loss: in bits.
        bits: entropy of each.
        count: occurrences of each; None where they were not counted.
    """

    loss: Float64[np.ndarray, " rows"]
    bits: Float64[np.ndarray, " rows"]
    count: Float64[np.ndarray, " rows"] | None


@dataclass(frozen=True)
class Totals:
    """What one pass over all examples finds.

    Attributes:
        rows: examples.
        bits: entropy of all.
        largest_loss: in bits.
        count: occurrences of all; as many as rows where they were not counted.
        count_squares: sum of their squares.
    """

    rows: int
    bits: float
    largest_loss: float
    count: float
    count_squares: float


@dataclass(frozen=True)
class LossTable:
    """Per-example losses in a Parquet file: columns `id`, `loss`, and perhaps `bits`, `count`.

    Attributes:
        path: the file.
        bits_each: entropy of every example, where there is no column `bits`; 0 where there is.
        unit_bits: bits in a unit of the column `loss`; 1 / ln 2 for nats.
        names: its columns.

    Raises:
        BadInput: if it is no such file.
    """

    path: Path
    bits_each: float = 0.0
    unit_bits: float = 1.0
    names: tuple[str, ...] = field(init=False)

    def __post_init__(self):
        with _open(self.path) as file:
            names = tuple(file.schema_arrow.names)
            rows = file.metadata.num_rows
        unknown = [name for name in names if name not in COLUMNS]
        require(
            not unknown,
            f"{self.path} has the unknown column {', '.join(map(repr, unknown))}; "
            f"known are {', '.join(COLUMNS)}",
        )
        missing = [name for name in ("id", "loss") if name not in names]
        require(
            not missing,
            f"{self.path} lacks the column {', '.join(map(repr, missing))}; it needs id and loss",
        )
        require(len(set(names)) == len(names), f"{self.path} has two columns of one name")
        require(rows > 0, f"{self.path} is empty; it needs at least one example")
        require(
            ("bits" in names) != (self.bits_each > 0),
            f"{self.path} has a column bits; leave out --bits-each"
            if "bits" in names
            else f"{self.path} has no column bits; give the entropy of an example as --bits-each",
        )
        object.__setattr__(self, "names", names)

    @property
    def counted(self) -> bool:
        """Whether occurrences are known."""
        return "count" in self.names

    def ids(self) -> Iterator[pa.Array]:
        """The ids, batch by batch."""
        for batch in self._batches(("id",)):
            yield batch.column(0)

    def id_type(self) -> pa.DataType:
        """Of the column `id`."""
        with _open(self.path) as file:
            return file.schema_arrow.field("id").type

    def rows(self) -> Iterator[Rows]:
        """The numbers, batch by batch."""
        present = tuple(name for name in _NUMBERS if name in self.names)
        for batch in self._batches(present):
            yield self._rows(batch)

    def batches(self) -> Iterator[tuple[pa.Array, Rows]]:
        """Ids and numbers, batch by batch."""
        for batch in self._batches(self.names):
            yield batch.column("id"), self._rows(batch)

    def check(self, progress: Callable[[int], object] = lambda rows: None) -> Totals:
        """Read everything once and check every value.

        Raises:
            BadInput: naming the first row that is wrong, counted from 0.
        """
        first, bits, largest, count, squares = 0, 0.0, 0.0, 0.0, 0.0
        for rows in self.rows():
            _check_numbers(self.path, first, "loss", rows.loss, least=0.0)
            _check_numbers(self.path, first, "bits", rows.bits, least=0.0)
            seen = np.ones(len(rows.loss)) if rows.count is None else rows.count
            _check_numbers(self.path, first, "count", seen, least=0.0)
            first += len(rows.loss)
            bits += float(rows.bits.sum())
            largest = max(largest, float(rows.loss.max(initial=0.0)))
            count += float(seen.sum())
            squares += float(np.square(seen).sum())
            progress(len(rows.loss))
        require(count > 0, f"{self.path}: all counts are 0; at least one must be positive")
        return Totals(first, bits, largest, count, squares)

    def check_ids(self, folder: Path) -> None:
        """Raise `BadInput` if an id is missing or occurs twice; see `find_duplicate`.

        Args:
            folder: where 8 bytes an id may lie meanwhile.
        """

        def checked() -> Iterator[pa.Array]:
            for array in self.ids():
                require(
                    check_ids(array),
                    f"{self.path}: ids must be integers or texts, none missing, "
                    f"not {array.type}{' with missing values' if array.null_count else ''}",
                )
                yield array

        with _open(self.path) as file:
            rows = file.metadata.num_rows
        found = find_duplicate(checked, rows, folder)
        if found is not None:
            value, one, other = found
            raise BadInput(
                f"{self.path}: the id {value!r} occurs twice, in rows {one} and {other}; "
                "give each example one row"
            )

    def _rows(self, batch: pa.RecordBatch) -> Rows:
        columns = {
            name: self._doubles(batch, name) for name in _NUMBERS if name in batch.schema.names
        }
        loss = columns["loss"] if self.unit_bits == 1 else columns["loss"] * self.unit_bits
        bits = columns["bits"] if "bits" in columns else np.full(len(loss), self.bits_each)
        return Rows(loss, bits, columns.get("count"))

    def _doubles(self, batch: pa.RecordBatch, name: str) -> Float64[np.ndarray, " rows"]:
        column = batch.column(name)
        require(
            column.null_count == 0, f"{self.path}: column {name!r} has missing values; fill them in"
        )
        kind = column.type
        require(
            pa.types.is_integer(kind) or pa.types.is_floating(kind),
            f"{self.path}: column {name!r} must hold numbers, not {kind}",
        )
        return column.to_numpy(zero_copy_only=False).astype(np.float64, copy=False)

    def _batches(self, names: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
        with _open(self.path) as file:
            try:
                yield from file.iter_batches(_ROWS, columns=list(names))
            except (pa.ArrowException, OSError) as error:
                reason = str(error).splitlines()[0]
                raise BadInput(f"{self.path} is damaged ({reason}); write it again") from None


def _check_numbers(
    path: Path, first: int, name: str, array: Float64[np.ndarray, " rows"], *, least: float
) -> None:
    wrong = ~(np.isfinite(array) & (array >= least))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise BadInput(
            f"{path}: {name} must be finite and >= {least:g}; row {first + row} has {array[row]:g}"
        )


def _open(path: str | os.PathLike) -> pq.ParquetFile:
    require(Path(path).is_file(), f"{path} does not exist; give a Parquet file of losses")
    try:
        return pq.ParquetFile(path, memory_map=False, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise BadInput(f"{path} is not a readable Parquet file ({reason})") from None
