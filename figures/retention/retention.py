"""Which facts our own runs know, said before they are trained, beside four public models."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from factcap.capacity.retention import CountedFacts, held_out, law_predictor
from factcap.figures.corpus.knowledge import knowledge_digest
from factcap.figures.files import claim, save
from factcap.figures.presets import Changes, choose
from factcap.figures.retention.inputs import read_models
from factcap.figures.retention.own_corpus import make_corpus_runs
from factcap.figures.retention.own_fact_sets import make_fact_set_runs
from factcap.figures.retention.own_picture import draw
from factcap.figures.retention.own_plan import CORPUS, PRESETS, Plan, conditions
from factcap.figures.retention.own_runs import COLUMNS, Made, make_rows, tell
from factcap.figures.retention.picture import HeldOut
from factcap.figures.runs import Progress
from factcap.figures.style import look
from factcap.synth.corpus import Knowledge, made_up, read_knowledge
from factcap.synth.disk.files import file_digest
from factcap.synth.errors import require

NAME = "retention"
# Of the facts that our corpus tells, in the data; and of the runs on it, in what is written.
_CORPUS = "corpus"
_SUFFIXES = (".json", ".csv", ".tsv", ".jsonl", ".parquet")


def retention(
    folder: Path,
    *,
    data: Path | None = None,
    workers: int = 0,
    progress: Callable[[int, int, float], object] = lambda run, runs, share: None,
    preset: str = "laptop",
    changes: Changes = (),
) -> list[dict[str, Any]]:
    """Draw `retention.png` and `.svg`, write `.csv`.

    Args:
        folder: where to write, a store of runs too; finished ones are read.
        data: a folder of files that `factcap predict` takes, a model each; they are drawn beside
            our runs, each fact predicted while it was held out. If it has a folder `corpus`, our
            corpus tells the facts that `factcap.synth.corpus.read_knowledge` reads there; else it
            tells of made-up people.
        workers: processes; 0: this one.
        progress: called with (number of the run, runs in all, share of the run that is done).
        preset: a name in `PRESETS`.
        changes: of the preset: see `factcap.figures.presets`.

    Returns:
        The rows of the CSV: one for each condition whose runs were predicted.

    Raises:
        BadInput: for an unknown preset or change, data that cannot be read, or if something else in
            the folder has these names.
    """
    plan, record = choose(NAME, PRESETS, preset, changes)
    public: list[CountedFacts] = []
    knowledge = made_up(plan.corpus_plan.facts)
    if data is not None:
        files = _model_files(data)
        public = read_models(files)
        known = {"data_sha256": {file.name: file_digest(file) for file in files}}
        if (data / _CORPUS).is_dir():
            knowledge = read_knowledge(data / _CORPUS)
            known |= {"corpus_sha256": knowledge_digest(knowledge)}
        record = replace(record, data=data, settings=record.settings | known)
    claim(folder, record)
    told = tell(_make(plan, knowledge, folder, workers, progress))
    rows = make_rows(told)
    models = [HeldOut(facts, held_out(facts, law_predictor, "facts")) for facts in public]
    with look():
        save(draw(told, models), rows, COLUMNS, folder, record)
    return rows


def _make(
    plan: Plan, knowledge: Knowledge, folder: Path, workers: int, progress: Progress
) -> list[Made]:
    """All runs; those on the corpus lie in a folder of their own, beside the store."""
    on_corpus = [one for one in conditions(plan) if one.source == CORPUS]
    on_sets = [one for one in conditions(plan) if one.source != CORPUS]
    first, second = (sum(len(one.seeds) for one in some) for some in (on_corpus, on_sets))

    def of_both(before: int) -> Progress:
        return lambda run, _, share: progress(before + run, first + second, share)

    # Those on the corpus first: facts that are too few for it are found before anything is trained.
    last = make_corpus_runs(
        plan, on_corpus, knowledge, folder / _CORPUS, workers=workers, progress=of_both(0)
    )
    found = make_fact_set_runs(plan, on_sets, folder, workers=workers, progress=of_both(first))
    return found + last


def _model_files(data: Path) -> list[Path]:
    require(data.is_dir(), f"{data} is not a folder; give one with a file a model")
    files = [file for file in sorted(data.iterdir()) if file.suffix.lower() in _SUFFIXES]
    require(bool(files), f"the folder {data} has no {', '.join(_SUFFIXES)} file")
    return files
