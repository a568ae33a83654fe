"""`factcap figure claims`: the runs of each claim, its table and picture, and the table of all."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from factcap.figures.claims import page
from factcap.figures.claims.claim import Claim, Made, Wanted
from factcap.figures.claims.picture import draw_claim, draw_findings
from factcap.figures.claims.table import CLAIMS, PRESETS, Plan, table_rows
from factcap.figures.files import Record, claim, save, write_csv
from factcap.figures.presets import Changes, as_json, choose
from factcap.figures.runs import make_runs
from factcap.figures.style import look
from factcap.synth.disk.files import write_whole

__all__ = ["PRESETS", "claims"]

NAME = "claims"
Progress = Callable[[int, int, float], object]


def claims(
    folder: Path,
    *,
    workers: int = 0,
    progress: Progress = lambda run, runs, share: None,
    preset: str = "laptop",
    changes: Changes = (),
) -> list[dict[str, str]]:
    """Measure the claims of a plan, one after the other, the runs of each side by side.

    Of each claim `claims/NAME.csv` holds its runs, `claims/NAME.png` shows them and
    `claims/NAME_findings.csv` has the numbers read off. Of all claims that are there, whatever
    command made them, `claims.csv` has the numbers, `claims.png` shows them and `claims.md` is the
    page. A claim that fails leaves the others as they are, and is told at the end.

    Args:
        folder: where to write, a store of runs too; finished ones are read.
        workers: processes; 0: this one.
        progress: called with (number of the run, runs in all, share of the run that is done).
        preset: a name in `PRESETS`.
        changes: of the preset: see `factcap.figures.presets`.

    Returns:
        The rows of `claims.csv`.

    Raises:
        BadInput: for an unknown preset or change, or if the folder holds a claim that was measured
            with other settings.
        FloatingPointError: if a claim failed.
    """
    plan, record = choose(NAME, PRESETS, preset, changes)
    inner = folder / NAME
    records = {name: _record(plan, record, name) for name in plan.claims}
    for each in records.values():
        claim(inner, each, f"{each.files}_findings.csv")
    # What is written of all claims follows from their files: settings are said there.
    overall = replace(record, settings={})
    claim(folder, overall, f"{NAME}.md")
    wanted = {name: _runs(plan, name, inner) for name in plan.claims}
    total, before = sum(map(len, wanted.values())), 0
    failed: dict[str, Exception] = {}
    rows: list[dict[str, str]] = []
    for name in plan.claims:

        def told(run: int, runs: int, share: float, before: int = before) -> None:
            progress(before + run, total, share)

        try:
            made = _make(wanted[name], folder, workers, told)
            _write(CLAIMS[name], plan, name, made, inner, records[name])
        except Exception as error:
            failed[name] = error
        before += len(wanted[name])
        rows = _write_all(folder, overall)
    if failed:
        reasons = "; ".join(f"{name}: {error}" for name, error in failed.items())
        raise FloatingPointError(f"not all claims were measured: {reasons}")
    return rows


def _record(plan: Plan, record: Record, name: str) -> Record:
    """How one claim is made: the settings of the others do not count."""
    changes = {"claims": name} | {
        field: text
        for field, text in record.changes.items()
        if field == "seeds" or field.startswith(f"{name}.")
    }
    settings = {"seeds": list(plan.seeds), **as_json(getattr(plan, name))}
    return Record(NAME, record.preset, changes, settings, stem=name)


def _runs(plan: Plan, name: str, folder: Path) -> list[Wanted]:
    return CLAIMS[name].runs(getattr(plan, name), plan.seeds, folder / "facts")


def _make(wanted: Sequence[Wanted], folder: Path, workers: int, progress: Progress) -> list[Made]:
    # Those that others wait for begin, then the longest: else the last one would run alone.
    awaited = {parent.id for each in wanted for parent in each.spec.parents}
    order = sorted(wanted, key=lambda each: (each.spec.id not in awaited, -each.spec.most_flops()))
    specs = {each.spec.id: each.spec for each in order}
    runs = make_runs(list(specs.values()), folder, workers=workers, progress=progress)
    by_id = dict(zip(specs, runs, strict=True))
    return [Made(each, by_id[each.spec.id], folder / "runs" / each.spec.id) for each in wanted]


def _write(
    which: Claim, plan: Plan, name: str, made: Sequence[Made], folder: Path, record: Record
) -> None:
    """The files of one claim."""
    settings = getattr(plan, name)
    rows = [row for each in made for row in which.rows(settings, each)]
    found = table_rows(which, which.findings(settings, rows), plan.seeds, record.command)
    with look():
        save(draw_claim(which, rows), rows, list(rows[0]), folder, record, pictures=("png",))
    write_csv(found, page.COLUMNS, folder / f"{name}_findings.csv")


def _write_all(folder: Path, record: Record) -> list[dict[str, str]]:
    """The files of all claims that are there."""
    tables = [folder / NAME / f"{name}_findings.csv" for name in CLAIMS]
    rows = [row for table in tables if table.exists() for row in page.read_table(table)]
    if not rows:
        return []
    with look():
        save(draw_findings(rows), rows, page.COLUMNS, folder, record, pictures=("png",))
    write_whole(folder / f"{NAME}.md", lambda path: path.write_text(page.page(rows)))
    return rows
