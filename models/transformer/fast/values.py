"""The decoder on rows: logits and loss of the value tokens, and nothing that they do not need."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Bool, Float, Int

from factcap.models.compiler import on_cpu
from factcap.models.transformer.decoder import TransformerConfig
from factcap.models.transformer.fast.attention import attend, attend_short, is_short
from factcap.models.transformer.fast.experts import mixture
from factcap.models.transformer.fast.parts import all_whole, gathered_twice
from factcap.models.transformer.fast.products import (
    linear,
    linear_from_columns,
    linear_to_columns,
    normalize,
    readout_logits,
    target_nll,
)
from factcap.models.transformer.layout import Batch
from factcap.models.transformer.masks import unit_masks
from factcap.models.transformer.rounding import rounded
from factcap.synth.errors import require

# Parameters by name, as `flax.nnx.to_pure_dict` gives those of
# `factcap.models.transformer.decoder.Transformer`; each an array, or a
# `factcap.models.transformer.fast.parts.Part` of one.
Params = dict[str, Any]

PRECISIONS = {"float32": jnp.float32, "bfloat16": jnp.bfloat16}


def check_precision(name: str) -> None:
    """Raise `BadInput`, with the names that there are, unless this is one of them."""
    require(
        name in PRECISIONS, f"no precision is called {name!r}; there are {', '.join(PRECISIONS)}"
    )


@dataclass(frozen=True)
class Reading:
    """How a model reads facts.

    Attributes:
        model: its shape.
        context: positions before the values: see
            `factcap.models.transformer.layout.context_length`.
        precision: of what products multiply, and on accelerators of activations, a name in
            `PRECISIONS`; sums, parameters, norms, softmax and loss are float32.
        stacked: whether several models are read at once, by `vmap`.
    """

    model: TransformerConfig
    context: int
    precision: str = "float32"
    stacked: bool = False

    @property
    def operands(self) -> DTypeLike:
        """Precision of what is multiplied in products."""
        return PRECISIONS[self.precision]

    @property
    def activations(self) -> DTypeLike:
        """Precision of what lies between products: on CPU float32, where only products gain."""
        return jnp.float32 if on_cpu() else self.operands


def value_nll(reading: Reading, params: Params, batch: Batch) -> Float[Array, "batch value"]:
    """Negative log-likelihood of each value token in nats, 0 at padding.

    For training: a rival of the target counts for 60 nats at most (see `target_nll`).
    """
    return value_nll_and_balance(reading, params, batch)[0]


def value_nll_and_balance(
    reading: Reading, params: Params, batch: Batch
) -> tuple[Float[Array, "batch value"], Float[Array, ""] | None]:
    """`value_nll`, and the balancing loss of a mixture of experts; None of other models."""
    params = _outside_whole(reading, params)
    rows_NxD, balance = _value_rows(reading, params, batch)
    target_BxV = batch.tokens_BxT[:, reading.context :]
    order = _order(reading, batch)
    targets_N = order.rows(target_BxV)
    nll_N = target_nll(rows_NxD, _readout(reading, params), targets_N, reading.operands)
    nll_BxV = order.facts(nll_N)
    if batch.counted_BxV is not None:
        nll_BxV = jnp.where(batch.counted_BxV, nll_BxV, 0.0)
    return nll_BxV, balance


def value_logits(
    reading: Reading, params: Params, batch: Batch
) -> Float[Array, "batch value vocabulary"]:
    """Logits of the value tokens, each given the true tokens before it."""
    params = _outside_whole(reading, params)
    rows_NxD, _ = _value_rows(reading, params, batch)
    logits_NxW = readout_logits(rows_NxD, _readout(reading, params), reading.operands)
    return _order(reading, batch).facts(logits_NxW)


@dataclass(frozen=True)
class _Order:
    """How the positions of a batch lie as rows: position by position, or fact by fact."""

    batch: int
    by_position: bool

    def rows(self, array_BxT: Array) -> Array:
        swapped = jnp.swapaxes(array_BxT, 0, 1) if self.by_position else array_BxT
        return swapped.reshape(-1, *array_BxT.shape[2:])

    def facts(self, rows_N: Array) -> Array:
        if self.by_position:
            return jnp.swapaxes(rows_N.reshape(-1, self.batch, *rows_N.shape[1:]), 0, 1)
        return rows_N.reshape(self.batch, -1, *rows_N.shape[1:])

    def masked(self, rows_NxF: Array, mask_BxF: Array) -> Array:
        """Each row times the mask of its fact."""
        axis, shape = (0, (-1, self.batch)) if self.by_position else (1, (self.batch, -1))
        apart = rows_NxF.reshape(*shape, rows_NxF.shape[1])
        mask = jnp.expand_dims(mask_BxF.astype(rows_NxF.dtype), axis)
        return (apart * mask).reshape(rows_NxF.shape)

    def later(self, rows_NxD: Array, first: int) -> Array:
        """The rows of the positions from `first` on."""
        if self.by_position:
            return rows_NxD[first * self.batch :]
        return self.facts(rows_NxD)[:, first:].reshape(-1, rows_NxD.shape[1])


def _order(reading: Reading, batch: Batch) -> _Order:
    facts, time = batch.tokens_BxT.shape
    short = is_short(time - 1, reading.model.width // reading.model.heads)
    return _Order(facts, by_position=short and not reading.stacked)


def _outside_whole(reading: Reading, params: Params) -> Params:
    """The parameters, whole in float32, and rounded, but for those of the blocks.

    An embedding that is also the readout is cast at each use, so that the gradients of both are
    added in float32.
    """
    return {
        name: part if name == "blocks" else _as_used(reading, all_whole(part, jnp.float32))
        for name, part in params.items()
    }


def _as_used(reading: Reading, whole: Params) -> Params:
    """Whole parameters, rounded where the model has them so."""
    bits = reading.model.weight_bits
    return rounded(whole, bits) if bits else whole


def _readout(reading: Reading, params: Params) -> Float[Array, "vocabulary width"]:
    tied = reading.model.tied
    matrix = params["embedding"]["embedding"] if tied else params["readout"]["kernel"].T
    return matrix.astype(reading.activations)


def _value_rows(
    reading: Reading, params: Params, batch: Batch
) -> tuple[Float[Array, "rows width"], Float[Array, ""] | None]:
    """Normalized stream at the positions that predict a value token; the balancing loss."""
    model, order = reading.model, _order(reading, batch)
    tokens_BxT = batch.tokens_BxT[:, :-1]
    visible_BxTxT = _visible(batch.start_B, tokens_BxT.shape[1])
    embedding = params["embedding"]["embedding"].astype(reading.activations)
    rows_NxD = embedding[order.rows(tokens_BxT)]
    masks = _masks(reading, params, batch)
    balances = []
    for number in range(model.depth):
        # Of the last block only what the values are predicted from is needed.
        first = reading.context - 1 if number == model.depth - 1 else 0
        block = partial(_block, reading, order, first)
        params_of_block = params["blocks"][number]
        rows_NxD, balance = gathered_twice(block, params_of_block)(
            params_of_block, rows_NxD, visible_BxTxT, masks[number]
        )
        balances.append(balance)
    balance = sum(balances) if model.feed_forward == "experts" else None
    return normalize(rows_NxD, params["norm"]["scale"]), balance  # pyright: ignore[reportReturnType]


def _masks(
    reading: Reading, params: Params, batch: Batch
) -> Sequence[Float[Array, "batch hidden"] | None]:
    """Which units of each layer a fact's key leaves; None where all stay."""
    model = reading.model
    if model.feed_forward != "masked":
        return [None] * model.depth
    key_BxKxD = params["embedding"]["embedding"][batch.tokens_BxT[:, : reading.context]]
    inner, outer = (params["predictor"][name]["kernel"] for name in ("inner", "outer"))
    return list(
        unit_masks(
            key_BxKxD,
            batch.start_B,
            inner,
            outer,
            model.depth,
            model.active,
            model.mask_reads,
        )
    )


def _block(
    reading: Reading,
    order: _Order,
    first: int,
    block: Params,
    rows_NxD: Float[Array, "rows width"],
    visible_BxTxT: Bool[Array, "#batch time time"] | None,
    mask_BxF: Float[Array, "batch hidden"] | None,
) -> tuple[Float[Array, "later width"], Float[Array, ""] | None]:
    """One block, at the positions from `first` on, and its balancing loss, if it has one."""
    block = _as_used(reading, all_whole(block, reading.activations))
    normed_NxD = normalize(rows_NxD, block["attention_norm"]["scale"])
    rows_NxD = order.later(rows_NxD, first)
    mixed = _attend_short if order.by_position else _attend
    rows_NxD += mixed(reading, order, block, normed_NxD, first, visible_BxTxT)
    normed_NxD = normalize(rows_NxD, block["feed_forward_norm"]["scale"])
    if reading.model.feed_forward == "experts":
        active = reading.model.active
        added_NxD, balance = mixture(active, block, normed_NxD, reading.operands)
        return rows_NxD + added_NxD, balance
    hidden_NxF = _hidden(reading, block, normed_NxD)
    if mask_BxF is not None:
        hidden_NxF = order.masked(hidden_NxF, mask_BxF)
    return rows_NxD + linear(
        hidden_NxF, block["feed_forward_out"]["kernel"], reading.operands
    ), None


def _hidden(
    reading: Reading, block: Params, normed_NxD: Float[Array, "rows width"]
) -> Float[Array, "rows hidden"]:
    """What lies between the matrices of a feed-forward layer."""
    hidden_NxF = linear(normed_NxD, block["feed_forward_in"]["kernel"], reading.operands)
    if reading.model.feed_forward != "gated":
        return jax.nn.gelu(hidden_NxF)
    gate_NxF = linear(normed_NxD, block["feed_forward_gate"]["kernel"], reading.operands)
    return hidden_NxF * jax.nn.silu(gate_NxF)


def _visible(
    start_B: Int[Array, " batch"] | None, time: int
) -> Bool[Array, "#batch time time"] | None:
    """Which positions a position sees; None: itself and all before it."""
    if start_B is None:
        return None
    position = jnp.arange(time)
    # A padding position sees itself, so that its softmax is defined.
    real = (position >= start_B[:, None])[:, None] | jnp.eye(time, dtype=bool)
    return real & (position[:, None] >= position)


def _attend(
    reading: Reading,
    order: _Order,
    block: Params,
    normed_NxD: Float[Array, "rows width"],
    first: int,
    visible_BxTxT: Bool[Array, "#batch time time"] | None,
) -> Float[Array, "later width"]:
    model, operands = reading.model, reading.operands
    weight = block["query_key_value"]["kernel"]
    heads = (order.batch, -1, model.heads, model.width // model.heads)
    time = len(normed_NxD) // order.batch
    if first == 0:
        joined = linear(normed_NxD, weight, operands).reshape(order.batch, time, 3, *heads[2:])
        query, key, value = joined[:, :, 0], joined[:, :, 1], joined[:, :, 2]
    else:
        later_NxD = order.later(normed_NxD, first)
        query = linear(later_NxD, weight[:, : model.width], operands).reshape(heads)
        joined = linear(normed_NxD, weight[:, model.width :], operands)
        joined = joined.reshape(order.batch, time, 2, *heads[2:])
        key, value = joined[:, :, 0], joined[:, :, 1]
        if visible_BxTxT is None:
            visible_BxTxT = jnp.tril(jnp.ones((1, time, time), bool))
        visible_BxTxT = visible_BxTxT[:, first:]
    mixed = attend(query, key, value, visible_BxTxT)
    return linear(mixed.reshape(-1, model.width), block["attention_out"]["kernel"], operands)


def _attend_short(
    reading: Reading,
    order: _Order,
    block: Params,
    normed_NxD: Float[Array, "rows width"],
    first: int,
    visible_BxTxT: Bool[Array, "#batch time time"] | None,
) -> Float[Array, "later width"]:
    model, operands = reading.model, reading.operands
    weight = block["query_key_value"]["kernel"]
    time = len(normed_NxD) // order.batch
    if first == 0:
        parts = linear_to_columns(normed_NxD, weight, 3, operands)
    else:
        later_NxD = order.later(normed_NxD, first)
        parts = (
            *linear_to_columns(later_NxD, weight[:, : model.width], 1, operands),
            *linear_to_columns(normed_NxD, weight[:, model.width :], 2, operands),
        )
    shape = (model.heads, model.width // model.heads, -1, order.batch)
    if visible_BxTxT is None:
        visible_BxTxT = jnp.tril(jnp.ones((1, time, time), bool))
    # 1, though the compiler cannot know: zero times a parameter might be no number.
    one = 1 + 0 * block["attention_norm"]["scale"][0]
    mixed = attend_short(
        *(part.reshape(shape) for part in parts),
        jnp.transpose(visible_BxTxT[:, first:], (1, 2, 0)),
        one,
    )
    return linear_from_columns(
        mixed.reshape(model.width, -1), block["attention_out"]["kernel"], operands
    )
