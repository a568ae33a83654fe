"""Training by denoising score matching: jitted scans of steps on noised training points."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
import optax
from jax.tree_util import Partial
from jaxtyping import Array, Float, PRNGKeyArray

from factcap.models.compiler import fast_options
from factcap.models.diffusion.network import DenoiserConfig, as_denoiser, denoise, initial_params
from factcap.synth.errors import require

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
    learning_rate: float = 1e-2
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

    The loss is the mean of $|D(x + sigma z, sigma) - x|^2 (1 + sigma^2) / (d sigma^2)$ with ln
    sigma uniform: that of Karras et al. 2022 for data of variance 1, and at small noise that of the
    code length (see `factcap.models.diffusion.measure`).

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
    draw, scan = _compiled()
    for done in range(0, training.steps, SCAN_STEPS):
        drawn = draw(training, table, jax.random.fold_in(draws, done))
        params, optimizer, losses = scan(config, training, params, optimizer, drawn)
        if not np.isfinite(losses[-1]):
            raise FloatingPointError(f"the loss at step {done + SCAN_STEPS} is not finite")
        progress(done + SCAN_STEPS, training.steps)
    return as_denoiser(config, params)


def _optimizer(training: DiffusionTraining) -> optax.GradientTransformation:
    rate = optax.warmup_cosine_decay_schedule(
        0.0, training.learning_rate, training.steps // 20, training.steps
    )
    return optax.adam(rate, b2=0.99)


class _Drawn(NamedTuple):
    """Batches of some steps: clean points, noises, and the noise of standard deviation 1."""

    clean_SxBxD: Float[Array, "steps batch dimension"]
    noise_SxB: Float[Array, "steps batch"]
    standard_SxBxD: Float[Array, "steps batch dimension"]


@cache
def _compiled() -> tuple[Callable[..., _Drawn], Callable[..., Any]]:
    """Drawing and steps: only the first is compiled anew for another number of points."""
    scan = jax.jit(
        _scan,
        static_argnums=(0, 1),
        donate_argnums=(2, 3),
        compiler_options=dict(fast_options()),
    )
    return jax.jit(_draw, static_argnums=0), scan


def _draw(training: DiffusionTraining, points_NxD: Array, key: PRNGKeyArray) -> _Drawn:
    shape = (SCAN_STEPS, training.batch)
    which, levels, noises = jax.random.split(key, 3)
    clean = points_NxD[jax.random.randint(which, shape, 0, len(points_NxD))]
    span = math.log(training.most_noise / training.least_noise)
    noise = training.least_noise * jnp.exp(span * jax.random.uniform(levels, shape))
    return _Drawn(clean, noise, jax.random.normal(noises, clean.shape))


def _scan(
    config: DenoiserConfig, training: DiffusionTraining, params: Any, state: Any, drawn: _Drawn
) -> tuple[Any, Any, Float[Array, " steps"]]:
    optimizer = _optimizer(training)

    def loss(params: Any, batch: _Drawn) -> Array:
        clean_BxD, noise_B, standard_BxD = batch
        guess_BxD = denoise(config, params, clean_BxD + noise_B[:, None] * standard_BxD, noise_B)
        weight_Bx1 = 1 + 1 / noise_B[:, None] ** 2
        return jnp.mean(weight_Bx1 * (guess_BxD - clean_BxD) ** 2)

    def one(carry: tuple[Any, Any], batch: _Drawn) -> tuple[tuple[Any, Any], Array]:
        params, state = carry
        value, gradient = jax.value_and_grad(loss)(params, batch)
        update, state = optimizer.update(gradient, state, params)
        return (optax.apply_updates(params, update), state), value

    (params, state), losses = jax.lax.scan(one, (params, state), drawn)
    return params, state, losses
