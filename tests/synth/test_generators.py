import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factcap.synth import BadInput, bitstrings, bitstrings_stream, phonebook, phonebook_stream
from factcap.synth.generators.names import NAMES, name_pieces
from factcap.synth.generators.permutation import permute


@pytest.mark.parametrize("make", [phonebook, bitstrings])
@given(small=st.integers(1, 300), more=st.integers(0, 20_000), seed=st.integers(0, 5))
@settings(deadline=None, max_examples=8)
def test_a_small_set_is_a_prefix_of_a_larger_one(make, small, more, seed):
    few, many = make(small, seed=seed), make(small + more, seed=seed)
    np.testing.assert_array_equal(few.tokens, many.tokens[:small])
    assert few.keys.to_pylist() == many.keys[:small].to_pylist()
    assert few.values.to_pylist() == many.values[:small].to_pylist()


@pytest.mark.parametrize("make", [phonebook, bitstrings])
def test_seeds_decide(make):
    assert np.array_equal(make(50, seed=1).tokens, make(50, seed=1).tokens)
    assert not np.array_equal(make(50, seed=1).tokens, make(50, seed=2).tokens)


def test_names_are_distinct_and_look_like_names():
    facts = phonebook(200_000)
    keys = facts.keys.to_pylist()
    assert len(set(keys)) == 200_000
    assert all(re.fullmatch(r"[A-Z][a-z]+ [A-Z][a-z]+", key) for key in keys[:1000])
    # All 2^30 differ: the pieces of different numbers differ, and so do the texts of a place.
    ends = name_pieces(np.array([0, NAMES - 1]))
    assert np.all(ends[0] != ends[1])


@pytest.mark.parametrize("size", [1, 2, 3, 10, 100, 1000, 4096])
def test_permutations_are_bijections(size):
    for seed in range(3):
        assert sorted(permute(np.arange(size), size, seed)) == list(range(size))


def test_digits_are_uniform_and_the_text_is_that_of_the_tokens():
    facts = phonebook(30_000, digits=4)
    digits = facts.tokens[:, 5:]
    for place in range(4):
        counts = np.bincount(digits[:, place], minlength=10)
        # Chi-square with 9 degrees of freedom: mean 9, standard deviation 4.2.
        assert np.sum((counts - 3000) ** 2 / 3000) < 9 + 5 * 4.3
    texts = ["".join(map(str, row)) for row in digits[:100]]
    assert texts == facts.values[:100].to_pylist()
    assert np.all(facts.choices == 10_000)


@pytest.mark.parametrize(("vocabulary", "length"), [(2, 6), (3, 4), (5, 3)])
def test_bitstrings_reach_every_value_and_count_them(vocabulary, length):
    key_length = 2
    facts = bitstrings(vocabulary**2, vocabulary=vocabulary, length=length, key_length=key_length)
    assert len(set(facts.keys.to_pylist())) == vocabulary**2
    values = set()
    for seed in range(200):
        made = bitstrings(4, vocabulary=vocabulary, length=length, key_length=2, seed=seed)
        values |= set(made.values.to_pylist())
    assert len(values) == facts.choices[0] == vocabulary ** (length - key_length)


def test_bitstrings_without_a_key_say_so():
    facts = bitstrings(10, key_length=0)
    assert np.all(facts.key_length == 0)
    assert facts.entropy_bits[0] == 704
    assert any("recall is not defined" in note for note in facts.origin.notes)


def test_frequencies_of_a_stream_are_those_of_the_set():
    stream = phonebook_stream(70_000, exponent=1.1)
    parts = [block.column("frequency").to_numpy() for block in stream.blocks()]
    assert len(parts) > 1
    rank = np.arange(1, 70_001.0)
    expected = rank**-1.1 / np.sum(rank**-1.1)
    np.testing.assert_allclose(np.concatenate(parts), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: phonebook_stream(0), "ask for 1 to that many, not 0"),
        (lambda: phonebook_stream(2**31), "there are 1073741824 names"),
        (lambda: phonebook_stream(5, digits=0), "digits must be 1 to 300, not 0"),
        (lambda: phonebook_stream(5, exponent=-1.0), "exponent must be finite and >= 0, not -1"),
        (lambda: phonebook_stream(5, seed=-1), "seed must be >= 0"),
        (lambda: bitstrings_stream(5, vocabulary=2, length=4), "tell 4 facts apart"),
        (lambda: bitstrings_stream(5, length=200), "1023 bits or more"),
        (lambda: bitstrings_stream(5, vocabulary=1), "vocabulary must be 2 to"),
        (lambda: bitstrings_stream(5, length=4, key_length=4), "key_length must be 0 to 3"),
    ],
)
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(BadInput, match=message):
        call()
