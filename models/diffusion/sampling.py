"""Sampling: the probability-flow ODE, and posterior samples by DPS."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from jax.tree_util import Partial
from jaxtyping import Array, Float, PRNGKeyArray

from factcap.synth.errors import require


def noise_levels(most_noise: float, least_noise: float, steps: int) -> Float[np.ndarray, " levels"]:
    """Noises from the most to the least, with ratios that are all alike.

    Raises:
        BadInput: for noises out of order, or fewer than one step.
    """
    require(steps >= 1, f"steps must be at least 1, not {steps}")
    require(
        0 < least_noise < most_noise < float("inf"),
        f"least_noise must be > 0 and below most_noise, not {least_noise} and {most_noise}",
    )
    return np.geomspace(most_noise, least_noise, steps + 1)


def sample(
    denoiser: Partial,
    count: int,
    dimension: int,
    key: PRNGKeyArray,
    *,
    most_noise: float = 10.0,
    least_noise: float = 0.05,
    steps: int = 64,
) -> Float[np.ndarray, "count dimension"]:
    """Samples by the probability-flow ODE, in steps of Heun's second-order rule.

    With noise sigma as time, $dx = (x - D(x, sigma)) / sigma dsigma$ (Karras et al. 2022,
    2206.00364). It starts from $N(0, (1 + sigma^2) I)$ at the most noise, as data of variance 1 do,
    and ends with $D(x, sigma)$ at the least.

    Args:
        denoiser: a function (x, noise) with a row a query.
        count: samples.
        dimension: of the points.
        key: of the starting points.
        most_noise: where it starts.
        least_noise: where it ends; what lies below is not looked at.
        steps: between them.

    Raises:
        BadInput: for an argument out of range.
        FloatingPointError: if samples are not finite.
    """
    require(count >= 1, f"count must be at least 1, not {count}")
    levels = noise_levels(most_noise, least_noise, steps)
    start = jax.random.normal(key, (count, dimension)) * np.sqrt(1 + most_noise**2)
    return _finite(_flow(denoiser, start, jnp.asarray(levels, jnp.float32)))


@jax.jit
def _flow(denoiser, x_BxD, levels):
    def slope(x_BxD, level):
        return (x_BxD - denoiser(x_BxD, jnp.full(len(x_BxD), level))) / level

    def step(x_BxD, pair):
        level, lower = pair
        first_BxD = slope(x_BxD, level)
        tried_BxD = x_BxD + (lower - level) * first_BxD
        second_BxD = slope(tried_BxD, lower)
        return x_BxD + (lower - level) * (first_BxD + second_BxD) / 2, None

    x_BxD, _ = jax.lax.scan(step, x_BxD, (levels[:-1], levels[1:]))
    return denoiser(x_BxD, jnp.full(len(x_BxD), levels[-1]))


def sample_posterior(
    denoiser: Partial,
    operator: Callable[[Array], Array],
    observation: npt.ArrayLike,
    observation_noise: float,
    count: int,
    dimension: int,
    key: PRNGKeyArray,
    *,
    most_noise: float = 10.0,
    least_noise: float = 0.05,
    steps: int = 200,
) -> Float[np.ndarray, "count dimension"]:
    """Samples of x given $y = F(x)$ + noise by diffusion posterior sampling.

    DPS (Chung et al. 2023, 2209.14687) runs the reverse diffusion with the score of $p(x | y)$, and
    takes $p(y | x_sigma)$ for $N(y; F(D(x_sigma)), gamma^2 I)$: what is not known of the clean
    point is left out. Here that approximation is used as it stands, with the weight
    $1 / (2 gamma^2)$ that it gives the squared misfit; the tuned step size of the paper's
    algorithm, zeta over the misfit, does not know gamma. The reverse diffusion is that of ancestral
    sampling. Where a network's guesses change fast, its explicit steps diverge, so the guidance is
    linearly implicit: with the Jacobian J of $F(D(x))$, misfit r and $t = sigma^2 - sigma'^2$,
    $t J^T (gamma^2 I + t J J^T)^-1 r$ in place of $t J^T r / gamma^2$, which it becomes in many
    steps. J takes m backward passes.

    Args:
        denoiser: a function (x, noise) with a row a query.
        operator: F, from a point (d) to an observation (m), in JAX.
        observation: y, m.
        observation_noise: gamma, > 0.
        count: samples.
        dimension: of the points.
        key: of starting points and noise.
        most_noise: where it starts.
        least_noise: where it ends, with $D(x, sigma)$.
        steps: between them.

    Raises:
        BadInput: for an argument out of range.
        FloatingPointError: if samples are not finite.
    """
    require(count >= 1, f"count must be at least 1, not {count}")
    require(
        0 < observation_noise < float("inf"),
        f"observation_noise must be finite and > 0, not {observation_noise}",
    )
    seen = np.asarray(observation, np.float32)
    wanted = jax.eval_shape(operator, jax.ShapeDtypeStruct((dimension,), jnp.float32)).shape
    require(
        seen.shape == wanted and bool(np.isfinite(seen).all()),
        f"observation must be finite and have the shape {wanted} of the operator's output",
    )
    levels = noise_levels(most_noise, least_noise, steps)
    first, rest = jax.random.split(key)
    start = jax.random.normal(first, (count, dimension)) * np.sqrt(1 + most_noise**2)
    return _finite(
        _guided(
            denoiser,
            Partial(operator) if not isinstance(operator, Partial) else operator,
            jnp.asarray(seen),
            jnp.float32(observation_noise),
            start,
            jnp.asarray(levels, jnp.float32),
            rest,
        )
    )


@jax.jit
def _guided(denoiser, operator, seen, observation_noise, x_BxD, levels, key):
    def towards(x_D, level, time):
        """The clean point, and the step that the observation asks for."""

        def output(x_D):
            clean_D = denoiser(x_D[None], level[None])[0]
            return operator(clean_D), (operator(clean_D), clean_D)

        # J = d F(D(x)) / dx, r = y - F(D(x))
        jacobian_MxD, (output_M, clean_D) = jax.jacrev(output, has_aux=True)(x_D)
        square_MxM = (
            observation_noise**2 * jnp.eye(len(seen)) + time * jacobian_MxD @ jacobian_MxD.T
        )
        return clean_D, time * jacobian_MxD.T @ jnp.linalg.solve(square_MxM, seen - output_M)

    def step(x_BxD, drawn):
        level, lower, key = drawn
        # x' = x + t (score + guidance) + sigma' sqrt(t) / sigma z with t = sigma^2 - sigma'^2
        time = level**2 - lower**2
        clean_BxD, guidance_BxD = jax.vmap(towards, (0, None, None))(x_BxD, level, time)
        x_BxD = x_BxD + time / level**2 * (clean_BxD - x_BxD) + guidance_BxD
        noise_BxD = jax.random.normal(key, x_BxD.shape)
        return x_BxD + lower / level * jnp.sqrt(time) * noise_BxD, None

    keys = jax.random.split(key, len(levels) - 1)
    x_BxD, _ = jax.lax.scan(step, x_BxD, (levels[:-1], levels[1:], keys))
    return denoiser(x_BxD, jnp.full(len(x_BxD), levels[-1]))


def _finite(samples: Array) -> Float[np.ndarray, "count dimension"]:
    found = np.asarray(samples)
    if not np.isfinite(found).all():
        raise FloatingPointError("samples are not finite; take more steps between the noises")
    return found
