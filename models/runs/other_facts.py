"""Asking a finished model for other facts than those it was trained on."""

from factcap.models.runs.directory.checkpoints import Checkpoints
from factcap.models.runs.directory.reading import is_finished
from factcap.models.runs.job import Job
from factcap.models.training.config import filled
from factcap.models.training.measure import Measurement, measure_facts
from factcap.models.training.optim import evaluated
from factcap.models.training.schedule import make_schedule
from factcap.models.training.steps import initial_state
from factcap.models.transformer.fast.values import Params, Reading
from factcap.models.transformer.layout import context_length, model_vocabulary
from factcap.synth import FactSet
from factcap.synth.errors import BadInput, require


def measure_other_facts(job: Job, facts: FactSet) -> Measurement:
    """What the model of a finished run knows of other facts, say of prompts about documents.

    Args:
        job: the run; the last state in its directory is read.
        facts: what to ask, of the vocabulary that the model has.

    Raises:
        BadInput: if the run is not finished, its state is gone, or the model has too few token ids.
    """
    require(is_finished(job.directory), f"the run in {job.directory} is not finished")
    needed = model_vocabulary(facts)
    require(
        job.model.vocabulary >= needed,
        f"the model has {job.model.vocabulary} token ids; these facts need {needed}",
    )
    reading = Reading(job.model, context_length(facts), job.training.precision)
    nll_bits, recall = measure_facts(reading, _last_params(job), facts)
    return Measurement.of(facts, nll_bits, recall, job.model.parameters)


def _last_params(job: Job) -> Params:
    """The parameters that were measured at the end of a run."""
    training = filled(job.training, len(job.facts), job.model.width)
    schedule = make_schedule(training, len(job.facts), job.model.width)
    checkpoints = Checkpoints(job.directory / "checkpoint")
    try:
        found = checkpoints.restore(initial_state(job.model, schedule, training.seed))
    finally:
        checkpoints.close()
    if found is None:
        raise BadInput(f"{job.directory} has no saved state; remove it and make the run again")
    state, _ = found
    return evaluated(training.optimizer, state.optimizer, state.params)
