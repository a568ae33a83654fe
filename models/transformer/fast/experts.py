"""A mixture of experts on rows: each expert multiplies its own rows only, none is dropped."""

from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Float, Int

from factcap.models.transformer.fast.products import linear
from factcap.models.transformer.routing import routed

# Rows of a tile: more are quicker to multiply, and leave more of each expert's last tile empty.
_FEWEST_ROWS, _MOST_ROWS = 8, 64


def mixture(
    active: int, block: dict[str, Any], rows_NxD: Float[Array, "rows width"], operands: DTypeLike
) -> tuple[Float[Array, "rows width"], Float[Array, ""]]:
    """What the experts of each row make of it, and the balancing loss.

    The rows of an expert are laid in tiles of equal size, so that one batched product, each tile
    with the matrix of its expert, serves all. The last tile of an expert is filled up with zeros.

    Args:
        active: experts a row.
        block: parameters: the router, and the two matrices of all experts.
        rows_NxD: normalized rows.
        operands: precision of what products multiply; the router's are float32.
    """
    wide_NxD = rows_NxD.astype(jnp.float32)
    router_DxE = block["router"]["kernel"].astype(jnp.float32)
    logits_NxE = linear(wide_NxD, router_DxE, jnp.float32)
    chosen_NxA, weight_NxA, balance = routed(logits_NxE, active)
    rows, experts = logits_NxE.shape
    tile = _tile_rows(rows * active, experts)
    place_P, expert_T = _places(chosen_NxA.reshape(-1), experts, tile)
    # A place that no row has reads the row of zeros after the last one.
    row_P = jnp.arange(rows * active) // active
    row_of_place = jnp.full(len(expert_T) * tile, rows).at[place_P].set(row_P)
    filled = jnp.concatenate([rows_NxD, jnp.zeros_like(rows_NxD[:1])])
    tiles_TxRxD = filled[row_of_place].reshape(-1, tile, rows_NxD.shape[1])
    hidden_TxRxF = _products(tiles_TxRxD, block["feed_forward_in"]["kernel"][expert_T], operands)
    hidden_TxRxF = jax.nn.gelu(hidden_TxRxF)
    out_TxRxD = _products(hidden_TxRxF, block["feed_forward_out"]["kernel"][expert_T], operands)
    chosen_NxAxD = out_TxRxD.reshape(-1, rows_NxD.shape[1])[place_P].reshape(rows, active, -1)
    added_NxD = jnp.sum(chosen_NxAxD * weight_NxA[:, :, None], axis=1)
    return added_NxD.astype(rows_NxD.dtype), balance


def _tile_rows(pairs: int, experts: int) -> int:
    """A power of two near the rows that an expert has if all have equally many."""
    rows = _FEWEST_ROWS
    while rows < _MOST_ROWS and 2 * rows * experts <= pairs:
        rows *= 2
    return rows


def _places(
    expert_P: Int[Array, " pairs"], experts: int, tile: int
) -> tuple[Int[Array, " pairs"], Int[Array, " tiles"]]:
    """Where each pair of a row and its expert lies among the rows of the tiles.

    Args:
        expert_P: the expert of each pair.
        experts: how many there are.
        tile: rows of a tile.

    Returns:
        The places, and the expert of each tile; those at the end that nobody needs have the last.
    """
    hit_PxE = expert_P[:, None] == jnp.arange(experts)
    before_PxE = jnp.cumsum(hit_PxE, axis=0) - hit_PxE
    rank_P = jnp.sum(before_PxE * hit_PxE, axis=1)
    tiles_E = -(-jnp.sum(hit_PxE, axis=0) // tile)
    end_E = jnp.cumsum(tiles_E)
    place_P = (end_E - tiles_E)[expert_P] * tile + rank_P
    # However they are shared out, so many are enough.
    most = len(expert_P) // tile + min(experts, len(expert_P))
    expert_T = jnp.sum(jnp.arange(most)[:, None] >= end_E, axis=1)
    return place_P, jnp.minimum(expert_T, experts - 1)


def _products(
    rows_TxRxI: Float[Array, "tiles rows inputs"],
    weights_TxIxO: Float[Array, "tiles inputs outputs"],
    operands: DTypeLike,
) -> Float[Array, "tiles rows outputs"]:
    dimensions = (((2,), (1,)), ((0,), (0,)))
    return jax.lax.dot_general(
        rows_TxRxI.astype(operands),
        weights_TxIxO.astype(operands),
        dimensions,
        preferred_element_type=jnp.float32,
    ).astype(rows_TxRxI.dtype)
