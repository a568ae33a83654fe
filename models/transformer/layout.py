"""Fact sets as arrays on a device: values aligned at one position, and a sampler of facts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Float64, Int, PRNGKeyArray

from factcap.synth import AliasTable, FactSet

# Rows are padded to a multiple of this, so that sets of similar size share one compiled program.
_ROWS = 4096


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Batch:
    """Some facts, laid out for the model.

    Those of several members may be stacked along a first axis.

    Every value starts at the same position, so that the logits are needed at fixed positions
    only; a shorter key is padded on its left, a shorter value on its right.

    Attributes:
        tokens_BxT: key, then value.
        start_B: first real position of each row; None where no key is padded.
        counted_BxV: which value positions are real; None where no value is padded.
    """

    tokens_BxT: Int[Array, "*members batch time"]
    start_B: Int[Array, "*members batch"] | None
    counted_BxV: Bool[Array, "*members batch value"] | None


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class DeviceFacts:
    """A fact set on a device.

    Attributes:
        rows: all facts, laid out as one batch; rows from `facts` on are padding.
        keep_F: alias table of the frequency (see `factcap.synth.AliasTable`).
        alias_F: the same.
        facts: number of facts.
    """

    rows: Batch
    keep_F: Float[Array, "*members rows"]
    alias_F: Int[Array, "*members rows"]
    facts: Int[Array, "*members"]

    def take(self, index_B: Int[Array, " batch"]) -> Batch:
        """The facts of these numbers."""
        return jax.tree.map(lambda rows: rows[index_B], self.rows)

    def draw(self, batch: int, key: PRNGKeyArray) -> Int[Array, " batch"]:
        """Numbers of facts drawn independently by their frequency."""
        column_key, keep_key = jax.random.split(key)
        column_B = jax.random.randint(column_key, (batch,), 0, self.facts)
        kept_B = jax.random.uniform(keep_key, (batch,)) < self.keep_F[column_B]
        return jnp.where(kept_B, column_B, self.alias_F[column_B])

    def weighted(self, weights_F: Float64[np.ndarray, " facts"]) -> "DeviceFacts":
        """The facts, drawn by these weights, >= 0 and not all 0, instead."""
        table = AliasTable.build(weights_F / weights_F.sum())
        missing = (0, self.keep_F.shape[-1] - len(weights_F))
        return replace(
            self,
            keep_F=jnp.asarray(np.pad(table.keep, missing), jnp.float32),
            alias_F=jnp.asarray(np.pad(table.alias, missing), jnp.int32),
        )


def model_vocabulary(facts: FactSet) -> int:
    """Token ids a model of this set needs: one more, for the start, where a fact has no key."""
    return facts.vocabulary_size + int(np.any(facts.key_length == 0))


def context_length(facts: FactSet) -> int:
    """Positions before the values, in the layout of this set."""
    return int(facts.key_length.max()) + int(np.any(facts.key_length == 0))


@dataclass(frozen=True)
class Layout:
    """The shape of fact sets on a device; sets of one layout share compiled programs.

    Attributes:
        context: positions before the values.
        values: positions of the values.
        rows: number of rows, padding included.
        short_keys: whether some key needs padding.
        short_values: whether some value does.
    """

    context: int
    values: int
    rows: int
    short_keys: bool
    short_values: bool

    @classmethod
    def of(cls, sets: Sequence[FactSet]) -> "Layout":
        """The smallest layout that holds each of the sets."""
        context = max(context_length(facts) for facts in sets)
        values = max(int((facts.length - facts.key_length).max()) for facts in sets)
        return cls(
            context=context,
            values=values,
            rows=max(math.ceil(len(facts) / _ROWS) * _ROWS for facts in sets),
            short_keys=any(_first_positions(facts, context).any() for facts in sets),
            short_values=any(
                bool(np.any(facts.length - facts.key_length < values)) for facts in sets
            ),
        )

    @property
    def time(self) -> int:
        """Positions of a row."""
        return self.context + self.values


def _first_positions(facts: FactSet, context: int) -> Int[np.ndarray, " facts"]:
    """First real position of each row: that of its start token, or of its key."""
    return context - facts.key_length - int(model_vocabulary(facts) > facts.vocabulary_size)


def to_device(facts: FactSet, layout: Layout | None = None) -> DeviceFacts:
    """Lay a fact set out on the default device, in the smallest layout unless one is given."""
    if layout is None:
        layout = Layout.of([facts])
    context = layout.context
    # Position t of a row holds token t - shift of its fact.
    source_FxT = np.arange(layout.time) - (context - facts.key_length)[:, None]
    real_FxT = (source_FxT >= 0) & (source_FxT < facts.length[:, None])
    taken_FxT = np.take_along_axis(
        facts.tokens, np.clip(source_FxT, 0, facts.tokens.shape[1] - 1), axis=1
    )
    tokens_FxT = np.where(real_FxT, taken_FxT, 0)
    start_F = _first_positions(facts, context)
    if model_vocabulary(facts) > facts.vocabulary_size:
        tokens_FxT[np.arange(len(facts)), start_F] = facts.vocabulary_size
    table = AliasTable.build(facts.frequency)

    def rows(array: np.ndarray, dtype) -> Array:
        missing = layout.rows - len(array)
        return jnp.asarray(np.pad(array, [(0, missing), *[(0, 0)] * (array.ndim - 1)]), dtype)

    return DeviceFacts(
        rows=Batch(
            tokens_BxT=rows(tokens_FxT, jnp.int32),
            start_B=rows(start_F, jnp.int32) if layout.short_keys else None,
            counted_BxV=rows(real_FxT[:, context:], jnp.bool) if layout.short_values else None,
        ),
        keep_F=rows(table.keep, jnp.float32),
        alias_F=rows(table.alias, jnp.int32),
        facts=jnp.asarray(len(facts), jnp.int32),
    )
