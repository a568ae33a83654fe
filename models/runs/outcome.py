"""How a run ended, written down: its steps, its cost, and what it selected."""

import dataclasses
from typing import Any

from factcap.models.runs.ledger import Ledger, make_ledger, step_flops
from factcap.models.runs.live_run import LiveRun
from factcap.models.transformer.fast.values import Reading
from factcap.models.transformer.layout import Layout
from factcap.synth.measurement import Measurement


def finish(run: LiveRun, reading: Reading, layout: Layout, devices: int = 1) -> None:
    """Write down how a run ended; one that diverged stays unfinished.

    Args:
        run: with its result.
        reading: how its model read facts.
        layout: of these facts.
        devices: see `make_ledger`.
    """
    if not isinstance(run.result, Measurement):
        return
    batch = run.training.batch
    ledger = make_ledger(
        facts_drawn=run.done * batch,
        flops=(run.done + run.rule.scoring_draws / batch) * step_flops(reading, layout, batch),
        layout=layout,
        precision=reading.precision,
        scans=run.scans,
        seconds=run.seconds,
        devices=devices,
    )
    weights = None if run.selection is None else run.selection.weights
    run.directory.finish(run.result, outcome(run, ledger), weights)


def outcome(run: LiveRun, ledger: Ledger) -> dict[str, Any]:
    """How a run ended, as JSON values: see `factcap.models.runs.directory.reading.read_outcome`."""
    everything = run.selection is None
    found: dict[str, Any] = {
        "steps": run.done,
        "exposures": run.done * run.training.batch / len(run.job.facts),
        "capped": everything and run.training.saturate and not run.saturated,
        "training": dataclasses.asdict(run.training),
        "ledger": ledger.as_dict(),
    }
    if run.job.parent is not None:
        found["parent"] = run.job.parent.record()
    if run.selection is not None:
        found["selection"] = {
            "facts_kept": int((run.selection.weights > 0).sum()),
            "bits_kept": run.selection.bits_kept,
            "scoring_draws": run.rule.scoring_draws,
            "history": run.selection.history,
        }
    return found
