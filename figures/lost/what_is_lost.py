"""What selection loses beside the facts that it drops."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from factcap.figures.corpus.knowledge import recorded
from factcap.figures.files import claim, save, write_csv
from factcap.figures.lost.answered import MEASURES
from factcap.figures.lost.fact_sets import fact_rows
from factcap.figures.lost.on_text import TEXT_MEASURES, TextOfSeed, held_texts, text_rows
from factcap.figures.lost.picture import draw
from factcap.figures.lost.plan import PRESETS
from factcap.figures.lost.table import COLUMNS as TABLE_COLUMNS
from factcap.figures.lost.table import WHICH, make_table
from factcap.figures.presets import Changes, choose
from factcap.figures.style import look
from factcap.models import Store
from factcap.synth.errors import require

NAME = "what_is_lost"
COLUMNS = (*WHICH, "seed", "facts", "dropped", *MEASURES, *TEXT_MEASURES, "parameters", "run")


def what_is_lost(
    folder: Path,
    *,
    workers: int = 0,
    progress: Callable[[int, int, float], object] = lambda run, runs, share: None,
    preset: str = "laptop",
    changes: Changes = (),
    data: Path | None = None,
) -> list[dict[str, Any]]:
    """Draw `what_is_lost.png` and `.svg`, write `.csv` and `what_is_lost_table.csv`.

    Ordinary training and selection are asked for the same facts, those that were kept and those
    that were dropped: how many are right, how well the probability of an answer says whether it is,
    and how many wrong answers are given with confidence. On text they also read facts that nobody
    told, in templates that were trained on and in templates held back.

    Args:
        folder: where to write, a store of runs too; finished ones are read.
        workers: processes; 0: this one.
        progress: called with (number of the run, runs in all, share of the run that is done).
        preset: a name in `PRESETS`.
        changes: of the preset: see `factcap.figures.presets`.
        data: a folder that `factcap.synth.corpus.read_knowledge` reads, for the corpus; None: fact
            sets alone.

    Returns:
        The rows of the CSV: two a seed, set of facts and scheme.

    Raises:
        BadInput: for an unknown preset or change, data that cannot be read, or if something else in
            the folder has these names.
        FloatingPointError: if a run failed.
    """
    plan, record = choose(NAME, PRESETS, preset, changes)
    require(
        bool(plan.exponents) or data is not None,
        "there are no exponents and no data; give exponents, or a corpus with --data",
    )
    texts: dict[int, TextOfSeed] = {}
    if data is not None:
        knowledge, record = recorded(data, record)
        texts = held_texts(plan, knowledge, folder)
    claim(folder, record, f"{NAME}_table.csv")
    told = len(texts) * (1 + len(plan.text.schemes))
    listed = len(plan.exponents) * len(plan.seeds) * (1 + len(plan.schemes))
    rows: list[dict[str, Any]] = []
    Store.create(folder)
    if plan.exponents:
        rows += fact_rows(
            plan,
            folder,
            workers=workers,
            progress=lambda run, _, share: progress(run, listed + told, share),
        )
    rows += text_rows(
        plan,
        texts,
        workers=workers,
        progress=lambda run, _, share: progress(listed + run, listed + told, share),
    )
    table = make_table(rows)
    with look():
        save(draw(table), rows, COLUMNS, folder, record)
    write_csv(table, TABLE_COLUMNS, folder / f"{NAME}_table.csv")
    return rows
