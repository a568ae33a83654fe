"""A GPT-2-style decoder: rotary positions, pre-normalization, no biases, no dropout.

Its feed-forward layers may have other forms than GPT-2's: see
`factcap.models.transformer.feed_forward`.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float, Int

from factcap.models.transformer.feed_forward import FeedForward, usual_hidden
from factcap.models.transformer.masks import (
    check_mask_reads,
    predictor_parameters,
    predictor_width,
    unit_masks,
)
from factcap.models.transformer.rotary import rotate
from factcap.models.transformer.rounding import check_kept_in
from factcap.models.transformer.routing import routed
from factcap.synth.errors import BadInput, require

_INIT_SCALE = 0.02


@dataclass(frozen=True)
class TransformerConfig:
    """Shape of a decoder.

    Attributes:
        vocabulary: number of token ids.
        width: size of the residual stream.
        depth: number of blocks.
        heads: attention heads; `width / heads` must be even (rotary positions turn pairs).
        tied: one matrix embeds tokens and reads them out.
        feed_forward: form of the feed-forward layers, a name in
            `factcap.models.transformer.feed_forward.FEED_FORWARDS`.
        hidden: units of a feed-forward layer, or of one expert; 0: as many as make it as large as
            is usual, 4 times the width but for `gated`.
        experts: of each layer of the form `experts`.
        active: experts that a position goes through, or units that the form `masked` leaves.
        mask_reads: tokens of the key that choose the masks of the form `masked`, a name in
            `factcap.models.transformer.masks.MASK_READS`.
        weight_bits: to which all matrices are rounded wherever they are used, in training too: see
            `factcap.models.transformer.rounding`; 0: they are not.
        kept_in: what parameters are rounded to after each step of training, a name in
            `factcap.models.transformer.rounding.KEPT_IN`.

    Raises:
        BadInput: for a size that cannot be built.
    """

    vocabulary: int
    width: int
    depth: int
    heads: int
    tied: bool = True
    feed_forward: str = "gelu"
    hidden: int = 0
    experts: int = 0
    active: int = 0
    mask_reads: str = "key"
    weight_bits: int = 0
    kept_in: str = "float32"

    def __post_init__(self):
        for name in ("vocabulary", "width", "depth", "heads"):
            size = getattr(self, name)
            require(size >= 1, f"{name} must be at least 1, not {size}")
        require(
            self.width % (2 * self.heads) == 0,
            f"width must be a multiple of 2 x heads = {2 * self.heads}, not {self.width}",
        )
        require(self.hidden >= 0, f"hidden must be positive, or 0 as is usual, not {self.hidden}")
        _ = self.layer
        check_mask_reads(self.mask_reads, self.feed_forward)
        require(
            self.weight_bits == 0 or 2 <= self.weight_bits <= 16,
            f"weight_bits must be 2 to 16, or 0 for none, not {self.weight_bits}",
        )
        check_kept_in(self.kept_in)

    @property
    def layer(self) -> FeedForward:
        """Each of its feed-forward layers."""
        hidden = self.hidden or usual_hidden(self.feed_forward, self.width)
        return FeedForward(self.feed_forward, self.width, hidden, self.experts, self.active)

    @property
    def entry(self) -> dict[str, Any]:
        """Its fields as JSON values; those of `OPTIONS` where they are not the usual.

        So what was configured before there were these is named as it was.
        """
        return {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name not in OPTIONS or getattr(self, field.name) != field.default
        }

    @property
    def parameters(self) -> int:
        """Number of parameters.

        >>> TransformerConfig(vocabulary=50_257, width=768, depth=12, heads=12).parameters
        123551232
        """
        block = 4 * self.width**2 + self.layer.parameters + 2 * self.width
        return (
            self.embedding_parameters + self.depth * block + self.width + self.predictor_parameters
        )

    @property
    def active_parameters(self) -> int:
        """Of these, those that one token goes through: all but experts and units left out.

        >>> mixture = TransformerConfig(128, 32, 2, 2, feed_forward="experts", experts=8, active=1)
        >>> mixture.parameters, mixture.active_parameters
        (144032, 29344)
        """
        unused = self.layer.parameters - self.layer.active_parameters
        return self.parameters - self.depth * unused

    @property
    def predictor_parameters(self) -> int:
        """Of these, those that choose the masks."""
        if self.feed_forward != "masked":
            return 0
        return predictor_parameters(self.width, self.depth, self.layer.hidden)

    @property
    def embedding_parameters(self) -> int:
        """Of these, those of the embedding and of a readout of its own."""
        return self.vocabulary * self.width * (1 if self.tied else 2)


# Fields of a configuration that a usual decoder does not need.
OPTIONS = (
    *("feed_forward", "hidden", "experts", "active", "mask_reads"),
    *("weight_bits", "kept_in"),
)

# (width, depth, heads). A name counts all parameters, the embedding's too, with 128 token ids, as
# `cities` has; gpt2-small has 124M with GPT-2's 50,257.
SIZES = {
    "8k": (16, 2, 1),
    "29k": (32, 2, 2),
    "0.1M": (64, 2, 2),
    "0.2M": (64, 4, 2),
    "0.8M": (128, 4, 4),
    "3.2M": (256, 4, 4),
    "11M": (384, 6, 6),
    "25M": (512, 8, 8),
    "gpt2-small": (768, 12, 12),
}


def named_size(name: str, vocabulary: int, *, tied: bool = True) -> TransformerConfig:
    """The configuration of a named size; raises `BadInput` that lists the names.

    A name counts the parameters with 128 token ids. Of a larger vocabulary the embedding is larger,
    and so is the model:

    >>> [named_size("8k", vocabulary).parameters for vocabulary in (128, 256, 13_706)]
    [8272, 10320, 225520]
    """
    if name not in SIZES:
        raise BadInput(f"no model is called {name!r}; there are {', '.join(SIZES)}")
    width, depth, heads = SIZES[name]
    return TransformerConfig(vocabulary, width, depth, heads, tied)


class Experts(nnx.Module):
    """The same matrix of all experts."""

    def __init__(self, experts: int, inputs: int, outputs: int, init, *, rngs: nnx.Rngs):
        self.kernel = nnx.Param(init(rngs.params(), (experts, inputs, outputs), jnp.float32))


class Predictor(nnx.Module):
    """The two matrices from which masks are made: see `factcap.models.transformer.masks`."""

    def __init__(self, config: TransformerConfig, *, rngs: nnx.Rngs):
        # Scores differ by about 1 at the start.
        init = nnx.initializers.lecun_normal()
        inner, units = predictor_width(config.width), config.depth * config.layer.hidden
        self.inner = nnx.Linear(config.width, inner, use_bias=False, kernel_init=init, rngs=rngs)
        self.outer = nnx.Linear(inner, units, use_bias=False, kernel_init=init, rngs=rngs)


class Block(nnx.Module):
    """Attention and a feed-forward layer, each on the normalized residual stream."""

    def __init__(self, config: TransformerConfig, *, rngs: nnx.Rngs):
        self.heads = config.heads
        self.layer = config.layer
        width, hidden, experts = config.width, config.layer.hidden, config.experts
        inner = nnx.initializers.normal(_INIT_SCALE)
        # GPT-2: what is added to the residual stream starts smaller in a deeper model.
        outer = nnx.initializers.normal(_INIT_SCALE / (2 * config.depth) ** 0.5)

        def linear(inputs: int, outputs: int, init) -> nnx.Linear:
            return nnx.Linear(inputs, outputs, use_bias=False, kernel_init=init, rngs=rngs)

        self.attention_norm = nnx.LayerNorm(width, use_bias=False, rngs=rngs)
        self.query_key_value = linear(width, 3 * width, inner)
        self.attention_out = linear(width, width, outer)
        self.feed_forward_norm = nnx.LayerNorm(width, use_bias=False, rngs=rngs)
        if config.feed_forward == "experts":
            self.router = linear(width, experts, inner)
            self.feed_forward_in = Experts(experts, width, hidden, inner, rngs=rngs)
            self.feed_forward_out = Experts(experts, hidden, width, outer, rngs=rngs)
            return
        self.feed_forward_in = linear(width, hidden, inner)
        self.feed_forward_out = linear(hidden, width, outer)
        if config.feed_forward == "gated":
            self.feed_forward_gate = linear(width, hidden, inner)

    def __call__(
        self,
        stream_BxTxD: Float[Array, "batch time width"],
        visible_BxTxT: Bool[Array, "#batch time time"],
        mask_BxF: Float[Array, "batch hidden"] | None = None,
    ) -> Float[Array, "batch time width"]:
        """One block; a position attends to those that are visible to it.

        The mask, where the feed-forward layer is masked, says which units of it stay.
        """
        batch, time, width = stream_BxTxD.shape
        projected = self.query_key_value(self.attention_norm(stream_BxTxD))
        projected = projected.reshape(batch, time, 3, self.heads, width // self.heads)
        query, key, value = projected[:, :, 0], projected[:, :, 1], projected[:, :, 2]
        mixed = jax.nn.dot_product_attention(
            rotate(query), rotate(key), value, mask=visible_BxTxT[:, None]
        )
        stream_BxTxD += self.attention_out(mixed.reshape(batch, time, width))
        normed_BxTxD = self.feed_forward_norm(stream_BxTxD)
        if self.layer.form == "experts":
            return stream_BxTxD + self._mixture(normed_BxTxD)
        hidden = self.feed_forward_in(normed_BxTxD)
        if self.layer.form == "gated":
            hidden *= nnx.silu(self.feed_forward_gate(normed_BxTxD))
        else:
            hidden = nnx.gelu(hidden)
        if mask_BxF is not None:
            hidden *= mask_BxF[:, None]
        return stream_BxTxD + self.feed_forward_out(hidden)

    def _mixture(
        self, normed_BxTxD: Float[Array, "batch time width"]
    ) -> Float[Array, "batch time width"]:
        """What the chosen experts make of each position; here all are computed."""
        rows_NxD = normed_BxTxD.reshape(-1, normed_BxTxD.shape[-1])
        chosen_NxA, weight_NxA, _ = routed(self.router(rows_NxD), self.layer.active)
        hidden_NxExF = nnx.gelu(
            jnp.einsum("nd,edf->nef", rows_NxD, self.feed_forward_in.kernel[...])
        )
        out_NxExD = jnp.einsum("nef,efd->ned", hidden_NxExF, self.feed_forward_out.kernel[...])
        chosen_NxAxD = jnp.take_along_axis(out_NxExD, chosen_NxA[:, :, None], axis=1)
        return jnp.sum(chosen_NxAxD * weight_NxA[:, :, None], axis=1).reshape(normed_BxTxD.shape)


class Transformer(nnx.Module):
    """The decoder."""

    def __init__(self, config: TransformerConfig, *, rngs: nnx.Rngs):
        self.config = config
        init = nnx.initializers.normal(_INIT_SCALE)
        self.embedding = nnx.Embed(config.vocabulary, config.width, embedding_init=init, rngs=rngs)
        self.blocks = nnx.List([Block(config, rngs=rngs) for _ in range(config.depth)])
        self.norm = nnx.LayerNorm(config.width, use_bias=False, rngs=rngs)
        self.readout = (
            None
            if config.tied
            else nnx.Linear(
                config.width, config.vocabulary, use_bias=False, kernel_init=init, rngs=rngs
            )
        )
        self.predictor = Predictor(config, rngs=rngs) if config.feed_forward == "masked" else None

    def __call__(
        self,
        tokens_BxT: Int[Array, "batch time"],
        start_B: Int[Array, " batch"] | None = None,
        first: int = 0,
    ) -> Float[Array, "batch predictions vocabulary"]:
        """Logits of the next token.

        Args:
            tokens_BxT: token ids.
            start_B: first real position of each row; what lies before it is padding that no
                later position sees. None: every row is full.
            first: logits are returned for the positions from here on; the masks of a masked
                model are chosen by what comes up to here.
        """
        time = tokens_BxT.shape[1]
        position = jnp.arange(time)
        visible = (position[:, None] >= position)[None]
        if start_B is not None:
            # A padding position sees itself, so that its softmax is defined.
            visible &= (position >= start_B[:, None])[:, None] | jnp.eye(time, dtype=bool)
        stream_BxTxD = self.embedding(tokens_BxT)
        masks = self._masks(stream_BxTxD[:, : first + 1], start_B)
        for block, mask_BxF in zip(self.blocks, masks, strict=True):
            stream_BxTxD = block(stream_BxTxD, visible, mask_BxF)
        read_BxTxD = self.norm(stream_BxTxD[:, first:])
        return (
            self.embedding.attend(read_BxTxD) if self.readout is None else self.readout(read_BxTxD)
        )

    def _masks(
        self, key_BxKxD: Float[Array, "batch key width"], start_B: Int[Array, " batch"] | None
    ) -> Sequence[Float[Array, "batch hidden"] | None]:
        """Which units of each layer stay; None where all do."""
        config, depth = self.config, self.config.depth
        if self.predictor is None:
            return [None] * depth
        inner, outer = self.predictor.inner.kernel[...], self.predictor.outer.kernel[...]
        return list(
            unit_masks(key_BxKxD, start_B, inner, outer, depth, config.active, config.mask_reads)
        )
