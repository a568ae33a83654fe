"""Tables of subject, relation, object and count, whatever their columns are called."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions at run time.)

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Float64, Int64

from factcap.synth.errors import BadInput, require
from factcap.synth.tabular.tables import column_names, read_columns

# What columns are called in well-known data sets, in lower case; the first that is there is taken.
_KNOWN_NAMES = {
    "subject": ("subject", "subj", "sub_label", "head", "entity", "name"),
    "relation": ("relation", "rel", "predicate", "property", "prop"),
    "object": ("object", "obj", "obj_label", "tail", "value", "answer"),
    "count": ("count", "frequency", "s_pop", "appearances", "population"),
}
_DECIMAL = r"^(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


@dataclass(frozen=True)
class TripleTable:
    """Triples, one a row.

    Attributes:
        subject: what the fact is about.
        relation: which fact about it.
        object: the answer.
        count: how often the fact occurs, at least 0; NaN where the table does not say.
        row: of its file, from 0.
    """

    subject: pa.StringArray = field(repr=False)
    relation: pa.StringArray = field(repr=False)
    object: pa.StringArray = field(repr=False)
    count: Float64[np.ndarray, " rows"]
    row: Int64[np.ndarray, " rows"] = field(repr=False)

    def take(self, rows: npt.NDArray[np.integer]) -> "TripleTable":
        """Some rows, in the order given."""
        number = pa.array(rows)
        return TripleTable(
            self.subject.take(number),
            self.relation.take(number),
            self.object.take(number),
            self.count[rows],
            self.row[rows],
        )


@dataclass(frozen=True)
class _Columns:
    """Columns of one file; without a relation column, `labels` are the objects' relations."""

    subject: str
    relation: str | None
    objects: tuple[str, ...]
    count: str | None
    labels: tuple[str, ...]


def read_triples(
    files: Sequence[Path],
    *,
    subject: str | None = None,
    relation: str | None = None,
    object: str | Sequence[str] | None = None,
    count: str | None = None,
) -> tuple[TripleTable, int]:
    """Triples of several files, one file after the other, and how many were incomplete.

    A file is read in one of three ways:

    * *long*: columns of subject, relation and object, one triple a row;
    * *one relation*: no relation column; the file's name without its suffix is the relation;
    * *wide*: `object` is a sequence of columns, each of which is a relation, named as the column;
      the triples of one row follow each other.

    Columns that are not named are recognized, in upper or lower case: subject, subj, sub_label,
    head, entity, name; relation, rel, predicate, property, prop; object, obj, obj_label, tail,
    value, answer; count, frequency, s_pop, appearances, population. An empty cell means that the
    table does not say; a triple without subject, relation or object is left out.

    Args:
        files: the files, as `factcap.synth.tabular.tables.table_files` lists them.
        subject: name of the subject's column.
        relation: name of the relation's column.
        object: name of the object's column, or names for a wide table.
        count: name of the count's column.

    Returns:
        The triples, and the number of those left out.

    Raises:
        BadInput: for a file that cannot be read, a missing column, a count that is negative or not
            a number, or no triple at all.
    """
    parts = [_read_file(path, _columns(path, subject, relation, object, count)) for path in files]
    subjects = pa.concat_arrays([part.subject for part in parts])
    relations = pa.concat_arrays([part.relation for part in parts])
    objects = pa.concat_arrays([part.object for part in parts])
    counts = np.concatenate([part.count for part in parts])
    row = np.concatenate([part.row for part in parts])
    table = TripleTable(subjects, relations, objects, counts, row)
    whole = pc.and_(pc.and_(subjects.is_valid(), relations.is_valid()), objects.is_valid())
    rows = np.flatnonzero(whole.to_numpy(zero_copy_only=False))
    require(
        len(rows) > 0,
        f"{', '.join(map(str, files))}: no row has a subject and an object; at least one must",
    )
    return table.take(rows), len(counts) - len(rows)


def _columns(
    path: Path,
    subject: str | None,
    relation: str | None,
    object: str | Sequence[str] | None,
    count: str | None,
) -> _Columns:
    names = column_names(path)
    named = (object,) if isinstance(object, str) else tuple(object or ())
    given = [name for name in (subject, relation, *named, count) if name is not None]
    wide = object is not None and not isinstance(object, str)
    require(bool(named) or not wide, "object names no column; give at least one")
    require(
        not (wide and relation is not None),
        f"each of several object columns is a relation; leave out the relation {relation!r}",
    )
    require(len(set(given)) == len(given), f"a column is named twice among {_listed(given)}")

    def find(role: str, name: str | None) -> str | None:
        known = {other.strip().lower(): other for other in reversed(names) if other not in given}
        usual = (known[usual] for usual in _KNOWN_NAMES[role] if usual in known)
        return name if name is not None else next(usual, None)

    def need(role: str, name: str | None) -> str:
        found = find(role, name)
        if found is None:
            raise BadInput(
                f"{path} has no column that is known to be the {role}; "
                f"give {role}, out of its columns {_listed(names)}"
            )
        return found

    columns = _Columns(
        need("subject", subject),
        None if wide else find("relation", relation),
        named if wide else (need("object", object if isinstance(object, str) else None),),
        find("count", count),
        named if wide else (path.stem,),
    )
    for name in _used(columns):
        require(name in names, f"{path} has no column {name!r}; its columns are {_listed(names)}")
        require(names.count(name) == 1, f"{path} has two columns {name!r}; rename one")
    return columns


def _used(columns: _Columns) -> list[str]:
    optional = [name for name in (columns.relation, columns.count) if name is not None]
    return [columns.subject, *columns.objects, *optional]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))


def _read_file(path: Path, columns: _Columns) -> TripleTable:
    table = read_columns(path, _used(columns))
    rows, width = table.num_rows, len(columns.objects)
    cells = pa.concat_arrays([table.column(name).combine_chunks() for name in columns.objects])
    row_by_row = np.arange(rows * width).reshape(width, rows).T.ravel()
    each_row = np.repeat(np.arange(rows), width)
    if columns.relation is None:
        relation = pa.array(columns.labels).take(pa.array(np.tile(np.arange(width), rows)))
    else:
        relation = table.column(columns.relation).combine_chunks()
    if columns.count is None:
        counts = np.full(rows, np.nan)
    else:
        counts = _counts(table.column(columns.count).combine_chunks(), columns.count, path)
    return TripleTable(
        table.column(columns.subject).combine_chunks().take(pa.array(each_row)),
        relation,
        cells.take(pa.array(row_by_row)),
        np.repeat(counts, width),
        each_row,
    )


def _counts(column: pa.StringArray, name: str, path: Path) -> Float64[np.ndarray, " rows"]:
    """Counts as numbers, NaN where the cell is empty."""
    is_decimal = pc.match_substring_regex(column, _DECIMAL)
    numbers = pc.if_else(is_decimal, column, pa.scalar(None, pa.string())).cast(pa.float64())
    counts = numbers.to_numpy(zero_copy_only=False)
    wrong = column.is_valid().to_numpy(zero_copy_only=False) & ~np.isfinite(counts)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise BadInput(
            f"{path}: {name!r} in row {row + 1} must be a number >= 0, not {column[row].as_py()!r}"
        )
    return counts
