"""How to train: the configuration, its defaults, and the learning rate of each step."""

import dataclasses
import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.typing import ArrayLike
from jaxtyping import Array, Float, PRNGKeyArray

from models.optim import check_optimizer, make_optimizer
from synth.errors import require

# Steps of one jitted scan; between two scans progress is shown and state is saved.
SCAN_STEPS = 100


@dataclass(frozen=True)
class TrainConfig:
    """How to train.

    Attributes:
        exposures: how often a fact is drawn, on average over the set (the mean over facts; fact i
            is drawn `exposures * N * p_i` times in expectation). `models.run` ends before where
            nothing is left to learn.
        fewest_steps: a set so small that these exposures make fewer steps gets this many.
        batch: facts a step; 0 means `default_batch` of the set.
        learning_rate: the peak; 0 means `default_learning_rate` of width and optimizer.
        optimizer: a name in `models.optim.OPTIMIZERS`.
        warmup: share of the steps in which the learning rate rises linearly from 0. It then falls
            along a cosine to a hundredth of its peak.
        weight_decay: decoupled, of AdamW.
        beta2: decay of AdamW's second moment.
        seed: of the initial parameters and of the draws.

    Raises:
        BadInput: for a value out of range.
    """

    exposures: float = 400.0
    fewest_steps: int = 2000
    batch: int = 0
    learning_rate: float = 0.0
    optimizer: str = "adamw"
    warmup: float = 0.05
    weight_decay: float = 0.01
    beta2: float = 0.98
    seed: int = 0

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
        require(0 <= self.warmup < 1, f"warmup must lie in [0, 1), not {self.warmup}")
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


def default_learning_rate(width: int, optimizer: str) -> float:
    """Peak learning rate for a width; both optimizers were tuned at widths 16 and 32."""
    return {"adamw": 0.32, "muon": 0.16}[optimizer] / width


def total_steps(config: TrainConfig, facts: int) -> int:
    """Steps of a whole training, a multiple of `SCAN_STEPS`."""
    wanted = config.exposures * facts / (config.batch or default_batch(facts))
    return math.ceil(max(wanted, config.fewest_steps) / SCAN_STEPS) * SCAN_STEPS


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Schedule:
    """The numbers of a `TrainConfig` that a compiled program takes as arguments.

    The name of the optimizer is none: a program is compiled for it.
    """

    name: str = dataclasses.field(metadata={"static": True})
    steps: Float[Array, ""]
    learning_rate: Float[Array, ""]
    warmup: Float[Array, ""]
    weight_decay: Float[Array, ""]
    beta2: Float[Array, ""]
    key: PRNGKeyArray

    def rate(self, step: ArrayLike) -> Float[Array, ""]:
        """Learning rate of a step: linear warm-up, then a cosine to a hundredth."""
        step = jnp.asarray(step)
        share = step / self.steps
        rising = (step + 1) / jnp.maximum(self.warmup * self.steps, 1)
        falling = jnp.clip((share - self.warmup) / (1 - self.warmup), 0, 1)
        cosine = 0.01 + 0.99 * (1 + jnp.cos(jnp.pi * falling)) / 2
        return self.learning_rate * jnp.minimum(rising, cosine)

    def optimizer(self) -> optax.GradientTransformation:
        """The optimizer with these numbers."""
        return make_optimizer(
            self.name, self.rate, beta2=self.beta2, weight_decay=self.weight_decay
        )


def make_schedule(config: TrainConfig, facts: int, width: int) -> Schedule:
    """The numbers of a training, defaults filled in."""
    rate = config.learning_rate or default_learning_rate(width, config.optimizer)

    def single(number: float) -> Array:
        return jnp.asarray(number, jnp.float32)

    return Schedule(
        name=config.optimizer,
        steps=single(total_steps(config, facts)),
        learning_rate=single(rate),
        warmup=single(config.warmup),
        weight_decay=single(config.weight_decay),
        beta2=single(config.beta2),
        key=jax.random.fold_in(jax.random.key(config.seed), 1),
    )
