"""How long and at what rate to train: the configuration, its defaults, and when a run ends."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import Mesh
from jax.typing import ArrayLike
from jaxtyping import Array, Float, PRNGKeyArray, Shaped

from factcap.models.fast.values import check_precision
from factcap.models.optim import check_optimizer, is_schedule_free, make_optimizer
from factcap.models.selection.config import SelectConfig
from factcap.synth.errors import require

# Steps of one jitted scan; between two scans progress is shown and state is saved.
SCAN_STEPS = 100

# Nothing is left to learn when every fact is recalled and this share of the entropy is stored.
_FULL = 0.999
# Stored bits no longer grow when they grew by no more than this share while the steps grew by
# half, and are some at all: a model first learns next to nothing for a while.
_GROWTH, _STEPS_RATIO, _SOME = 0.02, 1.5, 0.1


@dataclass(frozen=True)
class TrainConfig:
    """How to train.

    Attributes:
        exposures: how often a fact is drawn, on average over the set (the mean over facts; fact i
            is drawn `exposures * N * p_i` times in expectation). These are the most: a run ends
            before when nothing is left to learn (`is_full`).
        fewest_steps: a set so small that these exposures make fewer steps gets this many.
        batch: facts a step; 0 means `default_batch` of the set.
        learning_rate: the peak; 0 means `default_learning_rate` of width, optimizer and batch.
        optimizer: a name in `factcap.models.optim.OPTIMIZERS`.
        saturate: end before, too, when the stored bits no longer grow (`stopped_growing`), or all
            facts are recalled and the bits cannot grow any more by as much (`can_grow`); a run that
            uses up its exposures while they still grow is `capped`.
        precision: of products and activations, a name in `factcap.models.fast.values.PRECISIONS`.
        warmup: share of the steps in which the learning rate rises linearly from 0.
        decay: share of the steps, the last ones, in which it falls linearly to a hundredth of its
            peak; between the two it is constant. Where `saturate` ends the run before, it falls
            from there, for half as many steps again. Schedule-Free keeps it constant to the end.
        weight_decay: decoupled, of AdamW.
        beta2: decay of AdamW's second moment.
        seed: of the initial parameters and of the draws.
        select: what to train on, chosen as it is learned; None: all facts, by their frequency.
            Scoring is paid for by fewer steps, and `saturate` is not read: stored bits grow again
            after each selection.

    Raises:
        BadInput: for a value out of range.
    """

    exposures: float = 400.0
    fewest_steps: int = 2000
    batch: int = 0
    learning_rate: float = 0.0
    optimizer: str = "muon"
    saturate: bool = True
    precision: str = "float32"
    warmup: float = 0.05
    decay: float = 0.6
    weight_decay: float = 0.01
    beta2: float = 0.98
    seed: int = 0
    select: SelectConfig | None = None

    def __post_init__(self):
        for field in dataclasses.fields(self):
            if field.type is float:  # 10 and 10.0 are one configuration, with one hash
                object.__setattr__(self, field.name, float(getattr(self, field.name)))
        require(
            math.isfinite(self.exposures) and self.exposures > 0,
            f"exposures must be positive and finite, not {self.exposures}",
        )
        require(self.fewest_steps >= 0, f"fewest_steps must be at least 0, not {self.fewest_steps}")
        require(self.batch >= 0, f"batch must be positive, or 0 for the default, not {self.batch}")
        require(
            math.isfinite(self.learning_rate) and self.learning_rate >= 0,
            "learning_rate must be positive and finite, or 0 for the default, "
            f"not {self.learning_rate}",
        )
        check_optimizer(self.optimizer)
        check_precision(self.precision)
        require(0 <= self.warmup < 1, f"warmup must lie in [0, 1), not {self.warmup}")
        require(
            0 < self.decay <= 1 - self.warmup,
            f"decay must be positive and at most 1 - warmup = {1 - self.warmup:g}, "
            f"not {self.decay}",
        )
        require(
            math.isfinite(self.weight_decay) and self.weight_decay >= 0,
            f"weight_decay must be finite and >= 0, not {self.weight_decay}",
        )
        require(0 <= self.beta2 < 1, f"beta2 must lie in [0, 1), not {self.beta2}")
        require(0 <= self.seed < 2**32, f"seed must lie in [0, 2^32), not {self.seed}")


def default_batch(facts: int) -> int:
    """Facts a step: a power of two near a sixteenth of the set, from 16 to 256.

    >>> [default_batch(n) for n in (10, 1000, 100_000)]
    [16, 64, 256]
    """
    return int(np.clip(2 ** round(math.log2(facts / 16)), 16, 256))


def default_learning_rate(width: int, optimizer: str, batch: int) -> float:
    """Peak learning rate, tuned as docs/performance.md tells.

    It falls as 1 / width, so that one value serves all sizes (Yang et al. 2022, 2203.03466), and
    rises as the square root of the batch.

    >>> default_learning_rate(32, "muon", 64)
    0.01
    """
    return _RATES[optimizer] / width * math.sqrt(batch / _RATED_BATCH)


_RATED_BATCH = 64
_RATES = {
    "adamw": 0.32,
    "muon": 0.32,
    "schedule-free-adamw": 0.32,
    "schedule-free-muon": 0.64,
}


def filled(config: TrainConfig, facts: int, width: int) -> TrainConfig:
    """The configuration with its defaults filled in."""
    batch = config.batch or default_batch(facts)
    rate = config.learning_rate or default_learning_rate(width, config.optimizer, batch)
    return dataclasses.replace(config, batch=batch, learning_rate=rate)


def total_steps(config: TrainConfig, facts: int, scoring_draws: float = 0.0) -> int:
    """Steps of a whole training, a multiple of `SCAN_STEPS`.

    Args:
        config: of the training.
        facts: how many there are.
        scoring_draws: what scoring costs, in facts drawn: so many fewer are drawn to train.
    """
    batch = config.batch or default_batch(facts)
    wanted = config.exposures * facts / batch
    whole = math.ceil(max(wanted, config.fewest_steps) / SCAN_STEPS)
    return (whole - math.ceil(scoring_draws / batch / SCAN_STEPS)) * SCAN_STEPS


def check_steps(facts: int, batch: int) -> int:
    """Steps between two checks of all facts: 500, and four draws of each fact at least.

    A check then costs less than a tenth of the training between.

    >>> check_steps(1000, 64), check_steps(1_000_000, 256)
    (500, 15700)
    """
    return math.ceil(max(500, 4 * facts / batch) / SCAN_STEPS) * SCAN_STEPS


def is_full(stored_bits: float, entropy_bits: float, known: int, facts: int) -> bool:
    """Whether nothing is left to learn: all facts recalled, 99.9 % of the entropy stored."""
    return known == facts and stored_bits > _FULL * entropy_bits


def can_grow(stored_bits: float, entropy_bits: float) -> bool:
    """Whether more bits remain to be learned than those by which stored bits are said to grow."""
    return entropy_bits > (1 + _GROWTH) * stored_bits


def stopped_growing(checks: Sequence[tuple[int, float]], most_bits: float) -> int | None:
    """The step at which stored bits were first found to grow no longer.

    They have stopped when they grew by at most 2 % since the last check at two thirds of the
    steps or fewer, and are a tenth of the most there could be.

    Args:
        checks: (step, stored bits) of the checks so far, in order.
        most_bits: of the facts, or some that the model might hold if that is less.

    >>> stopped_growing([(1000, 5.0), (2000, 60.0), (3000, 90.0), (4000, 91.0)], 100.0)
    >>> stopped_growing([(1000, 5.0), (2000, 90.0), (3000, 91.0), (4000, 91.0)], 100.0)
    3000
    """
    for number, (step, bits) in enumerate(checks):
        before = [old for at, old in checks[:number] if at * _STEPS_RATIO <= step]
        if before and bits > _SOME * most_bits and bits <= (1 + _GROWTH) * before[-1]:
            return step
    return None


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Schedule:
    """The numbers of a `TrainConfig` that a compiled program takes as arguments.

    The name of the optimizer is none: a program is compiled for it.
    """

    name: str = dataclasses.field(metadata={"static": True})
    steps: Float[Array, "*members"]
    learning_rate: Float[Array, "*members"]
    rising: Float[Array, "*members"]
    falling: Float[Array, "*members"]
    weight_decay: Float[Array, "*members"]
    beta2: Float[Array, "*members"]
    key: Shaped[PRNGKeyArray, "*members"]

    def rate(self, step: ArrayLike) -> Float[Array, ""]:
        """Learning rate of a step: linear to the peak, constant, linear to a hundredth."""
        step = jnp.asarray(step)
        up = (step + 1) / jnp.maximum(self.rising, 1)
        peak = self.learning_rate * jnp.minimum(up, 1)
        if is_schedule_free(self.name):
            return peak
        return peak * jnp.clip((self.steps - step) / self.falling, 0.01, 1)

    def falling_from(self, step: int) -> "Schedule":
        """The schedule whose rate begins to fall at this step."""
        steps = end_of_fall(step)
        return dataclasses.replace(self, steps=_single(steps), falling=_single(steps - step))

    def optimizer(self, mesh: Mesh | None = None) -> optax.GradientTransformation:
        """The optimizer with these numbers, of parameters that are divided over a mesh if given."""
        return make_optimizer(
            self.name, self.rate, beta2=self.beta2, weight_decay=self.weight_decay, mesh=mesh
        )


def end_of_fall(step: int) -> int:
    """Steps in all when stored bits stopped to grow at this step: half as many again.

    >>> end_of_fall(2000)
    3000
    """
    return math.ceil(1.5 * step / SCAN_STEPS) * SCAN_STEPS


def _single(number: float) -> Array:
    return jnp.asarray(number, jnp.float32)


def make_schedule(
    config: TrainConfig, facts: int, width: int, scoring_draws: float = 0.0
) -> Schedule:
    """The numbers of a training, defaults filled in; see `total_steps`."""
    whole = filled(config, facts, width)
    steps = total_steps(whole, facts, scoring_draws)
    return Schedule(
        name=whole.optimizer,
        steps=_single(steps),
        learning_rate=_single(whole.learning_rate),
        rising=_single(whole.warmup * steps),
        falling=_single(whole.decay * steps),
        weight_decay=_single(whole.weight_decay),
        beta2=_single(whole.beta2),
        key=jax.random.fold_in(jax.random.key(whole.seed), 1),
    )
