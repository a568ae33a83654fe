"""Rotary positions: pairs of channels turned by angles that grow with the position."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

_ROTARY_BASE = 10_000.0


def rotary_angles(time: int, channels: int) -> Float[np.ndarray, "time pairs"]:
    """By how much each pair of channels is turned at each position (Su et al. 2021)."""
    half = channels // 2
    # angle(t, c) = t * base^(-c / half)
    return np.arange(time)[:, None] * _ROTARY_BASE ** (-np.arange(half) / half)


def rotate(
    heads_BxTxHxC: Float[Array, "batch time heads channels"],
) -> Float[Array, "batch time heads channels"]:
    """Turn each pair of channels by an angle proportional to the position (Su et al. 2021).

    The product of a rotated query and a rotated key depends on their distance alone.
    """
    angle_TxC = rotary_angles(heads_BxTxHxC.shape[1], heads_BxTxHxC.shape[-1])
    cos, sin = jnp.cos(angle_TxC)[:, None], jnp.sin(angle_TxC)[:, None]
    left, right = jnp.split(heads_BxTxHxC, 2, axis=-1)
    return jnp.concatenate([left * cos - right * sin, right * cos + left * sin], axis=-1)
