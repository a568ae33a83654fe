"""Selection on text at several loads: from a corpus that fits to one of which little fits."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from factcap.figures.corpus.corpus_selection import with_ratios
from factcap.figures.corpus.experiment import (
    COLUMNS,
    ORDINARILY,
    ORDINARY,
    Scheme,
    job,
    make_jobs,
    material,
    row,
    scheme_label,
)
from factcap.figures.corpus.experiment import PRESETS as CORPUS_PRESETS
from factcap.figures.corpus.experiment import Plan as CorpusPlan
from factcap.figures.corpus.knowledge import recorded
from factcap.figures.fields import Positive
from factcap.figures.files import claim, save, write_csv
from factcap.figures.presets import Changes, choose
from factcap.figures.style import MARKERS, TEXT_WIDTH, line, look
from factcap.synth.corpus import made_up
from factcap.synth.errors import require

NAME = "corpus_loads"
TABLE_COLUMNS = (
    *("facts", "documents", "load", "scheme", "scored", "seeds", "facts_known", "facts_kept"),
    *("known_ratio", "least_ratio", "most_ratio"),
)

Row = Mapping[str, Any]


def _corpus() -> CorpusPlan:
    schemes = Scheme("loss_h"), Scheme("worth"), Scheme("loss_h", "documents")
    return CorpusPlan(schemes=schemes, seeds=(0, 1, 2))


@dataclass(frozen=True)
class Plan:
    """The runs of a corpus at several sizes.

    Attributes:
        times: sizes of the corpus: multiples of its facts and of its documents. Every run draws as
            many documents.
        corpus: at size 1; its schemes, its seeds.
    """

    times: tuple[Positive, ...] = (0.15, 0.3, 0.6, 1.0, 2.0)
    corpus: CorpusPlan = field(default_factory=_corpus)

    def __post_init__(self):
        require(list(self.times) == sorted({*self.times}), "times must rise")

    def corpora(self) -> list[CorpusPlan]:
        """A plan for each size."""
        one = self.corpus
        return [
            replace(
                one,
                facts=max(round(times * one.facts), 1),
                documents=max(round(times * one.documents), 1),
            )
            for times in self.times
        ]


PRESETS = {
    "tiny": Plan(times=(0.5, 1.0), corpus=CORPUS_PRESETS["tiny"]),
    "laptop": Plan(),
}


def corpus_loads(
    folder: Path,
    *,
    workers: int = 0,
    progress: Callable[[int, int, float], object] = lambda run, runs, share: None,
    preset: str = "laptop",
    changes: Changes = (),
    data: Path | None = None,
) -> list[dict[str, Any]]:
    """Draw `corpus_loads.png` and `.svg`, write `.csv` and `corpus_loads_table.csv`.

    The load of a corpus is the entropy of its facts over the most that ordinary training stores of
    any of the corpora. With `data` the runs are those of the figure `corpus_selection` with as
    many facts and documents; without, people are drawn from more.

    Args:
        folder: where to write, with the runs in its folder `runs`; finished ones are read.
        workers: processes; 0: this one.
        progress: called with (number of the run, runs in all, share of the run that is done).
        preset: a name in `PRESETS`.
        changes: of the preset: see `factcap.figures.presets`.
        data: a folder that `factcap.synth.corpus.read_knowledge` reads; None: made-up people.

    Returns:
        The rows of the CSV, one a run.

    Raises:
        BadInput: for an unknown preset or change, data that cannot be read, if something else in
            the folder has these names, or if ordinary training stored nothing.
        FloatingPointError: if a run diverged.
    """
    plan, record = choose(NAME, PRESETS, preset, changes)
    plans = plan.corpora()
    if data is None:
        knowledge = made_up(max(one.facts for one in plans))
    else:
        knowledge, record = recorded(data, record)
    claim(folder, record, f"{NAME}_table.csv")
    made = {(one, seed): material(one, knowledge, seed) for one in plans for seed in one.seeds}
    runs = [
        (one, scheme, seed, job(one, made[one, seed], scheme, seed, folder))
        for one in plans
        for scheme in (ORDINARILY, *one.schemes)
        for seed in one.seeds
    ]
    make_jobs([run for *_, run in runs], workers=workers, progress=progress)
    rows: list[dict[str, Any]] = []
    for wanted in plans:
        rows += with_ratios(
            [
                row(one, made[one, seed], scheme, seed, run)[0]
                for one, scheme, seed, run in runs
                if one == wanted
            ]
        )
    with look():
        save(draw(rows), rows, COLUMNS, folder, record)
    write_csv(make_table(rows), TABLE_COLUMNS, folder / f"{NAME}_table.csv")
    return rows


def make_table(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """A row for each size and scheme: means over seeds, and the least and the most ratio.

    Raises:
        BadInput: if ordinary training stored nothing, so that there is no load.

    >>> seen = {"facts": 9, "documents": 18, "scheme": "ordinary", "scored": "nothing", "seed": 0,
    ...         "entropy_bits": 30.0, "stored_bits": 20.0, "facts_known": 4, "facts_kept": 9}
    >>> [found] = make_table([{**seen, "known_ratio": 1.0}])
    >>> found["load"], found["facts_known"], found["seeds"]
    (1.5, 4.0, 1)
    """
    ordinary = [row for row in rows if row["scheme"] == ORDINARY]
    most = max(_mean(ordinary, "stored_bits", facts) for facts in _each(ordinary, "facts"))
    require(most > 0, "ordinary training stored nothing of any corpus; give it more draws")
    table = []
    for facts, scheme, scored in _each(rows, "facts", "scheme", "scored"):
        here = [
            row
            for row in rows
            if (row["facts"], row["scheme"], row["scored"]) == (facts, scheme, scored)
        ]
        ratios = [row["known_ratio"] for row in here]
        table.append(
            {
                "facts": facts,
                "documents": here[0]["documents"],
                "load": _mean(here, "entropy_bits") / most,
                "scheme": scheme,
                "scored": scored,
                "seeds": len(here),
                "facts_known": _mean(here, "facts_known"),
                "facts_kept": _mean(here, "facts_kept"),
                "known_ratio": float(np.mean(ratios)),
                "least_ratio": min(ratios),
                "most_ratio": max(ratios),
            }
        )
    return table


def draw(rows: Sequence[Row]) -> Figure:
    """Facts known against the load, and how many times those that ordinary training knows."""
    table = make_table(rows)
    figure = Figure(figsize=(TEXT_WIDTH, 2.9), layout="constrained")
    left, right = figure.subplots(1, 2)
    for number, (scheme, scored) in enumerate(_each(table, "scheme", "scored")):
        here = [row for row in table if (row["scheme"], row["scored"]) == (scheme, scored)]
        loads, known, middle, least, most = (
            np.array([row[name] for row in here])
            for name in ("load", "facts_known", "known_ratio", "least_ratio", "most_ratio")
        )
        how = line(number, marker=MARKERS[number % len(MARKERS)])
        left.plot(loads, known, label=scheme_label(scheme, scored), **how)
        right.errorbar(loads, middle, (middle - least, most - middle), **how)
    for axes in (left, right):
        axes.set(xscale="log", xlabel="load", ylim=(0, None))
        axes.xaxis.set_major_locator(LogLocator(2))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda load, _: f"{load:g}"))
        axes.xaxis.set_minor_locator(NullLocator())
    left.set_ylabel("facts known")
    right.set_ylabel("times ordinary training")
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return figure


def _each(rows: Sequence[Row], *columns: str) -> list[Any]:
    """The values of columns that there are, each once, in order."""
    found = dict.fromkeys(tuple(row[name] for name in columns) for row in rows)
    return [values[0] if len(columns) == 1 else values for values in found]


def _mean(rows: Sequence[Row], column: str, facts: int | None = None) -> float:
    """Of the rows of so many facts, or of all."""
    return float(np.mean([row[column] for row in rows if facts in (None, row["facts"])]))
