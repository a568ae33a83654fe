"""The table of runs that `factcap split` reads."""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from factcap.capacity import SplitRuns
from factcap.synth.errors import BadInput, require
from factcap.synth.tabular.tables import column_names, read_columns, table_files

COLUMNS = ("parameters", "pretraining_tokens", "specialization_tokens", "domain", "loss")
_MAY_BE_ZERO = ("pretraining_tokens", "specialization_tokens")


def read_split_runs(path: Path) -> dict[str, SplitRuns]:
    """The runs of each domain, from a table with a row a run.

    The columns are `parameters`, `pretraining_tokens`, `specialization_tokens` (of the domain's
    own branch), `domain` and `loss` (on that domain); others are left alone. Without a column
    `domain` all rows are of one. Rows may repeat each other but for their loss, as seeds do.

    Raises:
        BadInput: for a file that cannot be read, a missing column, or a cell that makes no sense;
            the message has its row.
    """
    require(not path.is_dir(), f"{path} is a folder; give a table of runs")
    [file] = table_files(path)
    names = column_names(file)
    missing = [name for name in COLUMNS if name not in names and name != "domain"]
    require(
        not missing,
        f"{file} has no column {', '.join(missing)}; a table of runs has {', '.join(COLUMNS)}",
    )
    repeated = [name for name in COLUMNS if names.count(name) > 1]
    require(not repeated, f"{file} has more than one column {', '.join(repeated)}")
    table = read_columns(file, [name for name in COLUMNS if name in names])
    require(table.num_rows > 0, f"{file} has no runs")
    columns = {
        name: _numbers(file, name, table.column(name).to_pylist())
        for name in COLUMNS
        if name != "domain"
    }
    nothing = columns["pretraining_tokens"] + columns["specialization_tokens"] == 0
    require(
        not nothing.any(),
        f"{file}: row {int(np.argmax(nothing)) + 1} has no tokens, neither of pretraining nor of "
        "specialization",
    )
    domain = ["all"] * table.num_rows
    if "domain" in names:
        domain = table.column("domain").to_pylist()
        for row, name in enumerate(domain, 1):
            require(name is not None, f"{file}: row {row} has no domain")
    return _by_domain(columns, np.array(domain))


def _by_domain(
    columns: Mapping[str, npt.NDArray[np.float64]], domain: npt.NDArray
) -> dict[str, SplitRuns]:
    found = {}
    for name in dict.fromkeys(domain.tolist()):
        rows = domain == name
        found[name] = SplitRuns(**{column: values[rows] for column, values in columns.items()})
    return found


def _numbers(file: Path, name: str, cells: list[str | None]) -> npt.NDArray[np.float64]:
    found = np.empty(len(cells))
    wanted = "a number of at least 0" if name in _MAY_BE_ZERO else "a number above 0"
    for row, cell in enumerate(cells):
        try:
            value = float(cell) if cell is not None else math.nan
        except ValueError:
            value = math.nan
        good = math.isfinite(value) and (value >= 0 if name in _MAY_BE_ZERO else value > 0)
        if not good:
            shown = "nothing" if cell is None else repr(cell)
            raise BadInput(f"{file}: {name} in row {row + 1} must be {wanted}, not {shown}")
        found[row] = value
    return found
