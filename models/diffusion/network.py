"""The network: a perceptron of a few layers that takes noise out of points."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jax.tree_util import Partial
from jaxtyping import Array, Float

from factcap.synth.errors import require

# Sines and cosines of ln sigma that the network sees.
_PITCHES = 4


@dataclass(frozen=True)
class DenoiserConfig:
    """Shape of a denoiser.

    Attributes:
        dimension: of the points.
        width: of the hidden layers.
        depth: number of hidden layers.

    Raises:
        BadInput: for a size below 1.
    """

    dimension: int
    width: int = 128
    depth: int = 3

    def __post_init__(self):
        for name in ("dimension", "width", "depth"):
            size = getattr(self, name)
            require(size >= 1, f"{name} must be at least 1, not {size}")

    @property
    def parameters(self) -> int:
        """Number of parameters.

        >>> DenoiserConfig(dimension=8, width=128, depth=3).parameters
        36232
        """
        sizes = [self.dimension + 2 * _PITCHES, *[self.width] * self.depth, self.dimension]
        return sum((sizes[i] + 1) * sizes[i + 1] for i in range(len(sizes) - 1))


class Denoiser(nnx.Module):
    """$D(x, sigma)$, the guess of the clean point, for data of variance 1 a dimension.

    Preconditioned as in Karras et al. 2022 (2206.00364):
    $D = x / (1 + sigma^2) + sigma / sqrt(1 + sigma^2) F(x / sqrt(1 + sigma^2), ln sigma)$, so that
    what F gets and what it has to give have variance 1 at every noise.
    """

    def __init__(self, config: DenoiserConfig, *, rngs: nnx.Rngs):
        sizes = [config.dimension + 2 * _PITCHES, *[config.width] * config.depth]
        self.hidden = nnx.List(
            [
                nnx.Linear(inputs, outputs, kernel_init=nnx.initializers.he_normal(), rngs=rngs)
                for inputs, outputs in pairwise(sizes)
            ]
        )
        # F starts at 0, the best linear guess
        self.readout = nnx.Linear(
            config.width, config.dimension, kernel_init=nnx.initializers.zeros, rngs=rngs
        )

    def __call__(
        self, x_BxD: Float[Array, "batch dimension"], noise_B: Float[Array, " batch"]
    ) -> Float[Array, "batch dimension"]:
        """The guess for each row, at its own noise."""
        noise_Bx1 = noise_B[:, None]
        scale_Bx1 = jnp.sqrt(1 + noise_Bx1**2)
        angle_BxP = jnp.log(noise_Bx1) * (math.pi / 8 * 2.0 ** jnp.arange(_PITCHES))
        stream = jnp.concatenate(
            [x_BxD / scale_Bx1, jnp.sin(angle_BxP), jnp.cos(angle_BxP)], axis=1
        )
        for layer in self.hidden:
            stream = nnx.silu(layer(stream))
        return x_BxD / scale_Bx1**2 + noise_Bx1 / scale_Bx1 * self.readout(stream)


def initial_params(config: DenoiserConfig, key: Array) -> Any:
    """Parameters drawn from a key."""
    return nnx.to_pure_dict(nnx.state(Denoiser(config, rngs=nnx.Rngs(key)), nnx.Param))


def as_denoiser(config: DenoiserConfig, params: Any) -> Partial:
    """The network with its parameters as a function (x, noise) and a pytree.

    Networks of one shape share what is compiled for them.
    """
    return Partial(_denoise_with(config), params)


@cache
def _denoise_with(config: DenoiserConfig) -> Callable[..., Array]:
    return partial(denoise, config)


def denoise(
    config: DenoiserConfig,
    params: Any,
    x_BxD: Float[Array, "batch dimension"],
    noise_B: Float[Array, " batch"],
) -> Float[Array, "batch dimension"]:
    """The network as a function of its parameters."""
    shapes = nnx.eval_shape(lambda: Denoiser(config, rngs=nnx.Rngs(jax.random.key(0))))
    graph, state = nnx.split(shapes, nnx.Param)
    nnx.replace_by_pure_dict(state, params)
    return nnx.merge(graph, state)(x_BxD, noise_B)
