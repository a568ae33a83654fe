"""Training with selection, from the start to the measurement, in one call."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float64

from models.fast.values import Reading
from models.layout import context_length, to_device
from models.measure import Measurement, measure_device
from models.optim import evaluated
from models.schedule import TrainConfig, filled, make_schedule
from models.selection.config import SelectConfig
from models.selection.influence import influence_scores
from models.selection.selector import Selector
from models.train import initial_state, scan_steps
from models.transformer import TransformerConfig
from synth import FactSet
from synth.errors import require

# Steps between two looks at whether a selection is due.
_STEPS = 50


@dataclass(frozen=True)
class Selected:
    """How a training with selection ended.

    Attributes:
        measurement: of all facts offered, those that were dropped too.
        weights: sampling weights at the end; 0 for a fact that was dropped.
        draws: facts drawn for training.
        scoring_draws: what scoring was charged, in facts drawn.
        history: (share of the training, stored bits of what was kept) of each selection.
    """

    measurement: Measurement
    weights: Float64[np.ndarray, " facts"]
    draws: int
    scoring_draws: float
    history: tuple[tuple[float, float], ...]


def train_selected(
    facts: FactSet,
    model: TransformerConfig,
    training: TrainConfig,
    selecting: SelectConfig | None,
    *,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> Selected:
    """Train with as much compute as ordinary training would use, scoring included.

    The budget is `training.exposures` draws of each fact, on average over all facts offered. What
    all scoring passes may cost is taken from it before the first step, a forward pass over a fact
    for a third of a draw, so that the learning rate's schedule is known; a training with selection
    never costs more than one without. `saturate` and `fewest_steps` are not read.

    Args:
        facts: what is offered.
        model: the transformer.
        training: how to train.
        selecting: how to select; None trains on all facts by their frequency.
        progress: called with (steps done, steps in all).

    Raises:
        BadInput: if the budget leaves no step.
        FloatingPointError: if the loss is not finite any more.
    """
    whole = filled(training, len(facts), model.width)
    budget = whole.exposures * len(facts)
    selector, planned, device = None, 0.0, to_device(facts)
    if selecting is not None:
        selector = Selector(facts, selecting, model.parameters, budget, whole.seed)
        planned = selector.planned_draws()
        device = device.weighted(selector.weights)
    steps = math.floor((budget - planned) / whole.batch / _STEPS) * _STEPS
    require(
        steps > 0,
        f"{whole.exposures:g} exposures of {len(facts)} facts leave no {_STEPS} steps of "
        f"{whole.batch} after {planned:,.0f} draws for scoring; give more",
    )
    schedule = make_schedule(replace(whole, fewest_steps=0), len(facts), model.width)
    schedule = replace(
        schedule,
        steps=jnp.asarray(steps, jnp.float32),
        rising=jnp.asarray(whole.warmup * steps, jnp.float32),
        falling=jnp.asarray(whole.decay * steps, jnp.float32),
    )
    reading = Reading(model, context_length(facts), whole.precision)
    state = initial_state(model, schedule, whole.seed)
    for done in range(0, steps, _STEPS):
        if selector is not None and selector.due(done, steps):
            params, scores = evaluated(whole.optimizer, state.optimizer, state.params), None
            if selector.config.scheme == "influence":
                scores = influence_scores(reading, params, device, selector.held_out())
            if selector.look(done / steps, measure_device(reading, params, device)[0], scores):
                device = device.weighted(selector.weights)
        state, nats = scan_steps(reading, whole.batch, state, device, schedule, steps=_STEPS)
        if not np.isfinite(np.asarray(nats)).all():
            raise FloatingPointError(
                f"the loss is not finite after step {done}; try a smaller learning rate than "
                f"{whole.learning_rate:g}"
            )
        progress(done + _STEPS, steps)
    params = evaluated(whole.optimizer, state.optimizer, state.params)
    nll_bits, recall = measure_device(reading, params, device)
    measurement = Measurement(
        nll_bits=nll_bits,
        recall=recall,
        entropy_bits=facts.entropy_bits,
        frequency=facts.frequency,
        parameters=model.parameters,
    )
    return Selected(
        measurement=measurement,
        weights=facts.frequency if selector is None else selector.weights,
        draws=steps * whole.batch,
        scoring_draws=planned,
        history=() if selector is None else tuple(selector.history),
    )
