"""What selection gains: over-full models, trained on all facts and on those that fit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from factcap.figures.files import claim, save, write_csv
from factcap.figures.presets import Changes, choose
from factcap.figures.runs import make_runs
from factcap.figures.selection.experiment import COLUMNS, PRESETS, make_rows, points
from factcap.figures.selection.picture import draw
from factcap.figures.selection.table import COLUMNS as TABLE_COLUMNS
from factcap.figures.selection.table import make_table
from factcap.figures.style import look

NAME = "selection_gain"


def selection_gain(
    folder: Path,
    *,
    workers: int = 0,
    progress: Callable[[int, int, float], object] = lambda run, runs, share: None,
    preset: str = "laptop",
    changes: Changes = (),
) -> list[dict[str, Any]]:
    """Draw `selection_gain.png` and `.svg`, write `.csv` and `selection_gain_table.csv`.

    All runs draw equally many facts; what scoring costs is taken from the draws of a run with
    selection. The bounds are drawn at the bits that ordinary training stores in as many draws.

    Args:
        folder: where to write, a store of runs too; finished ones are read.
        workers: processes; 0: this one.
        progress: called with (number of the run, runs in all, share of the run that is done).
        preset: a name in `PRESETS`.
        changes: of the preset: see `factcap.figures.presets`.

    Returns:
        The rows of the CSV, one a run.

    Raises:
        BadInput: for an unknown preset or change, or if something else in the folder has these
            names.
    """
    plan, record = choose(NAME, PRESETS, preset, changes)
    claim(folder, record, f"{NAME}_table.csv")
    wanted = points(plan)
    specs = [point.spec for point in wanted]
    runs = make_runs(specs, folder, workers=workers, progress=progress)
    rows = make_rows(plan, zip(wanted, runs, strict=True))
    with look():
        save(draw(rows, plan), rows, COLUMNS, folder, record)
    write_csv(make_table(rows), TABLE_COLUMNS, folder / f"{NAME}_table.csv")
    return rows
