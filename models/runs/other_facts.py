"""Asking a finished model for other facts than those it was trained on."""

from factcap.models.runs.directory.reading import is_finished
from factcap.models.runs.job import Job
from factcap.models.runs.last_params import last_params
from factcap.models.training.measure import measure_facts
from factcap.models.transformer.fast.values import Reading
from factcap.models.transformer.layout import context_length, model_vocabulary
from factcap.synth import FactSet
from factcap.synth.errors import require
from factcap.synth.measurement import Measurement


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
    params = last_params(job.directory, job.model, job.training, len(job.facts))
    nll_bits, recall = measure_facts(reading, params, facts)
    return Measurement.of(facts, nll_bits, recall, job.model.parameters)
