"""How large an ordinary model must be to know what a small one knows by selection."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from factcap.figures.corpus.experiment import material
from factcap.figures.corpus.knowledge import recorded
from factcap.figures.equivalent.fact_sets import fact_problems, fact_series, make_fact_rows
from factcap.figures.equivalent.on_text import (
    TEXT,
    Materials,
    make_text_rows,
    text_problem,
    text_series,
)
from factcap.figures.equivalent.picture import draw
from factcap.figures.equivalent.plan import (
    PRESETS,
    Plan,
    Series,
    Trial,
    best_rates,
    reported,
    tuning,
)
from factcap.figures.equivalent.table import COLUMNS as TABLE_COLUMNS
from factcap.figures.equivalent.table import counted, make_table
from factcap.figures.equivalent.theory import Asked
from factcap.figures.files import claim, save, write_csv
from factcap.figures.presets import Changes, choose
from factcap.figures.style import look
from factcap.models import Store
from factcap.synth.errors import require

NAME = "equivalent_size"
COLUMNS = (
    *("set", "load", "exponent", "use", "scheme", "scored", "budget", "width", "rate", "seed"),
    *("facts", "facts_known", "weighted_accuracy", "stored_bits", "entropy_bits", "facts_kept"),
    *("draws", "scoring_draws", "flops", "learning_rate", "batch", "parameters", "run"),
)

Progress = Callable[[int, int, float], object]


@dataclass(frozen=True)
class _Source:
    """Facts of one kind: what is trained on them, and how the rows of runs are had."""

    series: Sequence[Series]
    seeds: Sequence[int]
    rows: Callable[[Sequence[Trial], Progress], list[dict[str, Any]]]


def equivalent_size(
    folder: Path,
    *,
    workers: int = 0,
    progress: Progress = lambda run, runs, share: None,
    preset: str = "laptop",
    changes: Changes = (),
    data: Path | None = None,
) -> list[dict[str, Any]]:
    """Draw `equivalent_size.png` and `.svg`, write `.csv` and `equivalent_size_table.csv`.

    Ordinary training of several sizes on all facts is laid beside a small model with selection:
    once with equal data, once with equal floating-point operations, scoring included. The learning
    rate of each size, budget and scheme is the best of some multiples of the default, on seeds that
    are not reported.

    Args:
        folder: where to write, a store of runs too; finished ones are read.
        workers: processes; 0: this one.
        progress: called with (number of the run, runs in all, share of the run that is done).
        preset: a name in `PRESETS`.
        changes: of the preset: see `factcap.figures.presets`.
        data: a folder that `factcap.synth.corpus.read_knowledge` reads, for the corpus; None: fact
            sets alone.

    Returns:
        The rows of the CSV, one a run.

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
    texts: Materials = {}
    if data is not None:
        knowledge, record = recorded(data, record)
        tuned_on = plan.tuned_on if len(plan.rates) > 1 else ()
        texts = {
            seed: material(plan.text, knowledge, seed) for seed in (*plan.text.seeds, *tuned_on)
        }
    claim(folder, record, f"{NAME}_table.csv")
    Store.create(folder)
    sources = list(_sources(plan, texts, folder, workers))
    rows = _all_rows(plan, sources, progress)
    problems = _problems(plan, texts, rows)
    table = make_table(rows, problems)
    with look():
        save(draw(rows, table, problems), rows, COLUMNS, folder, record)
    write_csv(table, TABLE_COLUMNS, folder / f"{NAME}_table.csv")
    return rows


def _sources(plan: Plan, texts: Materials, folder: Path, workers: int) -> Iterator[_Source]:
    if plan.exponents:
        yield _Source(
            fact_series(plan),
            plan.seeds,
            lambda trials, progress: make_fact_rows(
                plan, trials, folder, workers=workers, progress=progress
            ),
        )
    if texts:
        yield _Source(
            text_series(plan, texts),
            plan.text.seeds,
            lambda trials, progress: make_text_rows(
                plan, trials, texts, folder, workers=workers, progress=progress
            ),
        )


def _all_rows(plan: Plan, sources: Sequence[_Source], progress: Progress) -> list[dict[str, Any]]:
    """The rows of all runs: first those by which the rates are chosen."""
    tried = [tuning(plan, source.series) for source in sources]
    total = sum(map(len, tried)) + sum(len(one.series) * len(one.seeds) for one in sources)
    rows: list[dict[str, Any]] = []

    def make(source: _Source, use: str, trials: Sequence[Trial]) -> None:
        before = len(rows)
        found = source.rows(
            trials, lambda number, _, share: progress(before + number, total, share)
        )
        rows.extend(_named(trial, use) | row for trial, row in zip(trials, found, strict=True))

    for source, trials in zip(sources, tried, strict=True):
        start = len(rows)
        make(source, "tuning", trials)
        accuracies = [row["weighted_accuracy"] for row in rows[start:]]
        best = best_rates(zip(trials, accuracies, strict=True))
        make(source, "reported", reported(source.series, source.seeds, best, plan.rates[0]))
    return rows


def _named(trial: Trial, use: str) -> dict[str, Any]:
    one = trial.series
    names = ("load", "exponent", "scheme", "scored", "budget", "width", "batch")
    named = {"set": one.facts, "use": use, "rate": trial.rate, "seed": trial.seed}
    return named | {name: getattr(one, name) for name in names}


def _problems(
    plan: Plan, texts: Materials, rows: Sequence[dict[str, Any]]
) -> dict[str, dict[str, Asked]]:
    """What is counted of each set.

    Each seed has a corpus of its own. Theory is asked about that of the first seed alone.
    """
    found = fact_problems(rows)
    if texts:
        found[TEXT] = counted(*text_problem(texts[plan.text.seeds[0]]))
    return found
