"""Columns of CSV, JSONL and Parquet files, as text."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions at run time.)

import itertools
import json
import os
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from factcap.synth.errors import BadInput, require

_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_JSON_LINES = (".jsonl", ".ndjson")
_DELIMITED_IS = "UTF-8 text with a header line and equally many cells in every row"
_JSON_LINES_IS = "UTF-8 text with one JSON object a line"
# What a file of each suffix must be.
_FORMATS = {
    ".csv": _DELIMITED_IS,
    ".tsv": _DELIMITED_IS,
    ".jsonl": _JSON_LINES_IS,
    ".ndjson": _JSON_LINES_IS,
    ".parquet": "Parquet with columns of text or numbers",
}
_READABLE = ".csv, .tsv, .jsonl, .ndjson or .parquet"

# A key that is left out where it has no value may be absent from the first lines.
_LINES_FOR_NAMES = 100


def table_files(paths: str | os.PathLike | Sequence[str | os.PathLike]) -> list[Path]:
    """The files to read: a file, several, or those of a folder that are tables, by name.

    Of a folder, files of other suffixes are left out, and so are `*.patterns.jsonl`, in which
    data sets of relations keep their templates; folders inside it are not entered.

    Raises:
        BadInput: if a path does not exist, has another suffix, or is a folder without tables.
    """
    several = [paths] if isinstance(paths, (str, os.PathLike)) else paths
    require(len(several) > 0, f"no file is named; give at least one {_READABLE}")
    files: list[Path] = []
    for path in map(Path, several):
        require(path.exists(), f"{path} does not exist; give a {_READABLE} file or a folder")
        if path.is_dir():
            inside = [file for file in sorted(path.iterdir()) if _is_table(file)]
            require(bool(inside), f"the folder {path} has no {_READABLE} file")
            files += inside
        else:
            known = path.suffix.lower() in _FORMATS
            require(known, f"{path}: the suffix must be {_READABLE}, not {path.suffix!r}")
            files.append(path)
    return files


def column_names(path: Path) -> tuple[str, ...]:
    """Names of a file's columns; of JSONL, the keys of its first 100 objects.

    Raises:
        BadInput: if the file cannot be read or is empty.
    """
    suffix = path.suffix.lower()
    try:
        if suffix in _JSON_LINES:
            objects = itertools.islice(_json_objects(path), _LINES_FOR_NAMES)
            names = tuple(dict.fromkeys(name for entry in objects for name in entry))
        elif suffix == ".parquet":
            names = tuple(pq.read_schema(path).names)
        else:
            with pa_csv.open_csv(path, parse_options=_csv_format(path)) as reader:
                names = tuple(reader.schema.names)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    require(len(names) > 0, f"{path} is empty; it needs at least one row")
    return names


def read_columns(path: Path, names: Sequence[str]) -> pa.Table:
    """The named columns as strings, in Unicode's composed form (NFC), trimmed.

    A cell that is absent, null or blank is null. Text is taken as it is written: "NA" is text,
    and a date is not parsed. Numbers of JSONL and Parquet become their shortest decimal form.

    Raises:
        BadInput: if the file cannot be read, or a cell is neither text nor a number.
    """
    suffix = path.suffix.lower()
    try:
        if suffix in _JSON_LINES:
            table = _read_json_lines(path, names)
        elif suffix == ".parquet":
            with pq.ParquetFile(path) as file:
                table = file.read(columns=list(names))
        else:
            table = pa_csv.read_csv(
                path,
                parse_options=_csv_format(path),
                convert_options=pa_csv.ConvertOptions(
                    column_types={name: pa.string() for name in names},
                    include_columns=list(names),
                ),
            )
        return pa.table({name: _clean(table.column(name)) for name in names})
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _unreadable(path, error) from None


def read_lists(path: Path, name: str) -> list[tuple[str, ...]]:
    """The texts in each cell of a column, in Unicode's composed form (NFC), trimmed.

    A cell holds a list of texts (JSONL, Parquet), or text: a JSON list as in `["a", "b"]`, or
    texts with | between them. Blank texts are left out.

    Raises:
        BadInput: if the file cannot be read, or a cell is neither.
    """
    suffix = path.suffix.lower()
    try:
        if suffix in _JSON_LINES:
            cells = [entry.get(name) for entry in _json_objects(path)]
        elif suffix == ".parquet":
            with pq.ParquetFile(path) as file:
                cells = file.read(columns=[name]).column(name).to_pylist()
        else:
            cells = read_columns(path, [name]).column(name).to_pylist()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    return [_texts(path, name, row, cell) for row, cell in enumerate(cells, 1)]


def _texts(path: Path, name: str, row: int, cell: Any) -> tuple[str, ...]:
    if isinstance(cell, str):
        is_list = cell.lstrip().startswith("[")
        try:
            cell = json.loads(cell) if is_list else cell.split("|")
        except (ValueError, RecursionError):
            raise BadInput(f"{path}: {name!r} in row {row} is not a valid JSON list") from None
    cell = [] if cell is None else cell
    if not isinstance(cell, list) or not all(isinstance(text, str) for text in cell):
        raise BadInput(f"{path}: {name!r} in row {row} must be a list of texts")
    trimmed = (unicodedata.normalize("NFC", text).strip() for text in cell)
    return tuple(text for text in trimmed if text)


def _clean(column: pa.ChunkedArray) -> pa.ChunkedArray:
    text = pc.utf8_trim_whitespace(pc.utf8_normalize(column.cast(pa.string()), "NFC"))
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)


def _is_table(path: Path) -> bool:
    is_patterns = path.name.lower().endswith(".patterns.jsonl")
    return path.is_file() and path.suffix.lower() in _FORMATS and not is_patterns


def _csv_format(path: Path) -> pa_csv.ParseOptions:
    return pa_csv.ParseOptions(delimiter=_DELIMITERS[path.suffix.lower()], newlines_in_values=True)


def _json_objects(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSONL file, blank lines left out.

    Not pyarrow.json: it turns text that looks like a date into a date, and fails on columns of
    mixed types even where they are not asked for.
    """
    # utf-8-sig: with or without a byte order mark.
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                entry = json.loads(line)
            except (ValueError, RecursionError):
                raise BadInput(f"{path}: line {number} is not valid JSON") from None
            is_object = isinstance(entry, dict)
            require(is_object, f"{path}: line {number} is not a JSON object, as in {{...}}")
            yield entry


def _read_json_lines(path: Path, names: Sequence[str]) -> pa.Table:
    columns: dict[str, list[str | None]] = {name: [] for name in names}
    for row, entry in enumerate(_json_objects(path), 1):
        for name, column in columns.items():
            cell = entry.get(name)
            if isinstance(cell, (int, float)) and not isinstance(cell, bool):
                cell = repr(cell)
            if not (cell is None or isinstance(cell, str)):
                raise BadInput(
                    f"{path}: {name!r} in row {row} must be text or a number, "
                    f"not {json.dumps(cell)[:40]}"
                )
            column.append(cell)
    return pa.table({name: pa.array(column, pa.string()) for name, column in columns.items()})


def _unreadable(path: Path, error: Exception) -> BadInput:
    if isinstance(error, BadInput):
        return error
    reason = str(error).splitlines()[0]
    return BadInput(f"{path} cannot be read ({reason}); it must be {_FORMATS[path.suffix.lower()]}")
