"""The learning rate of each step, and the other numbers that a compiled training is given."""

import dataclasses
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.sharding import Mesh
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from factcap.models.training.config import TrainConfig, filled, total_steps
from factcap.models.training.optim import is_schedule_free, make_optimizer
from factcap.models.training.stopping import end_of_fall


class Before(NamedTuple):
    """What a training goes on from.

    Attributes:
        steps: made before it, whose draws are not repeated.
        optimizer_steps: those that its optimizer's state has counted.
        warm: whether the learning rate begins at its peak.
    """

    steps: int = 0
    optimizer_steps: int = 0
    warm: bool = False


NOTHING = Before()

# A number that no step has.
_ROUNDING = 2**31


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
    steps_before: Int[Array, "*members"]
    optimizer_steps_before: Int[Array, "*members"]

    def rate(self, step: ArrayLike) -> Float[Array, ""]:
        """Learning rate of a step, as the optimizer counts.

        Linear to the peak, constant, linear to a hundredth.
        """
        step = jnp.asarray(step) - self.optimizer_steps_before
        up = (step + 1) / jnp.maximum(self.rising, 1)
        peak = self.learning_rate * jnp.minimum(up, 1)
        if is_schedule_free(self.name):
            return peak
        return peak * jnp.clip((self.steps - step) / jnp.maximum(self.falling, 1), 0.01, 1)

    def falling_from(self, step: int) -> "Schedule":
        """The schedule whose rate begins to fall at this step."""
        steps = end_of_fall(step)
        return dataclasses.replace(self, steps=_single(steps), falling=_single(steps - step))

    def rounding_key(self, step: ArrayLike) -> PRNGKeyArray:
        """Of the chances by which parameters are rounded after a step; not that of its draws."""
        return jax.random.fold_in(jax.random.fold_in(self.key, _ROUNDING), self.steps_before + step)

    def optimizer(self, mesh: Mesh | None = None) -> optax.GradientTransformation:
        """The optimizer with these numbers, of parameters that are divided over a mesh if given."""
        return make_optimizer(
            self.name, self.rate, beta2=self.beta2, weight_decay=self.weight_decay, mesh=mesh
        )


def _single(number: float) -> Array:
    return jnp.asarray(number, jnp.float32)


def make_schedule(
    config: TrainConfig,
    facts: int,
    width: int,
    scoring_draws: float = 0.0,
    before: Before = NOTHING,
) -> Schedule:
    """The numbers of a training, defaults filled in; see `total_steps`.

    Args:
        config: of the training.
        facts: how many there are.
        width: of the model.
        scoring_draws: see `total_steps`.
        before: what it goes on from.
    """
    whole = filled(config, facts, width)
    steps = total_steps(whole, facts, scoring_draws)
    return Schedule(
        name=whole.optimizer,
        steps=_single(steps),
        learning_rate=_single(whole.learning_rate),
        rising=_single(0.0 if before.warm else whole.warmup * steps),
        falling=_single(whole.decay * steps),
        weight_decay=_single(whole.weight_decay),
        beta2=_single(whole.beta2),
        key=jax.random.fold_in(jax.random.key(whole.seed), 1),
        steps_before=jnp.asarray(before.steps, jnp.int32),
        optimizer_steps_before=jnp.asarray(before.optimizer_steps, jnp.int32),
    )
