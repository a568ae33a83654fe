"""One run: train a model on a fact set and measure it, in a directory, resumable."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from jax.sharding import Mesh

from factcap.models.instructions import warn_if_emulated
from factcap.models.runs.ensemble import train_together
from factcap.models.runs.job import Job
from factcap.models.runs.parent import Parent
from factcap.models.runs.result import measured
from factcap.models.training.config import TrainConfig
from factcap.models.transformer.decoder import TransformerConfig
from factcap.synth import FactSet
from factcap.synth.measurement import Measurement


def run(
    facts: FactSet,
    model: TransformerConfig,
    training: TrainConfig,
    directory: str | os.PathLike,
    *,
    progress: Callable[[int, int, Mapping[str, float]], object] = lambda done, total, metrics: None,
    checkpoint_seconds: float = 60.0,
    mesh: Mesh | None = None,
    accept_other_code: bool = False,
    parent: Parent | None = None,
) -> Measurement:
    """Train, measure, and write `directory`; go on where an interrupted call stopped.

    Training ends at the steps of its configuration, or earlier if a check finds that nothing is
    left to learn or, unless the configuration asks for all exposures, that the stored bits no
    longer grow: see `factcap.models.training.stopping`.

    Args:
        facts: what to learn.
        model: the transformer; its vocabulary must be `model_vocabulary(facts)` or more.
        training: how to train.
        directory: a new one, or one that holds this very run; see
            `factcap.models.runs.directory.run_directory.RunDirectory`.
        progress: called with (steps done, steps in all, metrics) after each 100 steps; the steps in
            all become fewer when training is found to end early.
        checkpoint_seconds: time between two saved states.
        mesh: the devices over which model and batch are divided, as `factcap.models.make_mesh`
            gives it. It is no part of what the run is: one may go on on another mesh, or on none.
        accept_other_code: take the directory also if other code has made this run, or a part of it;
            the `codes` of its outcome say which.
        parent: the finished run from whose last state this one begins.

    Returns:
        The measurement. A run that is already finished is read, not run again.

    Raises:
        BadInput: if the directory holds something else, another run, or this one made by other
            code; or if model or batch cannot be divided over the mesh.
        Busy: if another process is making this run.
        FloatingPointError: if the loss is not finite any more.

    Warns:
        EmulatedWarning: if this CPU has no instructions for the precision.
    """
    warn_if_emulated(training.precision)
    job = Job(
        facts,
        model,
        training,
        Path(directory),
        accept_other_code=accept_other_code,
        parent=parent,
    )
    together = train_together(
        [job],
        progress=lambda _, done, total, metrics: progress(done, total, metrics),
        checkpoint_seconds=checkpoint_seconds,
        mesh=mesh,
    )
    [(_, result)] = together
    return measured(result)
