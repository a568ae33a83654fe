"""A GPT-2-style decoder: rotary positions, pre-normalization, no biases, no dropout."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Bool, Float, Int

from factcap.synth.errors import BadInput, require

_INIT_SCALE = 0.02
_ROTARY_BASE = 10_000.0


@dataclass(frozen=True)
class TransformerConfig:
    """Shape of a decoder.

    Attributes:
        vocabulary: number of token ids.
        width: size of the residual stream.
        depth: number of blocks.
        heads: attention heads; `width / heads` must be even (rotary positions turn pairs).
        tied: one matrix embeds tokens and reads them out.

    Raises:
        BadInput: for a size that cannot be built.
    """

    vocabulary: int
    width: int
    depth: int
    heads: int
    tied: bool = True

    def __post_init__(self):
        for name in ("vocabulary", "width", "depth", "heads"):
            size = getattr(self, name)
            require(size >= 1, f"{name} must be at least 1, not {size}")
        require(
            self.width % (2 * self.heads) == 0,
            f"width must be a multiple of 2 x heads = {2 * self.heads}, not {self.width}",
        )

    @property
    def parameters(self) -> int:
        """Number of parameters.

        >>> TransformerConfig(vocabulary=50_257, width=768, depth=12, heads=12).parameters
        123551232
        """
        block = 12 * self.width**2 + 2 * self.width
        return self.embedding_parameters + self.depth * block + self.width

    @property
    def embedding_parameters(self) -> int:
        """Of these, those of the embedding and of a readout of its own."""
        return self.vocabulary * self.width * (1 if self.tied else 2)


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


class Block(nnx.Module):
    """Attention and a feed-forward layer, each on the normalized residual stream."""

    def __init__(self, config: TransformerConfig, *, rngs: nnx.Rngs):
        self.heads = config.heads
        width = config.width
        inner = nnx.initializers.normal(_INIT_SCALE)
        # GPT-2: what is added to the residual stream starts smaller in a deeper model.
        outer = nnx.initializers.normal(_INIT_SCALE / (2 * config.depth) ** 0.5)

        def linear(inputs: int, outputs: int, init) -> nnx.Linear:
            return nnx.Linear(inputs, outputs, use_bias=False, kernel_init=init, rngs=rngs)

        self.attention_norm = nnx.LayerNorm(width, use_bias=False, rngs=rngs)
        self.query_key_value = linear(width, 3 * width, inner)
        self.attention_out = linear(width, width, outer)
        self.feed_forward_norm = nnx.LayerNorm(width, use_bias=False, rngs=rngs)
        self.feed_forward_in = linear(width, 4 * width, inner)
        self.feed_forward_out = linear(4 * width, width, outer)

    def __call__(
        self,
        stream_BxTxD: Float[Array, "batch time width"],
        visible_BxTxT: Bool[Array, "#batch time time"],
    ) -> Float[Array, "batch time width"]:
        """One block; a position attends to those that are visible to it."""
        batch, time, width = stream_BxTxD.shape
        projected = self.query_key_value(self.attention_norm(stream_BxTxD))
        projected = projected.reshape(batch, time, 3, self.heads, width // self.heads)
        query, key, value = projected[:, :, 0], projected[:, :, 1], projected[:, :, 2]
        mixed = jax.nn.dot_product_attention(
            rotate(query), rotate(key), value, mask=visible_BxTxT[:, None]
        )
        stream_BxTxD += self.attention_out(mixed.reshape(batch, time, width))
        hidden = nnx.gelu(self.feed_forward_in(self.feed_forward_norm(stream_BxTxD)))
        return stream_BxTxD + self.feed_forward_out(hidden)


class Transformer(nnx.Module):
    """The decoder."""

    def __init__(self, config: TransformerConfig, *, rngs: nnx.Rngs):
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
            first: logits are returned for the positions from here on.
        """
        time = tokens_BxT.shape[1]
        position = jnp.arange(time)
        visible = (position[:, None] >= position)[None]
        if start_B is not None:
            # A padding position sees itself, so that its softmax is defined.
            visible &= (position >= start_B[:, None])[:, None] | jnp.eye(time, dtype=bool)
        stream_BxTxD = self.embedding(tokens_BxT)
        for block in self.blocks:
            stream_BxTxD = block(stream_BxTxD, visible)
        read_BxTxD = self.norm(stream_BxTxD[:, first:])
        return (
            self.embedding.attend(read_BxTxD) if self.readout is None else self.readout(read_BxTxD)
        )


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
