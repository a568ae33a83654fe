"""Which facts our own runs know, said before they are trained, beside four public models."""

from collections.abc import Callable
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from factcap.capacity.retention import CountedFacts, held_out, law_predictor
from factcap.figures.files import claim, save
from factcap.figures.presets import Changes, choose
from factcap.figures.retention.inputs import read_models
from factcap.figures.retention.own_picture import draw
from factcap.figures.retention.own_runs import COLUMNS, PRESETS, conditions, make_rows, specs, tell
from factcap.figures.retention.picture import HeldOut
from factcap.figures.runs import make_runs
from factcap.figures.style import look
from factcap.synth.disk.files import file_digest
from factcap.synth.errors import require

NAME = "retention"
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
            our runs, each fact predicted while it was held out.
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
    if data is not None:
        files = _model_files(data)
        public = read_models(files)
        digests = {file.name: file_digest(file) for file in files}
        record = replace(record, data=data, settings=record.settings | {"data_sha256": digests})
    claim(folder, record)
    wanted = conditions(plan)
    each = [list(specs(plan, condition)) for condition in wanted]
    runs = iter(make_runs(list(chain(*each)), folder, workers=workers, progress=progress))
    made = [(c, list(islice(runs, len(some)))) for c, some in zip(wanted, each, strict=True)]
    told = tell(plan, made)
    rows = make_rows(plan, told)
    models = [HeldOut(facts, held_out(facts, law_predictor, "facts")) for facts in public]
    with look():
        save(draw(plan, told, models), rows, COLUMNS, folder, record)
    return rows


def _model_files(data: Path) -> list[Path]:
    require(data.is_dir(), f"{data} is not a folder; give one with a file a model")
    files = [file for file in sorted(data.iterdir()) if file.suffix.lower() in _SUFFIXES]
    require(bool(files), f"the folder {data} has no {', '.join(_SUFFIXES)} file")
    return files
