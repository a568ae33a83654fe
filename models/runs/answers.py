"""What a finished model answers, by greedy decoding, and how sure it is of it."""

from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Float32, Int

from factcap.models.runs.job import Job
from factcap.models.runs.last_params import last_params
from factcap.models.runs.other_facts import measure_other_facts
from factcap.models.transformer.fast.values import Params, Reading, value_logits
from factcap.models.transformer.layout import Batch, context_length, to_device
from factcap.synth import FactSet
from factcap.synth.measurement import Measurement

# Facts that are answered at once.
_ROWS = 512


@dataclass(frozen=True)
class Answers:
    """What a model says when it is asked for facts.

    Attributes:
        measurement: what it knows of the true values.
        right: whether the answer is the value, token for token.
        probability: of the answer, the product over its tokens.
    """

    measurement: Measurement
    right: Bool[np.ndarray, " facts"]
    probability: Float32[np.ndarray, " facts"]


def read_answers(job: Job, facts: FactSet) -> Answers:
    """The answers of the model of a finished run.

    An answer is as many tokens as the value has, each the likeliest after those before it. How long
    the value is need not be guessed.

    Args:
        job: the run; the last state in its directory is read.
        facts: what to ask, of the vocabulary that the model has.

    Raises:
        BadInput: as `factcap.models.measure_other_facts`.
    """
    measurement = measure_other_facts(job, facts)
    reading = Reading(job.model, context_length(facts), job.training.precision)
    params = last_params(job.directory, job.model, job.training, len(job.facts))
    rows = to_device(facts)
    parts = [
        _answer(reading, params, rows.take(jnp.arange(first, first + _ROWS)))
        for first in range(0, len(facts), _ROWS)
    ]
    right, log_probability = (
        np.concatenate([np.asarray(part[place]) for part in parts])[: len(facts)]
        for place in (0, 1)
    )
    return Answers(measurement, right, np.exp(log_probability))


@partial(jax.jit, static_argnums=0)
def _answer(
    reading: Reading, params: Params, batch: Batch
) -> tuple[Bool[Array, " batch"], Float[Array, " batch"]]:
    """(right, log-probability) of the answers, a token after the other."""
    context, asked_BxT = reading.context, batch.tokens_BxT
    values = asked_BxT.shape[1] - context

    def more(
        place: Int[Array, ""], so_far: tuple[Int[Array, "batch time"], Float[Array, " batch"]]
    ) -> tuple[Int[Array, "batch time"], Float[Array, " batch"]]:
        tokens_BxT, total_B = so_far
        logits_BxVxW = value_logits(reading, params, replace(batch, tokens_BxT=tokens_BxT))
        log_BxW = jax.nn.log_softmax(logits_BxVxW[:, place])
        real_B = True if batch.counted_BxV is None else batch.counted_BxV[:, place]
        total_B += jnp.where(real_B, log_BxW.max(axis=1), 0.0)
        likeliest_B = log_BxW.argmax(axis=1).astype(tokens_BxT.dtype)
        return tokens_BxT.at[:, context + place].set(likeliest_B), total_B

    answered_BxT, total_B = jax.lax.fori_loop(
        0, values, more, (asked_BxT, jnp.zeros(len(asked_BxT)))
    )
    right_BxV = answered_BxT[:, context:] == asked_BxT[:, context:]
    if batch.counted_BxV is not None:
        right_BxV |= ~batch.counted_BxV
    return right_BxV.all(axis=1), total_B
