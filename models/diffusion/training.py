"""Training by denoising score matching: jitted scans of steps on noised training points."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy.typing as npt
import numpy as np
import optax
from jax.tree_util import Partial
from jaxtyping import Array, Float, Int

from models.compiler import fast_options
from models.diffusion.network import DenoiserConfig, denoise, initial_params
from synth.errors import require

SCAN_STEPS = 100


@dataclass(frozen=True)
class DiffusionTraining:
    """How a denoiser is trained.

    Attributes:
        steps: a multiple of 100.
        batch: noised points a step, each of a training point drawn at random.
        learning_rate: of Adam, after a warm-up of a twentieth of the steps; it falls to 0 along a
            cosine.
        least_noise: smallest standard deviation of the noise.
        most_noise: largest; ln sigma is uniform between them.

    Raises:
        BadInput: for a number out of range.
    """

    steps: int = 20_000
    batch: int = 256
    learning_rate: float = 2e-3
    least_noise: float = 0.05
    most_noise: float = 10.0

    def __post_init__(self):
        require(
            self.steps >= SCAN_STEPS and self.steps % SCAN_STEPS == 0,
            f"steps must be a multiple of {SCAN_STEPS} and not 0, not {self.steps}",
        )
        require(self.batch >= 1, f"batch must be at least 1, not {self.batch}")
        require(self.learning_rate > 0, f"learning_rate must be > 0, not {self.learning_rate}")
        require(
            0 < self.least_noise < self.most_noise < float("inf"),
            "least_noise must be > 0 and below most_noise, "
            f"not {self.least_noise} and {self.most_noise}",
        )


def train_denoiser(
    points: npt.ArrayLike,
    config: DenoiserConfig,
    training: DiffusionTraining,
    *,
    seed: int,
    progress: Callable[[int, int], object] = lambda done, steps: None,
) -> Partial:
    """Train a denoiser on points.

    The loss is the mean of |D(x + sigma z, sigma) - x|^2 (1 + sigma^2) / (d sigma^2) with ln sigma
    uniform: that of Karras et al. 2022 for data of variance 1, and at small noise that of the code
    length (see `models.diffusion.measure`).

    Args:
        points: training points of about unit variance, points x d.
        config: the network.
        training: how.
        seed: of initial parameters, draws and noise.
        progress: called with (steps done, steps in all).

    Returns:
        The denoiser, a function (x, noise) with a row a query, like `Mixture.denoiser`.

    Raises:
        BadInput: for points that are not finite or of another dimension.
        FloatingPointError: if the loss is not finite any more.
    """
    table = np.asarray(points, np.float32)
    require(
        table.ndim == 2 and len(table) > 0 and table.shape[1] == config.dimension,
        f"points must be a table of {config.dimension} columns; shape {table.shape}",
    )
    require(bool(np.isfinite(table).all()), "points must be finite")
    start, draws = jax.random.split(jax.random.key(seed))
    params = initial_params(config, start)
    optimizer = _optimizer(training).init(params)
    scan = _compiled_scan()
    for done in range(0, training.steps, SCAN_STEPS):
        params, optimizer, losses = scan(
            config, training, params, optimizer, table, jax.random.fold_in(draws, done)
        )
        if not np.isfinite(losses[-1]):
            raise FloatingPointError(f"the loss at step {done + SCAN_STEPS} is not finite")
        progress(done + SCAN_STEPS, training.steps)
    return Partial(partial(denoise, config), params)


def _optimizer(training: DiffusionTraining) -> optax.GradientTransformation:
    rate = optax.warmup_cosine_decay_schedule(
        0.0, training.learning_rate, training.steps // 20, training.steps
    )
    return optax.adam(rate, b2=0.99)


@cache
def _compiled_scan() -> Callable[..., Any]:
    return jax.jit(
        _scan,
        static_argnums=(0, 1),
        donate_argnums=(2, 3),
        compiler_options=dict(fast_options()),
    )


def _scan(config, training, params, optimizer_state, points_NxD, key):
    optimizer = _optimizer(training)
    shape = (SCAN_STEPS, training.batch)
    which, levels, noises = jax.random.split(key, 3)
    # All draws of a scan at once: step by step they would be loops of their own
    drawn = (
        jax.random.randint(which, shape, 0, len(points_NxD)),
        jax.random.uniform(levels, shape),
        jax.random.normal(noises, (*shape, config.dimension)),
    )
    span = jnp.log(training.most_noise / training.least_noise)

    def loss(params, clean_BxD, noise_B, standard_BxD):
        guess_BxD = denoise(config, params, clean_BxD + noise_B[:, None] * standard_BxD, noise_B)
        weight_B = 1 + 1 / noise_B**2
        return jnp.mean(weight_B[:, None] * (guess_BxD - clean_BxD) ** 2)

    def one(carry, drawn):
        params, state = carry
        which_B, uniform_B, standard_BxD = drawn
        noise_B = training.least_noise * jnp.exp(span * uniform_B)
        value, gradient = jax.value_and_grad(loss)(
            params, points_NxD[which_B], noise_B, standard_BxD
        )
        update, state = optimizer.update(gradient, state, params)
        return (optax.apply_updates(params, update), state), value

    (params, optimizer_state), losses = jax.lax.scan(one, (params, optimizer_state), drawn)
    return params, optimizer_state, losses
