"""Figures drawn again from their tables: `python -m factcap.figures.redraw docs/results/NAME.csv`.

A figure whose look has changed needs no new runs. The picture goes beside the table.
"""

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from factcap.figures import FIGURES
from factcap.figures.claims.page import read_table
from factcap.figures.claims.picture import draw_claim, draw_findings
from factcap.figures.claims.table import CLAIMS
from factcap.figures.files import read_csv, save_pictures
from factcap.figures.splitting.splitting import draw_rows
from factcap.figures.style import look
from factcap.synth.errors import BadInput, require

# Tables of another name than their figure's.
_FIGURES = {
    "capacity_curve_gpu": "capacity_curve",
    "capacity_curve_0.2M": "capacity_curve",
    "corpus_selection_0.2M": "corpus_selection",
    "selection_gain_0.2M": "selection_gain",
    "selection_gain_0.8M": "selection_gain",
    "equivalent_size_corpus": "equivalent_size",
    "what_is_lost_corpus": "what_is_lost",
}
# The presets of committed tables, where the picture tells of the plan.
_PRESETS: Mapping[str, str] = {
    "stored_bits": "laptop",
    "selection_gain": "five-seeds",
    "selection_gain_0.2M": "0.2M",
    "selection_gain_0.8M": "0.8M",
    "rules_in_transformers": "laptop",
    "splitting": "laptop",
}
# Its picture shows each fact, its table means.
_NOT_FROM_ITS_TABLE = "retention"


def redraw(table: Path) -> Figure:
    """The figure of a table that a figure of the gallery or a claim wrote.

    Args:
        table: the CSV; its name says of which figure.

    Raises:
        BadInput: if it is not there, or no figure that is drawn from its table has this name.
    """
    require(table.is_file(), f"there is no file {table}")
    name = _FIGURES.get(table.stem, table.stem)
    # "mixture" is a figure of theory and a claim; claims lie in a folder of their own.
    if table.parent.name == "claims" and name in CLAIMS:
        return draw_claim(CLAIMS[name], read_csv(table))
    require(
        name in FIGURES and name != _NOT_FROM_ITS_TABLE,
        f"{table.name} is not the table of a figure that can be drawn from it",
    )
    if name == "claims":
        return draw_findings(read_table(table))
    rows = read_csv(table)
    module = import_module(FIGURES[name].module)
    if name == "what_is_lost":
        return module.draw(module.make_table(_without_empty(rows)))
    if name == "equivalent_size":
        beside = table.with_name(f"{table.stem}_table.csv")
        require(beside.is_file(), f"there is no file {beside}, which {table.name} is drawn with")
        # What theory says of a corpus needs the corpus, and is left out.
        problems = module.fact_problems(rows)
        return module.draw(rows, _without_empty(read_csv(beside)), problems)
    if table.stem not in _PRESETS:
        return module.draw(rows)
    plan = module.PRESETS[_PRESETS[table.stem]]
    return draw_rows(plan, rows) if name == "splitting" else module.draw(rows, plan)


def _without_empty(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows whose empty cells are None, as what has no number is before it is written.

    What losses are of is empty where there are no documents.
    """
    return [
        {name: None if cell == "" and name != "scored" else cell for name, cell in row.items()}
        for row in rows
    ]


def main(tables: list[str]) -> None:
    """Draw the figures of some tables again, beside them."""
    require(bool(tables), "give one or more tables, such as docs/results/stored_bits.csv")
    for table in map(Path, tables):
        with look():
            save_pictures(redraw(table), table.with_suffix(""))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
