"""Mixtures of isotropic Gaussians: one class for the true distribution and the memorized one."""

import math
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from jax.tree_util import Partial
from jaxtyping import Array, Float

from factcap.synth.errors import require


@dataclass(frozen=True)
class Mixture:
    """$sum_k w_k N(c_k, s_k^2 I)$.

    Blurred by noise sigma it is $sum_k w_k N(c_k, (s_k^2 + sigma^2) I)$, so that its density, score
    and denoiser are closed forms at every noise.

    Attributes:
        weights: $w_k$, > 0; they sum to 1.
        centers: $c_k$, a row each.
        spreads: $s_k$, standard deviations, >= 0. With 0 the component is a point.

    Raises:
        BadInput: for arrays that do not fit each other, are not finite or out of range.
    """

    weights: Float[np.ndarray, " components"]
    centers: Float[np.ndarray, "components dimension"]
    spreads: Float[np.ndarray, " components"]

    def __post_init__(self):
        finite = all(np.isfinite(a).all() for a in (self.weights, self.centers, self.spreads))
        require(finite, "weights, centers and spreads must be finite")
        total = self.weights.sum()
        require(
            bool((self.weights > 0).all() and abs(total - 1) < 1e-6),
            f"weights must be > 0 and sum to 1, not {total:g}",
        )
        require(bool((self.spreads >= 0).all()), "spreads must be >= 0")

    @property
    def dimension(self) -> int:
        """Of the space."""
        return self.centers.shape[1]

    def draw(self, count: int, rng: np.random.Generator) -> Float[np.ndarray, "count dimension"]:
        """Independent samples, a row each; the first of a longer draw are those of a shorter one.

        Raises:
            BadInput: for a count below 1.
        """
        require(count >= 1, f"count must be at least 1, not {count}")
        # One generator for components and one for noise, each read sample by sample
        which, noise = rng.spawn(2)
        component = which.choice(len(self.weights), size=count, p=self.weights)
        standard = noise.standard_normal((count, self.dimension))
        return self.centers[component] + self.spreads[component, None] * standard

    def denoiser(self) -> Partial:
        """$E[x_0 | x]$ at the noise of each row: a function (x, noise), both with a row a query.

        It is a pytree and can be handed to a jitted function.
        """
        arrays = (np.log(self.weights), self.centers, self.spreads**2)
        return Partial(_denoise, *(jnp.asarray(array, jnp.float32) for array in arrays))

    def log_density(
        self, x: Float[np.ndarray, "queries dimension"], noise: float
    ) -> Float[np.ndarray, " queries"]:
        """Log of the density of the mixture blurred by a noise, in nats."""
        # memory stays bounded, whatever the number of queries
        step = max(1, 2**22 // self.centers.size)
        variance = self.spreads**2 + noise**2
        logs = []
        for start in range(0, len(x), step):
            away = x[start : start + step, None] - self.centers
            power = -np.einsum("qkd,qkd->qk", away, away) / (2 * variance)
            power += np.log(self.weights) - self.dimension / 2 * np.log(2 * math.pi * variance)
            top = power.max(axis=1, keepdims=True)
            logs.append(top[:, 0] + np.log(np.exp(power - top).sum(axis=1)))
        return np.concatenate(logs)


def memorized(points: npt.ArrayLike) -> Mixture:
    """The empirical distribution of the points: what a model that has memorized them samples from.

    Blurred by noise it is the mixture prior of `factcap.capacity.memorized_prior`.

    Args:
        points: points x d.

    Raises:
        BadInput: if points are not a table, or not finite.
    """
    centers = np.asarray(points, float)
    require(
        centers.ndim == 2 and centers.size > 0,
        f"points must be a table, a row a point; shape {centers.shape}",
    )
    count = len(centers)
    return Mixture(np.full(count, 1 / count), centers, np.zeros(count))


def clusters(components: int, dimension: int, *, spread: float, seed: int) -> Mixture:
    """Equally likely clusters about random centers, of mean 0 and mean variance 1 a dimension.

    Args:
        components: how many.
        dimension: of the space.
        spread: standard deviation of a cluster in each direction, above 0 and below 1; what is left
            of the variance lies between the centers.
        seed: of the centers.

    Raises:
        BadInput: for an argument out of range.
    """
    require(components >= 2, f"components must be at least 2, not {components}")
    require(dimension >= 1, f"dimension must be at least 1, not {dimension}")
    require(0 < spread < 1, f"spread must lie between 0 and 1, not {spread}")
    centers = np.random.default_rng(seed).normal(size=(components, dimension))
    centers -= centers.mean(axis=0)
    centers *= math.sqrt((1 - spread**2) / np.mean(centers**2))
    return Mixture(np.full(components, 1 / components), centers, np.full(components, spread))


def _denoise(
    log_weights: Any,
    centers_KxD: Any,
    variance_K: Any,
    x_BxD: Float[Array, "batch dimension"],
    noise_B: Float[Array, " batch"],
) -> Float[Array, "batch dimension"]:
    square_Bx1 = noise_B[:, None] ** 2
    total_BxK = variance_K + square_Bx1
    # |x - c|^2 by a matrix product, about the mean of the centers: it cancels less there
    middle_D = centers_KxD.mean(axis=0)
    moved_KxD, left_BxD = centers_KxD - middle_D, x_BxD - middle_D
    apart_BxK = jnp.sum(moved_KxD**2, axis=1) - 2 * left_BxD @ moved_KxD.T
    apart_BxK += jnp.sum(left_BxD**2, axis=1, keepdims=True)
    # omega_k prop. w_k (s_k^2 + sigma^2)^(-d/2) exp(-|x - c_k|^2 / (2 (s_k^2 + sigma^2)))
    dimension = x_BxD.shape[1]
    power_BxK = log_weights - apart_BxK / (2 * total_BxK) - dimension / 2 * jnp.log(total_BxK)
    share_BxK = jax.nn.softmax(power_BxK, axis=1)
    # D(x) = sum_k omega_k (sigma^2 c_k + s_k^2 x) / (s_k^2 + sigma^2)
    pulled_BxD = (share_BxK * square_Bx1 / total_BxK) @ centers_KxD
    return pulled_BxD + jnp.sum(share_BxK * variance_K / total_BxK, axis=1, keepdims=True) * x_BxD
