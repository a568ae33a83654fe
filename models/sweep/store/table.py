"""The table of a store: one row a finished run, kept as Parquet and brought up to date."""

import json
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from factcap.models.runs.directory.reading import read_config, read_outcome
from factcap.models.sweep.code import code_today, source_of
from factcap.models.sweep.store.store import Store
from factcap.synth.disk.files import (
    Damaged,
    DamagedWarning,
    file_digest,
    read_sealed,
    write_sealed,
    write_whole,
)

Row = dict[str, Any]

# A column of the file that the table has not: what makes a run's facts.
_SOURCE = "source"

# Hexadecimal digits of the hash of a run's code.
_CODE_DIGITS = 12


def results(store: Store) -> pa.Table:
    """The finished runs of a store, one row a run, sorted by name.

    Columns: `run`; `generator` and `facts_<argument>`, or `file`, of the recipe; `model`; the
    training, its defaults filled in (`exposures` are those asked for); `parent_run`, `parent_steps`
    and `parent_tokens`, where a run goes on from another, whose cost is not in its own; the
    measurement (`Measurement.summary`); `exposures_made`, `steps_made`, `capped`; the ledger;
    `code`, the first digits of the hash of its code, joined by + where several have made it; and
    `other_code`, whether that is another than would make this run now. A column that a run lacks is
    null in its row.

    The table is kept as `results.parquet`; only runs that it lacks are read. A table that is not as
    it was written is made anew from the runs.

    Warns:
        DamagedWarning: for a run whose files are not as they were written; it has no row.
    """
    finished = [run for run in store.runs() if store.is_finished(run)]
    known = _kept(store)
    have = set(known.column("run").to_pylist()) if known is not None else set()
    new = [row for run in finished if run not in have if (row := _row_or_none(store, run))]
    wanted = set(finished)
    if known is not None and not new and have <= wanted:
        return _marked(known)
    old = [row for row in known.to_pylist() if row["run"] in wanted] if known is not None else []
    table = _table([*old, *new])
    if table.num_rows:
        _keep(store, table)
    return _marked(table)


def _marked(table: pa.Table) -> pa.Table:
    """The table with `other_code`, which is a matter of the code that reads it."""
    if not table.num_rows:
        return table
    codes, sources = table.column("code").to_pylist(), table.column(_SOURCE).to_pylist()
    today = {source: _today(source) for source in set(sources)}
    other = [code != today[source] for code, source in zip(codes, sources, strict=True)]
    return table.drop_columns([_SOURCE]).append_column("other_code", pa.array(other, pa.bool_()))


def _today(source: str) -> str | None:
    """The digits of the code that makes runs of a source now; None if the source is gone."""
    try:
        return code_today(source)[:_CODE_DIGITS]
    except LookupError:
        return None


def result_row(store: Store, run: str) -> Row:
    """The row of a finished run, as it is kept: with its source, and without `other_code`.

    Raises:
        BadInput: if it is not finished.
        Damaged: if a file is not as it was written.
    """
    config, outcome = read_config(store.directory(run)), read_outcome(store.directory(run))
    if config["id"] != run:
        raise Damaged(f"{store.directory(run)} holds the run {config['id']}")
    row: Row = {"run": run, **_source(config), "model": _model_name(config["model"])}
    row |= {"exposures_made": outcome["exposures"], "steps_made": outcome["steps"]}
    return {
        **row,
        "capped": outcome["capped"],
        **_flat(outcome["training"]),
        **_flat({"selection": outcome.get("selection")}),
        **_flat({"parent": outcome.get("parent")}),
        **outcome["summary"],
        **outcome["ledger"],
        "code": "+".join(
            code[:_CODE_DIGITS] for code in outcome.get("codes", [config.get("code", "")])
        ),
        _SOURCE: source_of(config),
    }


def _row_or_none(store: Store, run: str) -> Row | None:
    try:
        return result_row(store, run)
    except Damaged as error:
        warnings.warn(f"{error}; the next sweep makes it again", DamagedWarning, 2)
        return None


def _flat(entry: Row) -> Row:
    """Entries whose values are dictionaries as one column a number; lists are left out."""
    flat: Row = {}
    for name, value in entry.items():
        inner = value if isinstance(value, dict) else {"": value}
        for part, number in inner.items():
            if number is not None and not isinstance(number, list):
                flat[f"{name}_{part}".rstrip("_")] = number
    return flat


def _source(config: dict[str, Any]) -> Row:
    if "recipe" not in config:
        return {"generator": config["facts"]["origin"]["generator"]}
    recipe = dict(config["recipe"])
    if "generator" not in recipe:
        return {"file": recipe["sha256"][:16], "facts_prefix": recipe["prefix"]}
    generator = recipe.pop("generator")
    return {"generator": generator, **{f"facts_{name}": value for name, value in recipe.items()}}


def _model_name(model: str | dict[str, Any]) -> str:
    if isinstance(model, str):
        return model
    return f"{model['width']}x{model['depth']}x{model['heads']}"


def _table(rows: Iterable[Row]) -> pa.Table:
    rows = sorted(rows, key=lambda row: row["run"])
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.table({name: _column([row.get(name) for row in rows]) for name in names})


def _column(values: list[Any]) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # of several types: as JSON
        return pa.array([None if value is None else json.dumps(value) for value in values])


def _paths(store: Store) -> tuple[Path, Path]:
    return store.root / "results.parquet", store.root / "results.json"


def _kept(store: Store) -> pa.Table | None:
    path, proof = _paths(store)
    try:
        if read_sealed(proof)["sha256_of_table"] == file_digest(path):
            table = pq.read_table(path)
            # an older version kept no codes
            return table if _SOURCE in table.column_names else None
    except (OSError, Damaged, KeyError):
        pass
    return None


def _keep(store: Store, table: pa.Table) -> None:
    path, proof = _paths(store)
    try:
        write_whole(path, lambda partial: pq.write_table(table, partial))
        write_sealed(proof, {"sha256_of_table": file_digest(path)})
    except PermissionError:
        pass  # a store that may only be read
