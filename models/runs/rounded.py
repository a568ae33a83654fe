"""A finished model with its weights rounded: what it still knows, and what it takes to hold it."""

from dataclasses import dataclass, replace

from factcap.models.runs.directory.reading import is_finished
from factcap.models.runs.job import Job
from factcap.models.runs.last_params import last_params
from factcap.models.training.measure import measure_facts
from factcap.models.transformer.fast.values import Reading
from factcap.models.transformer.layout import context_length
from factcap.models.transformer.rounding import weight_bits
from factcap.synth.errors import require
from factcap.synth.measurement import Measurement


@dataclass(frozen=True)
class Rounded:
    """A model whose weights are rounded.

    Attributes:
        measurement: what it knows.
        weight_bits: that hold its parameters: see `factcap.models.transformer.rounding`.
    """

    measurement: Measurement
    weight_bits: int


def measure_rounded(job: Job, bits: int) -> Rounded:
    """What the model of a finished run knows of its facts once its weights are rounded.

    Args:
        job: the run; the last state in its directory is read.
        bits: to which matrices are rounded, at least 2; 0: those with which it was trained.

    Raises:
        BadInput: if the run is not finished, its state is gone, or for a number of bits that there
            is not.
    """
    require(is_finished(job.directory), f"the run in {job.directory} is not finished")
    model = replace(job.model, weight_bits=bits or job.model.weight_bits)
    params = last_params(job.directory, job.model, job.training, len(job.facts))
    reading = Reading(model, context_length(job.facts), job.training.precision)
    nll_bits, recall = measure_facts(reading, params, job.facts)
    measurement = Measurement.of(job.facts, nll_bits, recall, model.parameters)
    return Rounded(measurement, weight_bits(params, model.weight_bits))
