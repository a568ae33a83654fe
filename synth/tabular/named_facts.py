"""Facts with all the names that their subjects and objects go by."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int64

from factcap.synth.errors import BadInput
from factcap.synth.tabular.tables import column_names, read_columns, read_lists, table_files
from factcap.synth.tabular.triple_table import read_triples

# What columns of further names are called, in lower case; the first that is there is taken.
_ALIASES = {
    "subject": ("subject_aliases", "subj_aliases", "s_aliases"),
    "object": ("object_aliases", "obj_aliases", "o_aliases", "possible_answers"),
}
# Numbers that go with a fact to `factcap predict`; the last two only beside the first.
_CARRIED = {
    "accuracy": ("accuracy", "acc"),
    "answers": ("answers",),
    "entropy_bits": ("entropy_bits",),
}


@dataclass(frozen=True)
class NamedFacts:
    """Facts, one a row.

    Attributes:
        relation: which fact it is.
        subject: what it is about.
        object: the answer.
        subject_names: the subject, and what else it is called.
        object_names: the object, and what else it is called.
        carried: accuracy, answers and entropy_bits, as far as the tables have them.
        incomplete: rows that were left out for an empty subject, relation or object.
    """

    relation: list[str] = field(repr=False)
    subject: list[str] = field(repr=False)
    object: list[str] = field(repr=False)
    subject_names: list[tuple[str, ...]] = field(repr=False)
    object_names: list[tuple[str, ...]] = field(repr=False)
    carried: dict[str, Float64[np.ndarray, " facts"]] = field(repr=False)
    incomplete: int = 0


def read_named_facts(paths: Path | Sequence[Path]) -> NamedFacts:
    """Read facts and the aliases of their subjects and objects.

    `factcap.synth.tabular.triple_table.read_triples` says which columns of subject, relation and
    object are recognized. Aliases stand in columns subject_aliases, subj_aliases or s_aliases, and
    object_aliases, obj_aliases, o_aliases or possible_answers, as
    `factcap.synth.tabular.tables.read_lists` reads them. Columns accuracy (or acc), and beside it
    answers and entropy_bits, are carried along if all files have them.

    Args:
        paths: a file, several, or a folder; .csv, .tsv, .jsonl, .ndjson or .parquet.

    Raises:
        BadInput: for a file that cannot be read, a missing column, or no fact at all.
    """
    parts = [_read(file) for file in table_files(paths)]
    shared = [name for name in _CARRIED if all(name in part.carried for part in parts)]
    return NamedFacts(
        relation=[each for part in parts for each in part.relation],
        subject=[each for part in parts for each in part.subject],
        object=[each for part in parts for each in part.object],
        subject_names=[each for part in parts for each in part.subject_names],
        object_names=[each for part in parts for each in part.object_names],
        carried={name: np.concatenate([part.carried[name] for part in parts]) for name in shared},
        incomplete=sum(part.incomplete for part in parts),
    )


def _read(file: Path) -> NamedFacts:
    table, incomplete = read_triples([file])
    subject, object_ = table.subject.to_pylist(), table.object.to_pylist()
    return NamedFacts(
        relation=table.relation.to_pylist(),
        subject=subject,
        object=object_,
        subject_names=_all_names(file, subject, table.row, _ALIASES["subject"]),
        object_names=_all_names(file, object_, table.row, _ALIASES["object"]),
        carried=_carried(file, table.row),
        incomplete=incomplete,
    )


def _all_names(
    file: Path, names: list[str], row: Int64[np.ndarray, " facts"], usual: Sequence[str]
) -> list[tuple[str, ...]]:
    column = _find(file, usual)
    if column is None:
        return [(name,) for name in names]
    aliases = read_lists(file, column)
    return [(name, *aliases[place]) for name, place in zip(names, row, strict=True)]


def _carried(
    file: Path, row: Int64[np.ndarray, " facts"]
) -> dict[str, Float64[np.ndarray, " facts"]]:
    columns = {name: _find(file, usual) for name, usual in _CARRIED.items()}
    if columns["accuracy"] is None:
        return {}
    return {
        name: _numbers(file, column)[row] for name, column in columns.items() if column is not None
    }


def _numbers(file: Path, column: str) -> Float64[np.ndarray, " rows"]:
    values = []
    for row, cell in enumerate(read_columns(file, [column]).column(column).to_pylist(), 1):
        try:
            values.append(float("nan") if cell is None else float(cell))
        except ValueError:
            raise BadInput(
                f"{file}: {column!r} in row {row} must be a number, not {cell!r}"
            ) from None
    return np.array(values, np.float64)


def _find(file: Path, usual: Sequence[str]) -> str | None:
    known = {name.strip().lower(): name for name in reversed(column_names(file))}
    return next((known[name] for name in usual if name in known), None)
