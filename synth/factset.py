"""The fact set: what there is to memorize, as arrays (`FactSet`) or as a stream (`FactStream`)."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Float64, Int32

from factcap.synth.errors import BadInput, require

FORMAT_VERSION = 1

SCHEMA = pa.schema(
    [
        pa.field("key", pa.string(), nullable=False),
        pa.field("value", pa.string(), nullable=False),
        pa.field("choices", pa.float64(), nullable=False),
        pa.field("frequency", pa.float64(), nullable=False),
        pa.field("tokens", pa.list_(pa.field("item", pa.int32(), nullable=False)), nullable=False),
        pa.field("key_length", pa.int32(), nullable=False),
    ]
)


@dataclass(frozen=True)
class Origin:
    """Where a fact set comes from; the `factcap` entry of the file's schema metadata.

    Attributes:
        generator: name of the generator.
        arguments: its arguments, as JSON values.
        seed: the seed, or None where nothing random was drawn.
        vocabulary_size: token ids run from 0 to this, exclusive.
        notes: sentences that a reader of the numbers must know (say, how entropy was estimated).
    """

    generator: str
    arguments: dict[str, Any]
    seed: int | None
    vocabulary_size: int
    notes: tuple[str, ...] = ()

    def to_json(self) -> str:
        """The metadata entry as JSON, with the format version."""
        return json.dumps(
            {
                "generator": self.generator,
                "arguments": self.arguments,
                "seed": self.seed,
                "vocabulary_size": self.vocabulary_size,
                "notes": list(self.notes),
                "format_version": FORMAT_VERSION,
            }
        )

    @classmethod
    def from_json(cls, text: str | bytes) -> "Origin":
        """Read the metadata entry; raises `BadInput` for a newer format or a missing field."""
        try:
            entry = json.loads(text)
            version = int(entry["format_version"])
            origin = cls(
                generator=str(entry["generator"]),
                arguments=dict(entry["arguments"]),
                seed=entry["seed"],
                vocabulary_size=int(entry["vocabulary_size"]),
                notes=tuple(entry.get("notes", ())),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(f"the factcap metadata is damaged ({error!r})") from None
        require(
            version <= FORMAT_VERSION,
            f"format version {version} is newer than {FORMAT_VERSION}, the newest known here",
        )
        return origin


@dataclass(frozen=True)
class FactSet:
    """N facts in memory.

    Attributes:
        keys: the keys as text.
        values: the values as text.
        choices: how many values were equally likely for each fact, at least 1; its log2 is the
            fact's entropy in bits.
        frequency: how often each fact is met in training and asked for; sums to 1.
        tokens: key then value, padded with 0 on the right to the longest fact. No token id is
            reserved for padding: `length` says where a fact ends.
        key_length: tokens of each key.
        length: tokens of each key and value together.
        origin: generator, arguments, seed, vocabulary size.

    Raises:
        BadInput: if an array has values that are out of range.
    """

    keys: pa.StringArray = field(repr=False)
    values: pa.StringArray = field(repr=False)
    choices: Float64[np.ndarray, " facts"]
    frequency: Float64[np.ndarray, " facts"]
    tokens: Int32[np.ndarray, "facts longest"]
    key_length: Int32[np.ndarray, " facts"]
    length: Int32[np.ndarray, " facts"]
    origin: Origin

    def __post_init__(self):
        require(len(self.choices) > 0, "the fact set is empty; it needs at least one fact")
        check_choices(self.choices)
        check_frequency(self.frequency)
        low, high = int(self.tokens.min(initial=0)), int(self.tokens.max(initial=0))
        require(
            low >= 0 and high < self.vocabulary_size,
            f"token ids must lie in [0, {self.vocabulary_size}); they reach from {low} to {high}",
        )
        require(
            bool(np.all((self.key_length >= 0) & (self.key_length < self.length))),
            "key_length must be at least 0 and leave at least one token to every value",
        )

    def __len__(self) -> int:
        return len(self.choices)

    @property
    def vocabulary_size(self) -> int:
        """Token ids run from 0 to this, exclusive."""
        return self.origin.vocabulary_size

    @property
    def entropy_bits(self) -> Float64[np.ndarray, " facts"]:
        """Entropy of each value given its key, in bits: log2 of its choices."""
        return np.log2(self.choices)

    def prefix(self, facts: int) -> "FactSet":
        """The first facts of the set, their frequency made to sum to 1 again.

        >>> from factcap.synth import phonebook
        >>> phonebook(1000, seed=3).prefix(10).tokens.tolist() == (
        ...     phonebook(10, seed=3).tokens.tolist())
        True
        """
        require(
            1 <= facts <= len(self), f"a prefix has 1 to {len(self)} facts of this set, not {facts}"
        )
        mass = self.frequency[:facts].sum()
        require(bool(mass > 0), f"the first {facts} facts all have frequency 0; take more of them")
        longest = int(self.length[:facts].max())
        return FactSet(
            keys=self.keys[:facts],
            values=self.values[:facts],
            choices=self.choices[:facts],
            frequency=self.frequency[:facts] / mass,
            tokens=self.tokens[:facts, :longest],
            key_length=self.key_length[:facts],
            length=self.length[:facts],
            origin=self.origin,
        )

    def batch(self) -> pa.RecordBatch:
        """The set as one record batch of the file's schema."""
        held = np.arange(self.tokens.shape[1]) < self.length[:, None]
        return record_batch(
            keys=self.keys,
            values=self.values,
            choices=self.choices,
            frequency=self.frequency,
            flat_tokens=self.tokens[held],
            length=self.length,
            key_length=self.key_length,
        )

    def stream(self) -> "FactStream":
        """The set as a stream of one block."""
        return FactStream(self.origin, len(self), lambda: iter([self.batch()]))


@dataclass(frozen=True)
class FactStream:
    """A fact set that is made or read block by block, so that it may be larger than memory.

    Attributes:
        origin: generator, arguments, seed, vocabulary size.
        facts: number of facts in all.
        blocks: starts the stream anew; yields record batches of `SCHEMA`.
    """

    origin: Origin
    facts: int
    blocks: Callable[[], Iterator[pa.RecordBatch]] = field(repr=False)

    def collect(self) -> FactSet:
        """Read the whole stream into memory."""
        table = pa.Table.from_batches(self.blocks(), SCHEMA)
        return factset_from_table(table, self.origin)


def factset_from_table(table: pa.Table, origin: Origin) -> FactSet:
    """A `FactSet` from a table of `SCHEMA`; raises `BadInput` if its values are out of range."""
    require(table.num_rows > 0, "the fact set is empty; it needs at least one fact")
    (batch,) = table.combine_chunks().to_batches()
    lists = batch.column("tokens")
    offsets = lists.offsets.to_numpy()
    length = np.diff(offsets)
    flat_tokens = lists.values.to_numpy(zero_copy_only=False)[offsets[0] : offsets[-1]]
    tokens = np.zeros((len(length), int(length.max())), np.int32)
    tokens[np.arange(tokens.shape[1]) < length[:, None]] = flat_tokens
    return FactSet(
        keys=batch.column("key"),
        values=batch.column("value"),
        choices=batch.column("choices").to_numpy(),
        frequency=batch.column("frequency").to_numpy(),
        tokens=tokens,
        key_length=batch.column("key_length").to_numpy(),
        length=length.astype(np.int32),
        origin=origin,
    )


def record_batch(
    *,
    keys: pa.Array,
    values: pa.Array,
    choices: Float64[np.ndarray, " facts"],
    frequency: Float64[np.ndarray, " facts"],
    flat_tokens: Int32[np.ndarray, " tokens"],
    length: Int32[np.ndarray, " facts"],
    key_length: Int32[np.ndarray, " facts"],
) -> pa.RecordBatch:
    """A block of facts in the file's schema; `flat_tokens` holds one fact after the other."""
    offsets = np.concatenate([[0], np.cumsum(length, dtype=np.int64)])
    require(bool(offsets[-1] < 2**31), "a block holds fewer than 2**31 tokens; split it")
    lists = pa.ListArray.from_arrays(
        offsets.astype(np.int32), pa.array(flat_tokens), type=SCHEMA.field("tokens").type
    )
    return pa.record_batch(
        [keys, values, pa.array(choices), pa.array(frequency), lists, pa.array(key_length)],
        schema=SCHEMA,
    )


def check_choices(choices: Float64[np.ndarray, " facts"]) -> None:
    """Raise `BadInput` unless all choices are finite and at least 1."""
    wrong = ~(np.isfinite(choices) & (choices >= 1))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise BadInput(f"choices must be finite and >= 1; fact {row} has {choices[row]:g}")


def check_frequency(frequency: Float64[np.ndarray, " facts"]) -> None:
    """Raise `BadInput` unless all frequencies are finite and >= 0 and they sum to 1."""
    wrong = ~(np.isfinite(frequency) & (frequency >= 0))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise BadInput(f"frequency must be finite and >= 0; fact {row} has {frequency[row]:g}")
    total = float(frequency.sum())
    require(total > 0, "all frequencies are 0; at least one must be positive")
    require(abs(total - 1) < 1e-6, f"frequencies must sum to 1; they sum to {total:.9g}")
