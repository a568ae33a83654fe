"""`factcap generate`: write a fact set."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, subcommand

from factcap.commands.generate_domains import Domains
from factcap.commands.terminal import Count, write_facts


@dataclass(frozen=True)
class Phonebook:
    """Made-up person names and uniformly random numbers."""

    facts: Count
    """Number of facts."""
    out: Path
    """The Parquet file to write."""
    digits: int = 7
    """Digits of a number; its entropy is digits x log2(10) bits."""
    exponent: float = 0.0
    """Frequency of the fact of rank i is proportional to i^-exponent."""
    seed: int = 0
    """The same seed gives the same facts; more facts only add to them."""
    json: bool = False
    """Print JSON."""

    def run(self) -> None:
        """Write the file, block by block."""
        from factcap.synth import phonebook_stream

        write_facts(
            phonebook_stream(
                self.facts, digits=self.digits, exponent=self.exponent, seed=self.seed
            ),
            self.out,
            self.json,
        )


@dataclass(frozen=True)
class Bitstrings:
    """Uniformly random token sequences."""

    facts: Count
    """Number of facts."""
    out: Path
    """The Parquet file to write."""
    vocabulary: Count = 2048
    """Number of token ids."""
    length: int = 64
    """Tokens of a sequence, its key included."""
    key_length: int | None = None
    """Tokens that serve as the key; by default enough for 4 billion distinct ones. 0: no key, as
    in Morris et al. 2025; recall is then not defined, stored bits are."""
    exponent: float = 0.0
    """Frequency of the fact of rank i is proportional to i^-exponent."""
    seed: int = 0
    """The same seed gives the same facts; more facts only add to them."""
    json: bool = False
    """Print JSON."""

    def run(self) -> None:
        """Write the file, block by block."""
        from factcap.synth import bitstrings_stream

        stream = bitstrings_stream(
            self.facts,
            vocabulary=self.vocabulary,
            length=self.length,
            key_length=self.key_length,
            exponent=self.exponent,
            seed=self.seed,
        )
        write_facts(stream, self.out, self.json)


@dataclass(frozen=True)
class Biographies:
    """Made-up people and their birthdate, birthplace, university, major, employer and pronoun.

    The set bioS of Allen-Zhu and Li 2024: 47.6 bits a person besides the name, in six facts.
    """

    people: Count
    """Number of people."""
    out: Path
    """The Parquet file to write."""
    exponent: float = 0.0
    """Frequency of the person of rank i is proportional to i^-exponent."""
    seed: int = 0
    """The same seed gives the same people; more people only add to them."""
    json: bool = False
    """Print JSON."""

    def run(self) -> None:
        """Write the file, block by block."""
        from factcap.synth import biographies

        people = biographies(self.people, exponent=self.exponent, seed=self.seed)
        write_facts(people.facts_stream(), self.out, self.json)


@dataclass(frozen=True)
class Tuples:
    """Random tuples of name, attribute and value.

    The set bioD of Allen-Zhu and Li 2024: a value is a sequence of chunks, each uniform in the
    attribute's diversity set of distinct strings.
    """

    people: Count
    """Number of people."""
    out: Path
    """The Parquet file to write."""
    attributes: int = 4
    """Attributes of a person; each is a fact."""
    chunks: int = 1
    """Chunks of a value; its entropy is chunks x log2(diversity) bits."""
    diversity: Count = 64
    """Distinct strings that the chunks of an attribute are drawn from."""
    length: int = 2
    """Tokens of a chunk."""
    vocabulary: Count = 64
    """Tokens that names and chunks are made of."""
    names: Count = 2**30
    """Names that people's are drawn from."""
    exponent: float = 0.0
    """Frequency of the person of rank i is proportional to i^-exponent."""
    seed: int = 0
    """The same seed gives the same facts; more people only add to them."""
    json: bool = False
    """Print JSON."""

    def run(self) -> None:
        """Write the file, block by block."""
        from factcap.synth import tuples_stream

        stream = tuples_stream(
            self.people,
            attributes=self.attributes,
            chunks=self.chunks,
            diversity=self.diversity,
            length=self.length,
            vocabulary=self.vocabulary,
            names=self.names,
            exponent=self.exponent,
            seed=self.seed,
        )
        write_facts(stream, self.out, self.json)


@dataclass(frozen=True)
class Cities:
    """Real city names and populations, with a random code or the real country as value."""

    out: Path
    """The Parquet file to write."""
    facts: Count | None = None
    """Number of facts; all cities by default."""
    attribute: Literal["code", "country"] = "code"
    """What is asked of a city."""
    frequency: Literal["population", "uniform", "power_law"] | None = None
    """How often a city occurs; by default its population, or a power law where --exponent is
    given."""
    exponent: float | None = None
    """Exponent of the power law."""
    seed: int = 0
    """The same seed gives the same facts; more facts only add to them."""
    json: bool = False
    """Print JSON."""

    def run(self) -> None:
        """Write the file."""
        from factcap.synth import cities

        power_law = self.exponent is not None
        facts = cities(
            self.facts,
            attribute=self.attribute,
            frequency=self.frequency or ("power_law" if power_law else "population"),
            exponent=self.exponent or 0.0,
            seed=self.seed,
        )
        write_facts(facts, self.out, self.json)


@dataclass(frozen=True)
class Triples:
    """Your own facts: subject, relation, object and count from CSV, JSONL or Parquet."""

    files: Positional[tuple[Path, ...]]
    """Files, or folders of them. Without a relation column the file's name is the relation."""
    out: Path
    """The Parquet file to write."""
    facts: Count | None = None
    """Take the first of the facts only."""
    exponent: float | None = None
    """Replace the counts by a power law in the order of the facts."""
    seed: int | None = None
    """Shuffle the facts; by default they keep the order of the files."""
    subject: str | None = None
    """Column of the subjects; usual names are found without."""
    relation: str | None = None
    """Column of the relations."""
    object: str | None = None
    """Column of the objects, or several separated by commas, each then a relation of its own."""
    count: str | None = None
    """Column of the counts."""
    level: Literal["word", "character"] = "word"
    """What a token is."""
    json: bool = False
    """Print JSON."""

    def run(self) -> None:
        """Read the facts and write the file."""
        from factcap.synth import power_law, triples

        objects = self.object
        facts = triples(
            self.files,
            subject=self.subject,
            relation=self.relation,
            object=tuple(objects.split(",")) if objects and "," in objects else objects,
            count=self.count,
            level=self.level,
            facts=self.facts,
            seed=self.seed,
        )
        if self.exponent is not None:
            facts = replace(facts, frequency=power_law(len(facts), self.exponent))
        write_facts(facts, self.out, self.json)


@dataclass(frozen=True)
class Generate:
    """Generate a fact set and write it as Parquet."""

    kind: (
        Annotated[Phonebook, subcommand("phonebook", prefix_name=False)]
        | Annotated[Bitstrings, subcommand("bitstrings", prefix_name=False)]
        | Annotated[Biographies, subcommand("biographies", prefix_name=False)]
        | Annotated[Tuples, subcommand("tuples", prefix_name=False)]
        | Annotated[Cities, subcommand("cities", prefix_name=False)]
        | Annotated[Domains, subcommand("domains", prefix_name=False)]
        | Annotated[Triples, subcommand("triples", prefix_name=False)]
    )

    def run(self) -> None:
        """Run the generator."""
        self.kind.run()
