"""Facts with how often they stand in a corpus and how often a model was right, read from a file."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from jaxtyping import Float64, Shaped

from factcap.synth.errors import BadInput, require
from factcap.synth.tabular.tables import column_names, read_columns, table_files

# What each column is called here, and in the files of the public repository yuhui1038/SMI.
_NUMBERS = {
    "subject_count": ("subject_count", "time_subj"),
    "object_count": ("object_count", "time_obj"),
    "pair_count": ("pair_count", "time_s1j1"),
    "documents": ("documents", "time_seqs"),
    "accuracy": ("accuracy", "acc"),
}
_PERHAPS_NUMBERS = {"answers": ("answers",), "entropy_bits": ("entropy_bits",)}
_NAMES = {"relation": ("relation", "rel")}
_PERHAPS_NAMES = {"subject": ("subject", "subj"), "object": ("object", "obj")}
_COLUMNS = "relation, subject_count, object_count, pair_count, documents, accuracy"
# As in pythia-160m, gpt-neo-1.3B and bloom-1b7.
_SIZE = re.compile(r"(?<![a-z0-9.])(\d+(?:\.\d+)?)([kmbt])(\d*)(?![a-z0-9])", re.IGNORECASE)
_UNITS = {"k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}


@dataclass(frozen=True)
class CountTable:
    """The facts of one model, a row each.

    Attributes:
        model: its name, which is the file's.
        size: its parameters, as its name says; NaN where it does not.
        documents: how many there are in its corpus.
        relation: what is asked.
        subject: what about; None where the file has no such column.
        object: the answer; None where the file has no such column.
        subject_count: documents that hold the subject.
        object_count: documents that hold the object.
        pair_count: documents that hold both.
        accuracy: share of right answers.
        answers: how many answers stand behind it; None where the file does not say.
        entropy_bits: of the answer; None where the file does not say.
    """

    model: str
    size: float
    documents: float
    relation: Shaped[np.ndarray, " rows"]
    subject: Shaped[np.ndarray, " rows"] | None
    object: Shaped[np.ndarray, " rows"] | None
    subject_count: Float64[np.ndarray, " rows"]
    object_count: Float64[np.ndarray, " rows"]
    pair_count: Float64[np.ndarray, " rows"]
    accuracy: Float64[np.ndarray, " rows"]
    answers: Float64[np.ndarray, " rows"] | None
    entropy_bits: Float64[np.ndarray, " rows"] | None


def read_counts(path: str | Path) -> CountTable:
    """Read and check the facts of one model.

    A CSV, TSV, JSONL or Parquet file with the columns relation, subject_count, object_count,
    pair_count, documents and accuracy, and perhaps subject, object, answers and entropy_bits; or a
    JSON file of the public repository yuhui1038/SMI as it is, a list of objects with subj, rel,
    obj, time_seqs, time_subj, time_obj, time_s1j1 and acc. Those names are also known as columns.

    Raises:
        BadInput: if the file cannot be read, lacks a column, has an empty relation or name, a cell
            that is no number, an accuracy outside [0, 1], or counts that contradict each other.
    """
    path = Path(path)
    table = _read(path)
    rows = table.num_rows
    require(rows > 0, f"{path} is empty; it needs at least one fact")
    numbers = {name: _numbers(path, table, name) for name in table.column_names if name in _FLOATS}
    names = {name: _text(path, table, name) for name in table.column_names if name not in _FLOATS}
    _check(path, numbers)
    documents = np.unique(numbers.pop("documents"))
    require(
        len(documents) == 1,
        f"{path}: documents is {documents[0]:g} in one row and {documents[-1]:g} in another; "
        "a file has one corpus",
    )
    return CountTable(
        model=path.stem,
        size=size_in_name(path.stem),
        documents=float(documents[0]),
        relation=names["relation"],
        subject=names.get("subject"),
        object=names.get("object"),
        subject_count=numbers["subject_count"],
        object_count=numbers["object_count"],
        pair_count=numbers["pair_count"],
        accuracy=numbers["accuracy"],
        answers=numbers.get("answers"),
        entropy_bits=numbers.get("entropy_bits"),
    )


def size_in_name(name: str) -> float:
    """The parameters that a model's name tells, or NaN.

    >>> size_in_name("pythia-160m"), size_in_name("bloom-1b7"), size_in_name("gpt2")
    (160000000.0, 1700000000.0, nan)
    """
    found = _SIZE.search(name)
    if not found:
        return float("nan")
    number, unit, rest = found.groups()
    return (
        float(f"{number}.{rest}" if rest and "." not in number else number) * _UNITS[unit.lower()]
    )


_FLOATS = {*_NUMBERS, *_PERHAPS_NUMBERS}


def _read(path: Path) -> pa.Table:
    """The columns that are known, as text, under our names."""
    objects: list[Mapping[str, object]] | None = None
    if path.suffix.lower() == ".json":
        require(path.is_file(), f"{path} does not exist or is not a file")
        objects = _json_list(path)
        there: tuple[str, ...] = tuple(objects[0]) if objects else ()
    else:
        require(not path.is_dir(), f"{path} is a folder; give the files of models")
        [path] = table_files(path)
        there = column_names(path)
    wanted = _find(path, there)
    if objects is not None:
        table = pa.table({theirs: _cells(path, objects, theirs) for theirs in wanted.values()})
    else:
        table = read_columns(path, list(wanted.values()))
    return table.select(list(wanted.values())).rename_columns(list(wanted))


def _find(path: Path, there: tuple[str, ...]) -> dict[str, str]:
    known = {name.strip().lower(): name for name in reversed(there)}
    found = {}
    for ours, theirs in {**_NAMES, **_PERHAPS_NAMES, **_NUMBERS, **_PERHAPS_NUMBERS}.items():
        column = next((known[name] for name in theirs if name in known), None)
        if column is not None:
            found[ours] = column
        elif ours in _NAMES or ours in _NUMBERS:
            raise BadInput(
                f"{path} has no column {ours} (or {theirs[-1]}); it must have {_COLUMNS}"
            )
    return found


def _json_list(path: Path) -> list[Mapping[str, object]]:
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError):
        raise BadInput(f"{path} is not valid JSON") from None
    good = isinstance(found, list) and all(isinstance(entry, dict) for entry in found)
    require(good, f"{path} must be a list of JSON objects, as in [{{...}}, ...]")
    require(len(found) > 0, f"{path} is empty; it needs at least one fact")
    return found


def _cells(path: Path, objects: list[Mapping[str, object]], name: str) -> pa.Array:
    cells: list[str | None] = []
    for row, entry in enumerate(objects, 1):
        cell = entry.get(name)
        if isinstance(cell, int | float) and not isinstance(cell, bool):
            cell = repr(cell)
        if not (cell is None or isinstance(cell, str)):
            raise BadInput(f"{path}: {name} in row {row} must be text or a number")
        cells.append((cell or "").strip() or None)
    return pa.array(cells, pa.string())


def _text(path: Path, table: pa.Table, name: str) -> npt.NDArray:
    column = table.column(name)
    if column.null_count:
        row = int(np.flatnonzero(column.is_null().to_numpy())[0]) + 1
        raise BadInput(f"{path}: row {row} has an empty {name}; fill it in or leave the row out")
    return np.array(column.to_pylist(), dtype=np.str_)


def _numbers(path: Path, table: pa.Table, name: str) -> npt.NDArray[np.float64]:
    values = []
    for row, cell in enumerate(table.column(name).to_pylist(), 1):
        try:
            value = float(cell)
        except (TypeError, ValueError):
            value = float("nan")
        if not np.isfinite(value):
            raise BadInput(f"{path}: {name} in row {row} must be a number, not {cell or 'empty'}")
        values.append(value)
    return np.array(values)


def _check(path: Path, numbers: Mapping[str, npt.NDArray[np.float64]]) -> None:
    def refuse(wrong: npt.NDArray[np.bool_], *named: str, because: str) -> None:
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            values = " and ".join(f"{name} {numbers[name][row]:g}" for name in named)
            raise BadInput(f"{path}: row {row + 1} has {values}; {because}")

    for name, values in numbers.items():
        refuse(values < 0, name, because="it must not be negative")
    refuse(numbers["documents"] <= 0, "documents", because="a corpus has one at least")
    accuracy = numbers["accuracy"]
    refuse(accuracy > 1, "accuracy", because="it must lie in [0, 1]")
    for less, more in (
        ("pair_count", "subject_count"),
        ("pair_count", "object_count"),
        ("subject_count", "documents"),
        ("object_count", "documents"),
    ):
        because = f"{less} cannot be more than {more}"
        refuse(numbers[less] > numbers[more], less, more, because=because)
    if "answers" in numbers:
        refuse(numbers["answers"] < 1, "answers", because="one answer at least stands behind it")
