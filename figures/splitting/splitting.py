"""Splitting: one model for all domains, one for each, or a trunk that branches."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from factcap.capacity.splitting import Learning
from factcap.figures.files import claim, save, write_csv
from factcap.figures.presets import Changes, choose
from factcap.figures.runs import make_runs
from factcap.figures.splitting.experiment import PRESETS, Plan, points
from factcap.figures.splitting.picture import draw
from factcap.figures.splitting.rows import (
    COLUMNS,
    TABLE_COLUMNS,
    Row,
    calibrate,
    capacity_of,
    make_table,
    measured_rows,
    with_theory,
)
from factcap.figures.style import look

NAME = "splitting"


def splitting(
    folder: Path,
    *,
    workers: int = 0,
    progress: Callable[[int, int, float], object] = lambda run, runs, share: None,
    preset: str = "laptop",
    changes: Changes = (),
) -> list[dict[str, Any]]:
    """Draw `splitting.png` and `.svg`, write `splitting.csv` and `splitting_table.csv`.

    Every split of a budget costs the same draws: D for the trunk and D' for each of k branches. A
    trunk goes on from the one before it, so that none of its steps is made twice. The theory is
    calibrated on the splits without overlap and predicts the others.

    Args:
        folder: where to write, a store of runs too; finished ones are read.
        workers: processes; 0: this one.
        progress: called with (number of the run, runs in all, share of the run that is done).
        preset: a name in `PRESETS`.
        changes: of the preset: see `factcap.figures.presets`.

    Returns:
        The rows of the CSV, one a run and domain.

    Raises:
        BadInput: for an unknown preset or change, or if something else in the folder has these
            names.
        FloatingPointError: if a run failed.
    """
    plan, record = choose(NAME, PRESETS, preset, changes)
    claim(folder, record, f"{NAME}_table.csv")
    wanted = points(plan)
    runs = make_runs([point.spec for point in wanted], folder, workers=workers, progress=progress)
    rows = measured_rows(plan, zip(wanted, runs, strict=True))
    capacity, learning = _calibrated(plan, rows)
    rows = with_theory(plan, rows, capacity, learning)
    table = make_table(plan, rows, capacity, learning)
    with look():
        save(draw(plan, rows, table, capacity, learning), rows, COLUMNS, folder, record)
    write_csv(table, TABLE_COLUMNS, folder / f"{NAME}_table.csv")
    return rows


def draw_rows(plan: Plan, rows: Sequence[Row]) -> Figure:
    """The figure, from the rows of its CSV alone."""
    capacity, learning = _calibrated(plan, rows)
    return draw(plan, rows, make_table(plan, rows, capacity, learning), capacity, learning)


def _calibrated(plan: Plan, rows: Sequence[Row]) -> tuple[dict[int, float], dict[int, Learning]]:
    """By width: what a model holds, and how facts are learned."""
    capacity = {width: capacity_of(plan, rows, width) for width in plan.widths}
    return capacity, {width: calibrate(plan, rows, width, bits) for width, bits in capacity.items()}
