"""Biographies of made-up people, bioS: what is true of them, as facts and as English text."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from jaxtyping import Float64, Int32

from factcap.synth.errors import require
from factcap.synth.factset import FactSet, FactStream, Origin, record_batch
from factcap.synth.frequency import blocks, power_law, power_law_slice, power_law_total
from factcap.synth.generators.biographies.attributes import (
    ATTRIBUTES,
    CHOICES,
    PERSON_BITS,
    value_rows,
    value_texts,
)
from factcap.synth.generators.biographies.lists import FIRST_NAMES, LAST_NAMES, MIDDLE_NAMES, NAMES
from factcap.synth.generators.biographies.text import SENTENCES, TEMPLATES, render
from factcap.synth.generators.biographies.tokens import (
    FACT_VOCABULARY_SIZE,
    key_tokens,
    value_tokens,
)
from factcap.synth.generators.permutation import permute
from factcap.synth.generators.text import join_pieces

FORMS = ("simple", "multi", "permuted")

_BLOCK = 1 << 14
_LARGEST_TEXT = 1000  # bytes; a test holds it
_KEY_TABLES = (
    FIRST_NAMES,
    tuple(" " + name for name in MIDDLE_NAMES),
    tuple(" " + name for name in LAST_NAMES),
    tuple(", " + attribute for attribute in ATTRIBUTES),
)
# What a random stream is for; it must not be 0, because a seed sequence ignores zeros at its end.
_FIXED_TEXT, _PERMUTED_TEXT = 1, 2
_NOTES = (
    "entropy is exact: the values are uniform and independent, "
    f"{PERSON_BITS:.2f} bits a person besides the name",
    "the city that a person works in follows from the employer and is no fact of its own",
)


@dataclass(frozen=True)
class Biographies:
    """People and what is true of them; `biographies` makes it.

    Attributes:
        names: places in the lists of first, middle and last names; no two people have one name.
        attributes: codes of the values, in the order of `ATTRIBUTES`: birthdate, birthplace,
            university, major, employer, pronoun.
        exponent: the frequency of the person of rank i (its place) is proportional to i^-exponent.
        seed: of names, attributes and templates.
    """

    names: Int32[np.ndarray, "people 3"] = field(repr=False)
    attributes: Int32[np.ndarray, "people 6"] = field(repr=False)
    exponent: float
    seed: int

    def __len__(self) -> int:
        return len(self.names)

    @property
    def entropy_bits(self) -> float:
        """Bits of a person besides the name: log2(67200 * 200 * 300 * 100 * 263 * 2), exactly.

        >>> round(biographies(1).entropy_bits, 2)
        47.59
        """
        return PERSON_BITS

    @property
    def total_bits(self) -> float:
        """Bits of all people, names included: $N log2(N_0 / N) + N log2 S_0$.

        N people, $N_0 = 1.6e8$ names, $S_0$ values of all attributes: the numerator of the capacity
        ratio of Allen-Zhu and Li 2024 (2404.05405) for a model without loss. A set of N names
        holds log2 binomial(N_0, N) bits, which is more, by at most $log2(e)$ bits a person.

        >>> round(biographies(10_000).total_bits)
        615574
        """
        return len(self) * (math.log2(NAMES / len(self)) + PERSON_BITS)

    @property
    def frequency(self) -> Float64[np.ndarray, " people"]:
        """How often each person is met; sums to 1."""
        return power_law(len(self), self.exponent)

    def texts(self, form: str, occurrence: int = 0, *, variants: int = 5) -> pa.StringArray:
        """The biography of each person that is read at one occurrence.

        A biography has six sentences, on birthdate, birthplace, university, major, employer and
        the city of work; the first names the person, the others say "he" or "she", so that the
        text tells all attributes. Forms:

        * simple: a fixed biography a person, with random templates and the order above;
        * multi: as many fixed ones as `variants`, read in turn, in the order above;
        * permuted: at every occurrence new templates and a new order of the sentences.

        Args:
            form: "simple", "multi" or "permuted".
            occurrence: number of the occurrence, at least 0.
            variants: biographies a person in the form multi, at least 1.

        Raises:
            BadInput: for an argument out of range, or texts of $2^31$ bytes or more.

        >>> people = biographies(3)
        >>> people.texts("simple", 0) == people.texts("simple", 7)
        True
        """
        require(
            len(self) * _LARGEST_TEXT < 2**31,
            f"the texts of {len(self)} people do not fit in one array; take text_blocks",
        )
        return pa.concat_arrays(self.text_blocks(form, occurrence, variants=variants))

    def text_blocks(
        self, form: str, occurrence: int = 0, *, variants: int = 5
    ) -> Iterator[pa.StringArray]:
        """As `texts`, 16,384 people at a time."""
        require(form in FORMS, f"form must be {', '.join(FORMS)}, not {form!r}")
        require(occurrence >= 0, f"occurrence must be >= 0, not {occurrence}")
        require(variants >= 1, f"variants must be at least 1, not {variants}")
        number = {"simple": 0, "multi": occurrence % variants, "permuted": occurrence}[form]
        stream = _PERMUTED_TEXT if form == "permuted" else _FIXED_TEXT
        return (
            self._render_block(block, slice(start, stop), stream, number)
            for block, start, stop in blocks(len(self), _BLOCK)
        )

    def _render_block(self, block: int, people: slice, stream: int, number: int) -> pa.StringArray:
        # A whole block is drawn even where a part is used: sets of one seed are nested.
        rng = np.random.default_rng([self.seed, block, number, stream])
        size = people.stop - people.start
        templates = rng.integers(TEMPLATES, size=(_BLOCK, len(SENTENCES)), dtype=np.int32)
        order = np.broadcast_to(np.arange(len(SENTENCES)), templates.shape)
        if stream == _PERMUTED_TEXT:
            order = np.argsort(rng.random(templates.shape), axis=1)
        return render(self.names[people], self.attributes[people], order[:size], templates[:size])

    def facts(self) -> FactSet:
        """One fact for each person and attribute, person by person.

        A key is "<full name>, <attribute>", five tokens; a value is one to four tokens. They are
        the tokens of `tokenize_biographies`, of which facts use the first
        `FACT_VOCABULARY_SIZE`. `choices` is the number of an attribute's values, so that the
        entropies of a person's six facts sum to `entropy_bits`. The facts of a person are equally
        frequent.

        >>> facts = biographies(1).facts()
        >>> facts.keys[3].as_py(), facts.values[3].as_py(), float(facts.choices[3])
        ('Galus Grenilda Selmore, major', 'Comparative Literature', 100.0)
        """
        return self.facts_stream().collect()

    def facts_stream(self) -> FactStream:
        """As `facts`, made block by block."""
        total = power_law_total(len(self), self.exponent) * len(ATTRIBUTES)
        origin = Origin(
            generator="biographies",
            arguments={"people": len(self), "exponent": self.exponent},
            seed=self.seed,
            vocabulary_size=FACT_VOCABULARY_SIZE,
            notes=_NOTES,
        )

        def make() -> Iterator[pa.RecordBatch]:
            for _, start, stop in blocks(len(self), _BLOCK):
                frequency = power_law_slice(start, stop, self.exponent, total)
                yield _fact_block(self.names[start:stop], self.attributes[start:stop], frequency)

        return FactStream(origin, len(self) * len(ATTRIBUTES), make)


def biographies(people: int, *, exponent: float = 0.0, seed: int = 0) -> Biographies:
    """People of distinct names with uniformly random attributes: the set bioS.

    Sizes are those of Allen-Zhu and Li 2024 (2404.05405): 400 * 400 * 1000 names; 12 * 28 * 200
    birthdates, 200 birthplaces, 300 universities, 100 majors, 263 employers, each of them in a
    fixed one of the 200 cities, and 2 pronouns. The words are made up here. The set of n people
    is a prefix of the larger one with the same seed.

    Args:
        people: number of people, at most 1.6e8.
        exponent: the frequency of the person of rank i (its place) is proportional to i^-exponent.
        seed: of names, attributes and templates.

    Raises:
        BadInput: for an argument out of range.

    >>> print(biographies(1).texts("simple")[0].as_py())
    Records show that Galus Grenilda Selmore joined the family on 14 February 2070.
    Records show that he began life in the city of Ironport.
    It is known that he studied at Haxcombe State University.
    By all accounts, he was trained in Comparative Literature.
    He took a job with Cenetron Energy.
    Records show that he works in Pinebridge.
    """
    require(1 <= people <= NAMES, f"there are {NAMES} names; ask for 1 to that many, not {people}")
    require(
        math.isfinite(exponent) and exponent >= 0,
        f"the exponent must be finite and >= 0, not {exponent:g}",
    )
    require(seed >= 0, f"seed must be >= 0, not {seed}")
    number, last = np.divmod(permute(np.arange(people), NAMES, seed), len(LAST_NAMES))
    names = np.stack([*np.divmod(number, len(MIDDLE_NAMES)), last], axis=1).astype(np.int32)
    attributes = np.empty((people, len(ATTRIBUTES)), np.int32)
    for block, start, stop in blocks(people, _BLOCK):
        # A whole block is drawn even where a part is used: sets of one seed are nested.
        drawn = np.random.default_rng([seed, block]).integers(CHOICES, size=(_BLOCK, len(CHOICES)))
        attributes[start:stop] = drawn[: stop - start]
    return Biographies(names, attributes, exponent, seed)


def _fact_block(
    names: Int32[np.ndarray, "people 3"],
    attributes: Int32[np.ndarray, "people 6"],
    frequency: Float64[np.ndarray, " people"],
) -> pa.RecordBatch:
    """The facts of a block of people; `frequency` is that of each of a person's facts."""
    people, each = attributes.shape
    label = np.tile(np.arange(each), people)
    rows = value_rows(attributes).ravel()
    keys, (values, value_length) = key_tokens(names), value_tokens()
    tokens = np.concatenate([keys.reshape(len(rows), -1), values[rows]], axis=1)
    key_length = np.full(len(rows), keys.shape[2], np.int32)
    length = key_length + value_length[rows]
    return record_batch(
        keys=join_pieces(np.column_stack([np.repeat(names, each, axis=0), label]), _KEY_TABLES),
        values=value_texts().take(pa.array(rows)),
        choices=np.tile(np.array(CHOICES, np.float64), people),
        frequency=np.repeat(frequency, each),
        flat_tokens=tokens[np.arange(tokens.shape[1]) < length[:, None]],
        length=length,
        key_length=key_length,
    )
