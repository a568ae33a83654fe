"""The parameters of a finished run: those that were measured at its end."""

from pathlib import Path

from factcap.models.runs.directory.checkpoints import Checkpoints
from factcap.models.runs.directory.reading import read_outcome
from factcap.models.training.config import TrainConfig
from factcap.models.training.optim import evaluated
from factcap.models.training.schedule import make_schedule
from factcap.models.training.steps import initial_state
from factcap.models.transformer.decoder import TransformerConfig
from factcap.models.transformer.fast.values import Params
from factcap.synth.errors import require


def last_params(
    directory: Path, model: TransformerConfig, training: TrainConfig, facts: int
) -> Params:
    """Read the state with which a run ended; of averaging optimizers the average.

    Args:
        directory: of the run, which is finished.
        model: its transformer.
        training: how it was trained.
        facts: how many facts it was trained on.

    Raises:
        BadInput: if this state is not there.
        Damaged: if it is not as it was saved.
    """
    steps = read_outcome(directory)["steps"]
    schedule = make_schedule(training, facts, model.width)
    checkpoints = Checkpoints(directory / "checkpoint")
    require(
        (directory / "checkpoint" / str(steps)).is_dir(),
        f"{directory} has no saved state; remove it and make the run again",
    )
    checkpoints.proved(steps)
    try:
        found = checkpoints.restore(initial_state(model, schedule, training.seed))
    finally:
        checkpoints.close()
    assert found is not None
    state, _ = found
    return evaluated(training.optimizer, state.optimizer, state.params)
