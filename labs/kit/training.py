"""Training in the labs: a few small models side by side, kept where the lab lies."""

import os
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import marimo as mo

from factcap.synth import FactSet, Measurement

# Read when JAX starts: models that are trained side by side are spread over the cores.
os.environ.setdefault("JAX_NUM_CPU_DEVICES", str(os.cpu_count() or 1))

Name = TypeVar("Name", bound=Hashable)

# Facts a step.
BATCH = 128


@dataclass(frozen=True)
class Training:
    """One model and what it is to learn.

    Attributes:
        facts: that it reads, by their frequency.
        select: a scheme of selection (docs/selection.md); None: all facts are trained on.
        budget_bits: entropy of the facts that selection keeps; 0: what the model has stored.
    """

    facts: FactSet = field(repr=False)
    select: str | None = None
    budget_bits: float = 0.0


def train_all(
    trainings: Mapping[Name, Training], *, draws: int, model: str = "8k", seed: int = 0
) -> dict[Name, Measurement]:
    """Train a small transformer for each of these, side by side; what each knows of its facts.

    A run that was finished before is read from the folder `runs` beside the lab.

    Args:
        trainings: by any names.
        draws: facts that each model reads.
        model: the name of a size.
        seed: of parameters and draws.
    """
    # Here, since the labs that train nothing need no JAX.
    from factcap.models import (
        Job,
        SelectConfig,
        TrainConfig,
        model_vocabulary,
        named_size,
        run_config,
        train_together,
    )
    from factcap.models.runs.result import measured

    size = named_size(model, max(model_vocabulary(one.facts) for one in trainings.values()))
    folder, jobs = (mo.notebook_dir() or Path()) / "runs", []
    for one in trainings.values():
        scheme = one.select and SelectConfig(one.select, one.budget_bits)
        exposures = draws / len(one.facts)
        config = TrainConfig(exposures, 0, BATCH, saturate=False, seed=seed, select=scheme or None)
        entry = run_config(one.facts, size, config)
        jobs.append(Job(one.facts, size, config, folder / entry["id"], entry))
    names, results, shares = list(trainings), {}, [0.0] * len(jobs)
    with mo.status.progress_bar(total=100, title="Training", remove_on_exit=True) as bar:
        shown = 0

        def progress(number: int, done: int, steps: int, metrics: Mapping[str, float]) -> None:
            nonlocal shown
            shares[number] = done / steps
            now = int(100 * sum(shares) / len(shares))
            bar.update(max(now - shown, 0))
            shown = max(now, shown)

        for number, result in train_together(jobs, progress=progress):
            results[names[number]] = measured(result)
    return {name: results[name] for name in names}
