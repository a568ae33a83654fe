"""A training whose facts are chosen by a rule that a student writes."""

from collections.abc import Callable
from dataclasses import dataclass, field

import marimo as mo
import numpy as np
from jaxtyping import Float, Float32, Float64

from factcap.synth import FactSet, Measurement
from factcap.synth.errors import require
from factcap.synth.selection import SelectConfig
from kit.training import BATCH

Weights = Float64[np.ndarray, " facts"]
# Of losses in bits, frequencies, how many facts fit, and the share of the training that is done.
Rule = Callable[[Float32[np.ndarray, " facts"], Weights, int, float], Float[np.ndarray, " facts"]]

# A forward pass costs a third of a forward and a backward pass.
_LOOK = 1 / 3


@dataclass(frozen=True)
class ByRule:
    """What came of a training by a rule.

    Attributes:
        measurement: what the model knows of all facts.
        kept: how many facts had a positive weight at each look.
    """

    measurement: Measurement = field(repr=False)
    kept: tuple[int, ...]


def train_by_rule(
    facts: FactSet, rule: Rule, *, fits: int, draws: int, model: str = "8k", seed: int = 0
) -> ByRule:
    """Train a small transformer, drawing facts by weights that a rule gives.

    The rule is asked before the first step, when each loss is the entropy of the value, and when
    the schemes of `factcap.synth.selection` are. Each look but the first costs a third of a draw a
    fact, and the training takes that many fewer draws.

    Args:
        facts: all that are offered.
        rule: from losses in bits, frequencies, `fits` and the share of the training that is done to
            weights, 0 for a fact to be left out.
        fits: how many facts the model can hold.
        draws: facts that it reads.
        model: the name of a size.
        seed: of parameters and draws.

    Raises:
        BadInput: if the rule gives what is no weights.
    """
    # Here, since the labs that train nothing need no JAX.
    from factcap.models import TrainConfig, model_vocabulary, named_size
    from factcap.models.runs.slots import Slots, TrainingArrays, measure_slots, take_steps
    from factcap.models.training.config import SCAN_STEPS, filled
    from factcap.models.training.schedule import make_schedule
    from factcap.models.training.steps import initial_state
    from factcap.models.transformer.fast.values import Reading
    from factcap.models.transformer.layout import Layout, to_device

    size = named_size(model, model_vocabulary(facts))
    config = filled(TrainConfig(draws / len(facts), 0, BATCH, seed=seed), len(facts), size.width)
    shares = SelectConfig("loss_h", schedule="repeatedly").shares()
    schedule = make_schedule(config, len(facts), size.width, len(shares) * _LOOK * len(facts))
    layout = Layout.of([facts])
    reading = Reading(size, layout.context, config.precision)
    weights = _weights(rule, facts.entropy_bits.astype(np.float32), facts, fits, 0.0)
    arrays = to_device(facts, layout).weighted(weights)
    slots = Slots.of([TrainingArrays(initial_state(size, schedule, seed), arrays, schedule)])
    steps, kept = int(schedule.steps), [int((weights > 0).sum())]
    starts = range(0, steps, SCAN_STEPS)
    looks = {starts[round(share * steps / SCAN_STEPS)] for share in shares}
    for done in mo.status.progress_bar(starts, title="Training", remove_on_exit=True):
        if done in looks:
            losses, _ = measure_slots(slots, reading)[0]
            weights = _weights(rule, losses, facts, fits, done / steps)
            slots = slots.with_weights(0, weights)
            kept.append(int((weights > 0).sum()))
        slots, _ = take_steps(slots, reading, BATCH, min(SCAN_STEPS, steps - done))
    losses, recall = measure_slots(slots, reading)[0]
    return ByRule(Measurement.of(facts, losses, recall, size.parameters), tuple(kept))


def _weights(
    rule: Rule, losses: Float32[np.ndarray, " facts"], facts: FactSet, fits: int, done: float
) -> Weights:
    """What the rule gives, if it can be drawn by."""
    given = np.asarray(rule(losses, facts.frequency, fits, done), np.float64)
    require(given.shape == losses.shape, "the rule must give one weight for each fact")
    require(bool(np.isfinite(given).all()), "all weights must be finite numbers")
    require(bool((given >= 0).all()), "no weight may be below 0")
    require(bool(given.sum() > 0), "one weight at least must be above 0")
    return given / given.sum()
