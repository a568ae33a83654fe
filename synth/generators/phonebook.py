"""Phone book: distinct made-up person names, and uniformly random numbers."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from factcap.synth.errors import require
from factcap.synth.factset import FactSet, FactStream, Origin, record_batch
from factcap.synth.frequency import blocks, power_law_slice, power_law_total
from factcap.synth.generators.names import (
    GIVEN_ENDINGS,
    NAME_PIECES,
    NAMES,
    PIECES_IN_NAME,
    SURNAME_ENDINGS,
    SYLLABLES,
    name_pieces,
)
from factcap.synth.generators.permutation import permute
from factcap.synth.generators.text import join_pieces

_MOST_DIGITS = 300  # 10^digits is a double
_CAPITALS = tuple(syllable.capitalize() for syllable in SYLLABLES)
_NAME_TABLES = (
    _CAPITALS,
    tuple(ending + " " for ending in GIVEN_ENDINGS),
    _CAPITALS,
    SYLLABLES,
    SURNAME_ENDINGS,
)
_FIRST_OF_PLACE = np.array([0, len(SYLLABLES), 0, 0, len(SYLLABLES) + len(GIVEN_ENDINGS)])


def phonebook_stream(
    facts: int, *, digits: int = 7, exponent: float = 0.0, seed: int = 0
) -> FactStream:
    """As `phonebook`, made block by block; for sets that do not fit in memory."""
    require(1 <= facts <= NAMES, f"there are {NAMES} names; ask for 1 to that many, not {facts}")
    require(1 <= digits <= _MOST_DIGITS, f"digits must be 1 to {_MOST_DIGITS}, not {digits}")
    require(seed >= 0, f"seed must be >= 0, not {seed}")
    total = power_law_total(facts, exponent)

    def make() -> Iterator[pa.RecordBatch]:
        for block, start, stop in blocks(facts):
            # A whole block is drawn even where a part is used: sets of one seed are nested.
            rng = np.random.default_rng([seed, block])
            size = stop - start
            numbers = rng.integers(10, size=(1 << 16, digits), dtype=np.uint8)[:size]
            names = name_pieces(permute(np.arange(start, stop), NAMES, seed))
            tokens = np.empty((size, PIECES_IN_NAME + digits), np.int32)
            tokens[:, :PIECES_IN_NAME] = names + 10
            tokens[:, PIECES_IN_NAME:] = numbers
            offsets = np.arange(0, (size + 1) * digits, digits, dtype=np.int32)
            yield record_batch(
                keys=join_pieces(names - _FIRST_OF_PLACE, _NAME_TABLES),
                values=pa.StringArray.from_buffers(
                    size, pa.py_buffer(offsets), pa.py_buffer(numbers + np.uint8(ord("0")))
                ),
                choices=np.full(size, 10.0**digits),
                frequency=power_law_slice(start, stop, exponent, total),
                flat_tokens=tokens.ravel(),
                length=np.full(size, tokens.shape[1], np.int32),
                key_length=np.full(size, PIECES_IN_NAME, np.int32),
            )

    origin = Origin(
        generator="phonebook",
        arguments={"facts": facts, "digits": digits, "exponent": exponent},
        seed=seed,
        vocabulary_size=10 + len(NAME_PIECES),
        notes=("entropy is exact: each digit is uniform and independent",),
    )
    return FactStream(origin, facts, make)


def phonebook(facts: int, *, digits: int = 7, exponent: float = 0.0, seed: int = 0) -> FactSet:
    """Distinct person names with uniformly random numbers.

    A key is five name pieces, a value `digits` digits; token ids are the ten digits, then the
    pieces (`factcap.synth.generators.names.NAME_PIECES`). The entropy of a value is digits *
    log2(10) bits, exactly. The set of n facts is a prefix of the larger one with the same seed;
    only the frequencies, which sum to 1, differ by a factor.

    Args:
        facts: number of facts, at most $2^30$.
        digits: of a number, 1 to 300.
        exponent: the frequency of the fact of rank i (its place) is proportional to i^-exponent.
        seed: of names and numbers.

    Raises:
        BadInput: for an argument out of range.

    >>> phonebook(3).keys.to_pylist() == phonebook(5).keys.to_pylist()[:3]
    True
    """
    return phonebook_stream(facts, digits=digits, exponent=exponent, seed=seed).collect()
