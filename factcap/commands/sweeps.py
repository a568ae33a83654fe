"""`factcap sweep`, `results` and `status`: many runs, and what came of them."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tyro.conf import Positional

from factcap.commands.terminal import print_json, say

# What `results` shows of each run, where there is no --csv.
_SHOWN = (
    *("run", "generator", "facts", "model", "optimizer", "seed", "exposures_made", "facts_known"),
    *("accuracy", "weighted_accuracy", "bits_per_parameter", "capped", "other_code"),
)


@dataclass(frozen=True)
class Sweep:
    """Make the runs that a Python file lists: those that are not there yet.

    The file defines `runs`: a list of configurations, or a function that yields them; see
    examples/sweep_small.py. Stopped at any moment, the same command goes on.
    """

    file: Positional[Path]
    """The Python file."""
    out: Path | None = None
    """The store, a directory; by default out/ and the file's name."""
    dry_run: bool = False
    """List the runs and what they may cost; make none."""
    engine: Literal["local", "ray"] = "local"
    """local: processes on this machine, one a core, or one program on an accelerator; ray: a
    cluster."""
    address: str | None = None
    """Of a Ray cluster, host:port, or auto; by default one is started on this machine."""
    workers: int = 0
    """Processes of the engine local; 0: one for each usable core."""
    retry_failed: bool = False
    """Try again what is recorded as failed."""
    accept_other_code: bool = False
    """Take what another version of the code has finished; `factcap results` marks it."""
    checkpoint_seconds: float = 60.0
    """Time between two saved states of a run."""
    track: Literal["wandb", "trackio"] | None = None
    """Send the metrics to this tracker too."""
    project: str = "factcap"
    """The tracker's project."""

    def run(self) -> None:
        """Check all, make what is missing, say what came of it."""
        from factcap.models.sweep.accept import made_by_other_code
        from factcap.models.sweep.file import configurations
        from factcap.models.sweep.spec import run_specs
        from factcap.models.sweep.store.store import Store
        from factcap.models.sweep.track import tracker
        from factcap.synth.errors import BadInput, require

        require(self.workers >= 0, f"workers must be positive, or 0, not {self.workers}")
        require(
            self.checkpoint_seconds >= 0,
            f"checkpoint_seconds must be at least 0, not {self.checkpoint_seconds}",
        )
        require(self.address is None or self.engine == "ray", "an address is one of the engine ray")
        configs = configurations(self.file)
        try:
            specs = run_specs(configs)
        except BadInput as error:
            raise BadInput(f"{self.file}: {error}") from None
        root = self.out or Path("out") / self.file.stem
        costs = self._costs(specs)
        if self.dry_run:
            accepted = made_by_other_code(specs, Store(root)) if self.accept_other_code else {}
            return _list_runs(specs, costs, root, accepted)
        # What may be wrong is found before anything is written.
        follow = None if self.track is None else tracker(self.track, self.project)
        engine = self._engine()
        store = Store.create(root)
        self._make(specs, costs, store, engine, follow)

    def _costs(self, specs: list) -> list[float]:
        from factcap.synth.errors import BadInput

        costs = []
        for number, spec in enumerate(specs):
            try:
                costs.append(spec.most_flops())
            except BadInput as error:
                raise BadInput(f"{self.file}: configuration {number}: {error}") from None
        return costs

    def _engine(self) -> Any:
        """A cluster that answers; None for processes of this machine."""
        if self.engine == "local":
            return None
        from factcap.models.sweep.engines.cluster import RayEngine

        reached = RayEngine(self.address)
        return lambda: reached

    def _make(self, specs: list, costs: list[float], store: Any, engine: Any, follow: Any) -> None:
        from factcap.commands.live import LiveBars
        from factcap.models.compiler import keep_compiled
        from factcap.models.runs.directory.checkpoints import silence_orbax
        from factcap.models.sweep.accept import made_by_other_code
        from factcap.models.sweep.engines.local import default_workers
        from factcap.models.sweep.store.table import results
        from factcap.models.sweep.sweep import run_sweep

        keep_compiled()
        silence_orbax()
        workers = self.workers or default_workers()
        accepted = made_by_other_code(specs, store) if self.accept_other_code else {}
        missing = [
            cost
            for spec, cost in zip(specs, costs, strict=True)
            if spec.id not in accepted and not store.is_finished(spec.id)
        ]
        say(_summary(len(specs), len(accepted), missing))
        labels = {accepted.get(run := str(spec.id), run): spec.label() for spec in specs}
        with LiveBars(store, labels, follow) as bars:
            ended = run_sweep(
                specs,
                store,
                workers=workers,
                engine=engine,
                progress=bars.look,
                retry_failed=self.retry_failed,
                accept_other_code=self.accept_other_code,
                checkpoint_seconds=self.checkpoint_seconds,
            )
        results(store)
        other = f" ({len(ended.accepted)} of other code)" if ended.accepted else ""
        print(f"{len(ended.done)} runs done{other}, {len(ended.failed)} failed; {store.root}")
        for run, reason in ended.failed.items():
            print(f"failed: {run}: {reason}", file=sys.stderr)
        if ended.failed:
            sys.exit(1)


@dataclass(frozen=True)
class Results:
    """Print the table of a store: one row a finished run."""

    store: Positional[Path]
    """A directory made by `factcap sweep`, or by a figure."""
    where: str | None = None
    """Only rows for which this holds, say "model == '8k' and facts > 1000"."""
    csv: bool = False
    """Print all columns as CSV."""
    json: bool = False
    """Print all columns as JSON."""

    def run(self) -> None:
        """Bring the table up to date, filter, print."""
        import pyarrow.csv

        from factcap.models.sweep.store.query import where
        from factcap.models.sweep.store.store import Store
        from factcap.models.sweep.store.table import results

        table = results(Store.open(self.store))
        if self.where is not None and table.num_rows:
            table = where(table, self.where)
        if self.json:
            return print_json(table.to_pylist())
        if self.csv:
            return pyarrow.csv.write_csv(table, sys.stdout.buffer)
        shown = [name for name in _SHOWN if name in table.column_names]
        rows = table.select(shown).to_pylist()
        print(*_aligned([shown, *([_text(row[name]) for name in shown] for row in rows)]), sep="\n")
        print(f"{len(rows)} runs")


@dataclass(frozen=True)
class Status:
    """Show how far the runs of a store are."""

    store: Positional[Path]
    """A directory made by `factcap sweep`, or by a figure."""
    json: bool = False
    """Print JSON."""

    def run(self) -> None:
        """Look at each run."""
        from factcap.models.sweep.store.store import Store
        from factcap.models.sweep.store.table import results
        from factcap.models.sweep.watch import live

        store = Store.open(self.store)
        labels = store.planned()
        runs: dict[str, list[str]] = {
            name: [] for name in ("done", "capped", "running", "failed", "waiting")
        }
        table = results(store)
        capped = (
            dict(zip(*(table.column(name).to_pylist() for name in ("run", "capped")), strict=True))
            if table.num_rows
            else {}
        )
        for run in {**dict.fromkeys(store.runs(), ""), **labels}:
            state = store.state(run)
            if state == "waiting" and run not in labels:
                continue  # what no sweep asks for any more, as after a change of the code
            runs["capped" if state == "done" and capped.get(run) else state].append(run)
        if self.json:
            return print_json(runs)
        print(", ".join(f"{len(names):,} {state}" for state, names in runs.items()))
        for run in runs["running"]:
            print(f"running  {run}  {labels.get(run, '')}  {_progress(live(store, run))}")
        for run in runs["failed"]:
            failure = store.failure(run) or {}
            print(f"failed   {run}  {labels.get(run, '')}  {failure.get('reason', '')}")


def _list_runs(specs: list, costs: list[float], root: Path, accepted: Mapping[str, str]) -> None:
    lines = [["run", "facts, model, seed", "FLOP at most", ""]]
    left = []
    for spec, cost in zip(specs, costs, strict=True):
        if spec.id in accepted:
            state = f"done by other code: {accepted[spec.id]}"
        else:
            state = "done" if (root / "runs" / spec.id / "outcome.json").exists() else ""
        lines.append([spec.id, spec.label(), f"{cost:.1e}", state])
        left += [] if state else [cost]
    print(*_aligned(lines), sep="\n")
    print(_summary(len(specs), len(accepted), left))


def _summary(runs: int, accepted: int, costs: list[float]) -> str:
    """How many runs there are, and what those cost that are to be made."""
    other = f" {accepted} made by other code and accepted," if accepted else ""
    return f"{runs} runs,{other} {len(costs)} of them to make: {_cost(sum(costs))}"


def _cost(flops: float) -> str:
    from factcap.models.runs.ledger import estimated_seconds

    seconds = estimated_seconds(flops)
    return f"at most {flops:.1e} FLOP, some {max(1, round(seconds / 60)):,} min on this machine"


def _progress(live: Any) -> str:
    if live is None:
        return "starting"
    stored = "" if live.stored_bits is None else f", {live.stored_bits:,.0f} bits stored"
    return (
        f"step {live.step:,} of {live.steps:,}, {live.loss_bits:.3f} bits a token{stored}, "
        f"{live.seconds_left:,.0f} s left"
    )


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else str(value)


def _aligned(lines: list[list[str]]) -> list[str]:
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
