"""Tuples of name, attribute and value, bioD: values made of chunks from few distinct strings."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions at run time.)

import math
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int32, Int64

from factcap.synth.errors import require
from factcap.synth.factset import FactSet, FactStream, Origin, record_batch
from factcap.synth.frequency import blocks, power_law_slice, power_law_total
from factcap.synth.generators.permutation import permute
from factcap.synth.generators.text import token_strings, token_texts

_BLOCK_TOKENS = 1 << 20
# Marks the random stream of the diversity sets; see `_diversity_sets`.
_DIVERSITY = 1


def tuples_stream(
    people: int,
    *,
    attributes: int = 4,
    chunks: int = 1,
    diversity: int = 64,
    length: int = 2,
    vocabulary: int = 64,
    names: int = 2**30,
    exponent: float = 0.0,
    seed: int = 0,
) -> FactStream:
    """As `tuples`, made block by block; for sets that do not fit in memory."""
    _check(people, attributes, chunks, diversity, length, vocabulary, names)
    require(seed >= 0, f"seed must be >= 0, not {seed}")
    total = power_law_total(people, exponent) * attributes
    name_places = next(places for places in range(1, 63) if vocabulary**places >= names)
    key_places, value_places = name_places + 1, chunks * length
    # A block is a number of people that does not depend on `people`: sets of one seed are nested.
    people_each = max(1, _BLOCK_TOKENS // (attributes * (key_places + value_places)))

    def make() -> Iterator[pa.RecordBatch]:
        sets = _diversity_sets(attributes, diversity, length, vocabulary, seed)
        texts = token_texts(vocabulary)
        labels = pa.array([f" {attribute}" for attribute in range(attributes)])
        for block, start, stop in blocks(people, people_each):
            size = stop - start
            drawn = np.random.default_rng([seed, block]).integers(
                diversity, size=(people_each, attributes, chunks)
            )[:size]
            tokens = np.empty((size, attributes, key_places + value_places), np.int32)
            number = permute(np.arange(start, stop), names, seed)
            tokens[:, :, :name_places] = _digits(number, vocabulary, name_places)[:, None]
            tokens[:, :, name_places] = vocabulary + np.arange(attributes)
            values = sets[np.arange(attributes)[:, None], drawn]
            tokens[:, :, key_places:] = values.reshape(size, attributes, value_places)
            rows = tokens.reshape(size * attributes, -1)
            yield record_batch(
                keys=pc.binary_join_element_wise(
                    token_strings(rows[:, :name_places], texts),
                    labels.take(pa.array(np.tile(np.arange(attributes), size))),
                    "",
                ),
                values=token_strings(rows[:, key_places:], texts),
                choices=np.full(len(rows), float(diversity) ** chunks),
                frequency=np.repeat(power_law_slice(start, stop, exponent, total), attributes),
                flat_tokens=rows.ravel(),
                length=np.full(len(rows), key_places + value_places, np.int32),
                key_length=np.full(len(rows), key_places, np.int32),
            )

    origin = Origin(
        generator="tuples",
        arguments={
            "people": people,
            "attributes": attributes,
            "chunks": chunks,
            "diversity": diversity,
            "length": length,
            "vocabulary": vocabulary,
            "names": names,
            "exponent": exponent,
        },
        seed=seed,
        vocabulary_size=vocabulary + attributes,
        notes=(
            "entropy is exact, given the strings that each attribute's values are made of: the "
            "chunks are uniform and independent",
        ),
    )
    return FactStream(origin, people * attributes, make)


def tuples(
    people: int,
    *,
    attributes: int = 4,
    chunks: int = 1,
    diversity: int = 64,
    length: int = 2,
    vocabulary: int = 64,
    names: int = 2**30,
    exponent: float = 0.0,
    seed: int = 0,
) -> FactSet:
    """Random tuples of name, attribute and value: the set bioD.

    That of Allen-Zhu and Li 2024 (2404.05405), bioD(N, K, C, D, L, T). Names are drawn without
    replacement. Each attribute has a diversity set: distinct strings of tokens, drawn uniformly
    without replacement. A value is a sequence of chunks, each uniform in the attribute's set.

    There is one fact for each person and attribute, person by person. A key is the name's tokens
    (its number in base T, the last digit first), then the attribute's; a value is C L tokens.
    Token ids are the T tokens of names and values, then the K attributes. The entropy of a value
    is $C log2 D$ bits, given the sets; `tuples_bits` counts the bits of all. The facts of the first
    n people are a prefix of the larger set with the same seed; only the frequencies differ by a
    factor.

    Args:
        people: N, at most `names`.
        attributes: K.
        chunks: C, chunks of a value.
        diversity: D, strings in the set of each attribute, at most $T^L$.
        length: L, tokens of a string.
        vocabulary: T, tokens that names and strings are made of, at least 2.
        names: $N_0$, names that people's are drawn from, at most $2^62$.
        exponent: the frequency of the person of rank i (its place) is proportional to i^-exponent;
            the facts of a person are equally frequent.
        seed: of names, diversity sets and values.

    Raises:
        BadInput: for an argument out of range.

    >>> facts = tuples(2, attributes=1, chunks=3, diversity=8, length=2, vocabulary=16)
    >>> len(facts), float(facts.entropy_bits[0]), facts.length - facts.key_length
    (2, 9.0, array([6, 6], dtype=int32))
    """
    stream = tuples_stream(
        people,
        attributes=attributes,
        chunks=chunks,
        diversity=diversity,
        length=length,
        vocabulary=vocabulary,
        names=names,
        exponent=exponent,
        seed=seed,
    )
    return stream.collect()


def tuples_bits(
    people: int,
    *,
    attributes: int = 4,
    chunks: int = 1,
    diversity: int = 64,
    length: int = 2,
    vocabulary: int = 64,
    names: int = 2**30,
) -> float:
    """Bits of names, values and diversity sets together, to leading order.

    $N log2(N_0 / N) + N K C log2 D + K D log2(T^L / D)$, the numerator of the largest capacity
    ratio of Allen-Zhu and Li 2024 (2404.05405). It leaves out a lower-order term: a set of n
    out of m holds log2 binomial(m, n) bits, and $log2 binom(m, n) = n log2(m / n) + r$ with
    $0 <= r <= n log2(e)$, so that the sum is low by at most $(N + K D) log2(e)$ bits. Assumed is
    that every string of a diversity set occurs in some value, N C >> D log D.

    Args:
        people: as for `tuples`, like the others.
        attributes: K.
        chunks: C.
        diversity: D.
        length: L.
        vocabulary: T.
        names: $N_0$.

    Raises:
        BadInput: for an argument out of range.

    >>> tuples_bits(1024, attributes=2, chunks=1, diversity=16, length=3, vocabulary=8, names=2**20)
    18592.0
    """
    _check(people, attributes, chunks, diversity, length, vocabulary, names)
    of_names = people * math.log2(names / people)
    of_values = people * attributes * chunks * math.log2(diversity)
    of_sets = attributes * diversity * (length * math.log2(vocabulary) - math.log2(diversity))
    return of_names + of_values + of_sets


def _check(
    people: int,
    attributes: int,
    chunks: int,
    diversity: int,
    length: int,
    vocabulary: int,
    names: int,
) -> None:
    """Raise `BadInput` for an argument that is out of range."""
    require(1 <= names <= 2**62, f"names must be 1 to 2^62, not {names}")
    require(1 <= people <= names, f"there are {names} names; ask for 1 to that many, not {people}")
    require(chunks >= 1, f"chunks must be at least 1, not {chunks}")
    require(length >= 1, f"length must be at least 1, not {length}")
    require(attributes >= 1, f"attributes must be at least 1, not {attributes}")
    require(vocabulary >= 2, f"vocabulary must be at least 2, not {vocabulary}")
    require(
        vocabulary + attributes <= 2**31,
        f"vocabulary and attributes must be 2^31 or less together, not {vocabulary + attributes}",
    )
    strings = _strings(vocabulary, length)
    require(
        1 <= diversity <= strings,
        f"there are {strings} strings of {length} tokens of {vocabulary}; diversity must be 1 to "
        f"that many, not {diversity}",
    )
    require(
        chunks * math.log2(diversity) < 1023,
        f"a value of {chunks} chunks of {diversity} has 1023 bits or more, which `choices` cannot "
        "hold; lower chunks",
    )


def _strings(vocabulary: int, length: int) -> int:
    """How many strings there are, or a number of 2^62 or more where there are that many."""
    return vocabulary ** min(length, 62)


def _diversity_sets(
    attributes: int, diversity: int, length: int, vocabulary: int, seed: int
) -> Int32[np.ndarray, "attributes diversity length"]:
    # The mark is last and not 0: a seed sequence ignores zeros at its end, and the values of
    # block b come from [seed, b].
    return np.stack(
        [
            distinct_strings(
                np.random.default_rng([seed, attribute, _DIVERSITY]), diversity, length, vocabulary
            )
            for attribute in range(attributes)
        ]
    )


def distinct_strings(
    rng: np.random.Generator, strings: int, length: int, vocabulary: int
) -> Int32[np.ndarray, "strings length"]:
    """Strings of tokens, drawn uniformly without replacement.

    Args:
        rng: what to draw with.
        strings: how many, at most vocabulary^length.
        length: tokens of a string.
        vocabulary: number of token ids.

    >>> sorted(distinct_strings(np.random.default_rng(0), 4, 2, 2).tolist())
    [[0, 0], [0, 1], [1, 0], [1, 1]]
    """
    there_are = _strings(vocabulary, length)
    if 2 * strings > there_are:
        return _digits(rng.permutation(there_are)[:strings], vocabulary, length)
    # Drawn one after the other, a string that came up before is passed over.
    drawn = np.empty((0, length), np.int32)
    while len(drawn) < strings:
        more = rng.integers(vocabulary, size=(strings, length), dtype=np.int32)
        drawn = np.concatenate([drawn, more])
        _, first = np.unique(drawn, axis=0, return_index=True)
        drawn = drawn[np.sort(first)]
    return drawn[:strings]


def _digits(
    number: Int64[np.ndarray, " items"], base: int, places: int
) -> Int32[np.ndarray, "items places"]:
    """Each number in a base, the last digit first."""
    digits = np.empty((len(number), places), np.int32)
    for place in range(places):
        number, digits[:, place] = np.divmod(number, base)
    return digits
