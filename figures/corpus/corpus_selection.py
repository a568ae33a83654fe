"""Selection on text: what a model knows of the facts that an over-full corpus tells."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from factcap.figures.corpus.experiment import (
    COLUMNS,
    ORDINARILY,
    ORDINARY,
    PRESETS,
    TEMPLATE_COLUMNS,
    job,
    make_jobs,
    material,
    row,
)
from factcap.figures.corpus.knowledge import recorded
from factcap.figures.files import claim, save, write_csv
from factcap.figures.presets import Changes, choose
from factcap.figures.style import COLORS, MARKERS, TEXT_WIDTH, look
from factcap.synth.corpus import made_up

NAME = "corpus_selection"

Row = Mapping[str, Any]


def corpus_selection(
    folder: Path,
    *,
    workers: int = 0,
    progress: Callable[[int, int, float], object] = lambda run, runs, share: None,
    preset: str = "laptop",
    changes: Changes = (),
    data: Path | None = None,
) -> list[dict[str, Any]]:
    """Draw `corpus_selection.png` and `.svg`, write `.csv` and `corpus_selection_templates.csv`.

    Models are trained with next-token loss on all of the text of documents, and asked for each fact
    with each template that can ask for it. A fact is known if more than half of its templates get
    its value from greedy decoding. All runs draw equally many documents, scoring included, with
    one optimizer and learning rate.

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
        BadInput: for an unknown preset or change, data that cannot be read, or if something else in
            the folder has these names.
        FloatingPointError: if a run diverged.
    """
    plan, record = choose(NAME, PRESETS, preset, changes)
    if data is None:
        knowledge = made_up(plan.facts)
    else:
        knowledge, record = recorded(data, record)
    claim(folder, record, f"{NAME}_templates.csv")
    schemes = (ORDINARILY, *plan.schemes)
    made = {seed: material(plan, knowledge, seed) for seed in plan.seeds}
    jobs = {
        (scheme, seed): job(plan, made[seed], scheme, seed, folder)
        for seed in plan.seeds
        for scheme in schemes
    }
    make_jobs(list(jobs.values()), workers=workers, progress=progress)
    found = [
        row(plan, made[seed], scheme, seed, jobs[scheme, seed])
        for scheme in schemes
        for seed in plan.seeds
    ]
    rows = with_ratios([entry for entry, _ in found])
    templates = [entry for _, entries in found for entry in entries]
    with look():
        save(draw(rows), rows, COLUMNS, folder, record)
    write_csv(templates, TEMPLATE_COLUMNS, folder / f"{NAME}_templates.csv")
    return rows


def with_ratios(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Rows with what they know over what ordinary training of the same seed knows.

    >>> one = {"seed": 0, "facts_known": 4, "beyond_guess": 2}
    >>> two = {"seed": 0, "facts_known": 6, "beyond_guess": 4}
    >>> rows = with_ratios([{**one, "scheme": "ordinary"}, {**two, "scheme": "loss_h"}])
    >>> [(row["known_ratio"], row["beyond_ratio"]) for row in rows]
    [(1.0, 1.0), (1.5, 2.0)]
    """
    base = {row["seed"]: row for row in rows if row["scheme"] == ORDINARY}
    return [
        {
            **row,
            "known_ratio": row["facts_known"] / max(base[row["seed"]]["facts_known"], 1),
            "beyond_ratio": row["beyond_guess"] / max(base[row["seed"]]["beyond_guess"], 1),
        }
        for row in rows
    ]


def draw(rows: Sequence[Row]) -> Figure:
    """Facts known and those beyond guessing, a mark a seed; weighted accuracy beside."""
    names = list(dict.fromkeys((row["scheme"], row["scored"]) for row in rows))
    figure = Figure(figsize=(TEXT_WIDTH, 0.34 * len(names) + 1.7), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1.6, 1))
    marks = {"facts_known": "known", "beyond_guess": "known, and not the commonest value"}
    for axes, columns in ((left, marks), (right, {"weighted_accuracy": "weighted accuracy"})):
        for number, (column, label) in enumerate(columns.items()):
            # Side by side, so that no mark hides another.
            shift = 0.24 * (number - (len(columns) - 1) / 2)
            axes.plot(
                [row[column] for row in rows],
                [names.index((row["scheme"], row["scored"])) + shift for row in rows],
                linestyle="none",
                marker=MARKERS[number],
                color=COLORS[number],
                label=label,
            )
            ordinary = np.mean([row[column] for row in rows if row["scheme"] == ORDINARY])
            axes.axvline(ordinary, color=COLORS[number], linewidth=0.8)
    left.set_yticks(range(len(names)), [_label(*name) for name in names])
    left.invert_yaxis()
    left.set(xlabel="facts", xlim=(0, 1.05 * max(row["facts_known"] for row in rows)))
    left.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    right.set(xlabel="frequency of the facts known", xlim=(0, 1))
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    first = rows[0]
    figure.supxlabel(
        f"{first['parameters']:,} parameters; {first['facts']:,} facts of "
        f"{first['entropy_bits']:,.0f} bits in all, told in "
        f"{first['documents']:,} documents;\na mark a seed; lines: ordinary training"
    )
    return figure


def _label(scheme: str, scored: str) -> str:
    return f"{scheme}, {scored}" if scored != "nothing" else scheme
