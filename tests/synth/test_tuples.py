import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factcap import cli
from factcap.synth import BadInput, load, tuples, tuples_bits, tuples_stream
from factcap.synth.entropy import plug_in_entropy
from factcap.synth.generators.tuples import distinct_strings


def values_of(facts, attributes):
    """Value tokens, people by attributes by tokens."""
    values = facts.tokens[:, facts.key_length[0] :]
    return values.reshape(-1, attributes, values.shape[1])


@given(
    small=st.integers(1, 200),
    more=st.integers(0, 40_000),
    attributes=st.integers(1, 5),
    chunks=st.integers(1, 3),
    seed=st.integers(0, 5),
)
@settings(deadline=None, max_examples=8)
def test_fewer_people_are_a_prefix_of_more(small, more, attributes, chunks, seed):
    few, many = (
        tuples(people, attributes=attributes, chunks=chunks, seed=seed)
        for people in (small, small + more)
    )
    facts = small * attributes
    np.testing.assert_array_equal(few.tokens, many.tokens[:facts])
    assert few.keys == many.keys[:facts]
    assert few.values == many.values[:facts]


def test_seeds_decide():
    one, same, other = (tuples(50, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one.tokens, same.tokens)
    assert not np.array_equal(one.tokens, other.tokens)


@pytest.mark.parametrize(("names", "vocabulary", "places"), [(125, 5, 3), (126, 5, 4), (1, 2, 1)])
def test_all_names_can_be_asked_for_and_differ(names, vocabulary, places):
    facts = tuples(
        names, names=names, attributes=2, diversity=2, length=1, vocabulary=vocabulary, seed=3
    )
    assert np.all(facts.key_length == places + 1)
    assert len(np.unique(facts.tokens[:, : places + 1], axis=0)) == 2 * names
    assert len(set(facts.keys.to_pylist())) == 2 * names
    number = facts.tokens[::2, :places] @ vocabulary ** np.arange(places)
    assert sorted(number) == list(range(names))
    assert facts.tokens[:, places].tolist() == [vocabulary, vocabulary + 1] * names


@pytest.mark.parametrize(
    ("chunks", "diversity", "length", "vocabulary"),
    [(1, 16, 3, 10), (3, 4, 2, 2), (2, 5, 40, 1000), (4, 1, 2, 3)],
)
def test_values_are_chunks_of_the_diversity_sets(chunks, diversity, length, vocabulary):
    facts = tuples(
        2000,
        attributes=3,
        chunks=chunks,
        diversity=diversity,
        length=length,
        vocabulary=vocabulary,
    )
    assert np.all(facts.choices == diversity**chunks)
    assert facts.vocabulary_size == vocabulary + 3
    values = values_of(facts, 3)
    assert values.shape == (2000, 3, chunks * length)
    sets = []
    for attribute in range(3):
        strings = values[:, attribute].reshape(2000 * chunks, length)
        different, counts = np.unique(strings, axis=0, return_counts=True)
        assert len(different) == diversity
        expected = 2000 * chunks / diversity
        # Chi-square: its mean is diversity - 1, its variance twice that.
        statistic = np.sum((counts - expected) ** 2 / expected)
        assert statistic < diversity - 1 + 5 * math.sqrt(2 * diversity)
        sets.append(different)
    if diversity < vocabulary**length and diversity > 1:
        assert not np.array_equal(sets[0], sets[1])


def test_chunks_are_independent():
    facts = tuples(40_000, attributes=1, chunks=2, diversity=6, length=2, vocabulary=50)
    values = values_of(facts, 1)[:, 0].astype(np.int64) @ 50 ** np.arange(4)
    estimate = plug_in_entropy(values, np.zeros(len(values), np.int64))
    assert estimate.different[0] == 36 == facts.choices[0]
    assert estimate.bits[0] + estimate.bias_bits[0] == pytest.approx(math.log2(36), abs=0.001)


def test_attributes_of_a_person_are_independent():
    facts = tuples(40_000, attributes=2, chunks=1, diversity=6, length=1, vocabulary=20)
    pairs = values_of(facts, 2)[:, :, 0].astype(np.int64) @ [1, 20]
    estimate = plug_in_entropy(pairs, np.zeros(len(pairs), np.int64))
    assert estimate.bits[0] + estimate.bias_bits[0] == pytest.approx(2 * math.log2(6), abs=0.001)


@pytest.mark.parametrize("strings", [1, 2, 4, 5, 8])
def test_every_set_of_strings_is_equally_likely(strings):
    counts = np.zeros(256)
    draws = 30 * math.comb(8, strings)
    for seed in range(draws):
        drawn = distinct_strings(np.random.default_rng(seed), strings, 3, 2)
        numbers = {4 * a + 2 * b + c for a, b, c in drawn.tolist()}
        assert len(numbers) == strings
        counts[sum(1 << number for number in numbers)] += 1
    sets = math.comb(8, strings)
    assert np.count_nonzero(counts) == sets
    statistic = np.sum((counts[counts > 0] - 30) ** 2 / 30)
    assert statistic <= sets - 1 + 5 * math.sqrt(2 * sets)


def test_strings_may_be_drawn_from_very_many_or_be_all():
    rng = np.random.default_rng(0)
    assert distinct_strings(rng, 1000, 500, 2**31 - 1).max() > 2**30
    everything = distinct_strings(rng, 3**5, 5, 3)
    assert len(np.unique(everything, axis=0)) == 3**5


def test_the_text_is_that_of_the_tokens():
    facts = tuples(3, attributes=2, diversity=4, length=2, vocabulary=10, names=1000)
    for row in range(6):
        tokens = "".join(map(str, facts.tokens[row]))
        assert facts.keys[row].as_py() == f"{tokens[:3]} {row % 2}"
        assert facts.values[row].as_py() == tokens[-2:]


def test_frequency_is_equal_within_a_person():
    frequency = tuples(30_000, exponent=1.2).frequency.reshape(-1, 4)
    assert np.all(frequency == frequency[:, :1])
    rank = np.arange(1, 30_001.0)
    expected = rank**-1.2 / np.sum(rank**-1.2)
    np.testing.assert_allclose(frequency.sum(axis=1), expected, rtol=1e-12)


def test_blocks_together_are_the_set():
    stream = tuples_stream(60_000, attributes=3)
    assert len(list(stream.blocks())) > 1
    assert sum(block.num_rows for block in stream.blocks()) == stream.facts == 180_000


@given(
    people=st.integers(1, 5000),
    attributes=st.integers(1, 6),
    chunks=st.integers(1, 4),
    diversity=st.integers(1, 100),
    length=st.integers(2, 4),
    vocabulary=st.integers(10, 60),
)
def test_bits_are_those_of_the_counts_up_to_the_stated_remainder(
    people, attributes, chunks, diversity, length, vocabulary
):
    stated = tuples_bits(
        people,
        attributes=attributes,
        chunks=chunks,
        diversity=diversity,
        length=length,
        vocabulary=vocabulary,
        names=10**6,
    )
    exact = (
        math.log2(math.comb(10**6, people))
        + attributes * math.log2(math.comb(vocabulary**length, diversity))
        + math.log2(diversity) * people * attributes * chunks
    )
    most = (people + attributes * diversity) * math.log2(math.e)
    assert stated - 1e-6 <= exact <= stated + most


def test_bits_of_values_are_the_entropy_of_the_facts():
    facts = tuples(500, chunks=3, diversity=10)
    without = tuples_bits(500, chunks=3, diversity=10) - float(facts.entropy_bits.sum())
    sets_and_names = 500 * math.log2(2**30 / 500) + 4 * 10 * math.log2(64**2 / 10)
    assert without == pytest.approx(sets_and_names)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"people": 0}, "ask for 1 to that many, not 0"),
        ({"people": 11, "names": 10}, "there are 10 names; ask for 1 to that many, not 11"),
        ({"names": 2**62 + 1}, r"names must be 1 to 2\^62"),
        ({"attributes": 0}, "attributes must be at least 1, not 0"),
        ({"chunks": 0}, "chunks must be at least 1, not 0"),
        ({"length": 0}, "length must be at least 1, not 0"),
        ({"vocabulary": 1}, "vocabulary must be at least 2, not 1"),
        ({"vocabulary": 2**31}, r"must be 2\^31 or less together"),
        ({"diversity": 0}, "diversity must be 1 to that many, not 0"),
        ({"diversity": 9, "vocabulary": 2, "length": 3}, "there are 8 strings of 3 tokens of 2"),
        ({"chunks": 171}, "171 chunks of 64 has 1023 bits or more"),
    ],
)
@pytest.mark.parametrize("function", [tuples_stream, tuples_bits])
def test_bad_arguments_are_refused(function, arguments, message):
    with pytest.raises(BadInput, match=message):
        function(**{"people": 5, **arguments})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"seed": -1}, "seed must be >= 0, not -1"), ({"exponent": -1.0}, "exponent must be finite")],
)
def test_bad_draws_are_refused(arguments, message):
    with pytest.raises(BadInput, match=message):
        tuples_stream(5, **arguments)


def test_the_command_line_writes_them(tmp_path, capsys):
    words = ["--people", "1e2", "--out", str(tmp_path / "t.parquet"), "--attributes", "3"]
    words += ["--chunks", "2", "--diversity", "1e1", "--length", "3", "--vocabulary", "20"]
    words += ["--names", "1e4", "--exponent", "1", "--seed", "7"]
    cli.parse(["generate", "tuples", *words]).run()
    assert "300 facts" in capsys.readouterr().out
    facts = load(tmp_path / "t.parquet")
    expected = tuples(
        100,
        attributes=3,
        chunks=2,
        diversity=10,
        length=3,
        vocabulary=20,
        names=10**4,
        exponent=1.0,
        seed=7,
    )
    np.testing.assert_array_equal(facts.tokens, expected.tokens)
    assert facts.origin == expected.origin
