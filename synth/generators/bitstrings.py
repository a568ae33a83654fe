"""Bit strings: uniformly random token sequences, the first tokens of each a distinct key."""

import math
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from factcap.synth.errors import require
from factcap.synth.factset import FactSet, FactStream, Origin, record_batch
from factcap.synth.frequency import blocks, power_law_slice, power_law_total
from factcap.synth.generators.permutation import permute
from factcap.synth.generators.text import token_strings, token_texts

_BLOCK = 1 << 14
_KEYLESS = (
    "no key tells the facts apart: recall is not defined, and even a model that knows the set "
    "pays log2 N bits a fact"
)


def bitstrings_stream(
    facts: int,
    *,
    vocabulary: int = 2048,
    length: int = 64,
    key_length: int | None = None,
    exponent: float = 0.0,
    seed: int = 0,
) -> FactStream:
    """As `bitstrings`, made block by block; for sets that do not fit in memory."""
    require(2 <= vocabulary <= 2**31, f"vocabulary must be 2 to 2^31, not {vocabulary}")
    require(length >= 1, f"length must be at least 1, not {length}")
    require(seed >= 0, f"seed must be >= 0, not {seed}")
    keyed = default_key_length(vocabulary, length) if key_length is None else key_length
    require(
        0 <= keyed < length, f"key_length must be 0 to {length - 1} of {length} tokens, not {keyed}"
    )
    require(
        (length - keyed) * math.log2(vocabulary) < 1023,
        f"a value of {length - keyed} tokens of {vocabulary} has 1023 bits or more, which "
        "`choices` cannot hold; shorten it",
    )
    keys = min(vocabulary**keyed, 2**62)
    require(
        facts >= 1 and (facts <= keys or keyed == 0),
        f"{keyed} key tokens of {vocabulary} tell {keys} facts apart; "
        f"ask for 1 to that many, not {facts}, or raise key_length",
    )
    total = power_law_total(facts, exponent)
    texts = token_texts(vocabulary)

    def make() -> Iterator[pa.RecordBatch]:
        for block, start, stop in blocks(facts, _BLOCK):
            # A whole block is drawn even where a part is used: sets of one seed are nested.
            rng = np.random.default_rng([seed, block])
            size = stop - start
            kind = np.uint16 if vocabulary <= 2**16 else np.uint32
            tokens = rng.integers(vocabulary, size=(_BLOCK, length), dtype=kind)[:size]
            if keyed:
                number = permute(np.arange(start, stop), keys, seed)
                for place in range(keyed):
                    number, tokens[:, place] = np.divmod(number, vocabulary)
            yield record_batch(
                keys=token_strings(tokens[:, :keyed], texts),
                values=token_strings(tokens[:, keyed:], texts),
                choices=np.full(size, float(vocabulary) ** (length - keyed)),
                frequency=power_law_slice(start, stop, exponent, total),
                flat_tokens=tokens.ravel().astype(np.int32),
                length=np.full(size, length, np.int32),
                key_length=np.full(size, keyed, np.int32),
            )

    origin = Origin(
        generator="bitstrings",
        arguments={
            "facts": facts,
            "vocabulary": vocabulary,
            "length": length,
            "key_length": keyed,
            "exponent": exponent,
        },
        seed=seed,
        vocabulary_size=vocabulary,
        notes=(
            "entropy is exact: each value token is uniform and independent",
            *((_KEYLESS,) if keyed == 0 else ()),
        ),
    )
    return FactStream(origin, facts, make)


def bitstrings(
    facts: int,
    *,
    vocabulary: int = 2048,
    length: int = 64,
    key_length: int | None = None,
    exponent: float = 0.0,
    seed: int = 0,
) -> FactSet:
    """Uniformly random token sequences.

    The first `key_length` tokens are the key, drawn without replacement so that keys are
    distinct; the others are the value, uniform and independent. With `key_length=0` the whole
    sequence is the value and sequences are independent, the setting of Morris et al. 2025
    (2505.24832): stored bits are then defined, exact recall is not. The set of n facts is a
    prefix of the larger one with the same seed; only the frequencies differ by a factor.

    Args:
        facts: number of facts.
        vocabulary: number of token ids.
        length: tokens of a sequence, key included.
        key_length: tokens of the key; None takes `default_key_length`.
        exponent: the frequency of the fact of rank i (its place) is proportional to i^-exponent.
        seed: of keys and values.

    Raises:
        BadInput: for an argument out of range, or more facts than keys.

    >>> facts = bitstrings(2, vocabulary=2, length=8)
    >>> len(facts.keys[0].as_py()), len(facts.values[0].as_py()), float(facts.choices[0])
    (4, 4, 16.0)
    """
    stream = bitstrings_stream(
        facts,
        vocabulary=vocabulary,
        length=length,
        key_length=key_length,
        exponent=exponent,
        seed=seed,
    )
    return stream.collect()


def default_key_length(vocabulary: int, length: int) -> int:
    """Tokens of a key: enough for 2^32 of them, but at most half of the sequence.

    >>> default_key_length(2048, 64), default_key_length(2, 16)
    (3, 8)
    """
    enough = next(k for k in range(1, 33) if vocabulary**k >= 2**32)
    return min(enough, length // 2)
