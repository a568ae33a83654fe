"""What an engine is asked to train: plain numbers and arrays, which need neither library."""

from collections.abc import Callable
from dataclasses import dataclass

from factcap.synth import FactSet

# Trains each member on by a segment of its steps; returns each member's mean loss over the
# segment, in nats a value token.
Advance = Callable[[], list[float]]


@dataclass(frozen=True)
class Recipe:
    """The model and how it is trained, one for all members.

    Attributes:
        size: name of the model's size in `factcap.models.SIZES`.
        vocabulary: number of token ids.
        width: size of the residual stream.
        depth: number of blocks.
        heads: attention heads.
        batch: facts a step.
        steps: steps of a whole training, over which the learning rate rises and falls.
        learning_rate: the peak.
        warmup: share of the steps in which the learning rate rises linearly.
        decay: share of the steps, the last ones, in which it falls linearly to a hundredth.
        weight_decay: decoupled, of AdamW, for all parameters.
        beta2: decay of AdamW's second moment.
    """

    size: str
    vocabulary: int
    width: int
    depth: int
    heads: int
    batch: int
    steps: int
    learning_rate: float
    warmup: float
    decay: float
    weight_decay: float
    beta2: float


@dataclass(frozen=True)
class Task:
    """Some models to train, in one process.

    Attributes:
        recipe: the model and its training.
        facts: what they learn; keys are of one length, values too, and each is drawn as often.
        members: seeds of the models.
        segment: steps of one call, a divisor of the recipe's steps.
        precision: `float32` or `bfloat16`.
        setup: how the engine runs: ours `in turn` or `together`, the peer `eager` or compiled in
            one of its modes.
        device: `cpu` or `gpu`.
    """

    recipe: Recipe
    facts: FactSet
    members: tuple[int, ...]
    segment: int
    precision: str
    setup: str
    device: str
