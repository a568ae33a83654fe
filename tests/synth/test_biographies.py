import math
from itertools import pairwise

import numpy as np
import pytest

from factcap import cli
from factcap.synth import BIOGRAPHY_VOCABULARY, BadInput, biographies, load, tokenize_biographies
from factcap.synth.entropy import plug_in_entropy
from factcap.synth.generators.biographies import lists
from factcap.synth.generators.biographies.attributes import ATTRIBUTES, CHOICES, value_texts
from tests.synth.biography_checks import VALUES, assert_uniform, full_name


def test_lists_have_the_published_lengths():
    words = (lists.FIRST_NAMES, lists.MIDDLE_NAMES, lists.LAST_NAMES)
    assert [len(names) for names in words] == [400, 400, 1000]
    assert lists.NAMES == 160_000_000
    assert CHOICES == (12 * 28 * 200, 200, 300, 100, 263, 2)
    assert [len(values) for values in VALUES.values()] == list(CHOICES)
    assert biographies(1).entropy_bits == pytest.approx(47.592, abs=5e-4)


def test_all_words_and_values_can_be_told_apart():
    words = (*lists.FIRST_NAMES, *lists.MIDDLE_NAMES, *lists.LAST_NAMES, *lists.CITIES)
    assert len(set(words)) == len(words)
    assert all(word.isalpha() and word.istitle() for word in words)
    assert len(set(value_texts().to_pylist())) == sum(CHOICES)
    for values in VALUES.values():
        cut = sorted(value.split() for value in values)
        # Sorted, a value that begins another one stands right before such a one.
        assert not any(long[: len(short)] == short for short, long in pairwise(cut))


def test_every_city_has_an_employer_in_it():
    assert len(lists.EMPLOYER_CITIES) == 263
    assert set(lists.EMPLOYER_CITIES) == set(range(200))


def test_names_are_distinct():
    people = biographies(200_000, seed=4)
    assert len(np.unique(people.names, axis=0)) == 200_000
    assert np.all(people.names.max(axis=0) == (399, 399, 999))
    for place, choices in enumerate((400, 400, 1000)):
        assert_uniform(people.names[:, place], choices)


def test_facts_of_fewer_people_are_a_prefix():
    few, many = biographies(7, seed=2).facts(), biographies(16_400, seed=2).facts().prefix(42)
    longest = few.tokens.shape[1]
    np.testing.assert_array_equal(few.tokens, many.tokens[:, :longest])
    assert few.keys == many.keys
    assert few.values == many.values
    np.testing.assert_allclose(few.frequency, many.frequency)


def test_seeds_decide():
    one, same, other = (biographies(50, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one.names, same.names)
    assert one.texts("permuted", 3) == same.texts("permuted", 3)
    assert not np.array_equal(one.names, other.names)
    assert not np.array_equal(one.attributes, other.attributes)


def test_attributes_are_uniform_and_independent():
    codes = biographies(100_000).attributes
    for attribute, choices in enumerate(CHOICES):
        assert_uniform(codes[:, attribute], choices)
        for other in range(attribute):
            if choices * CHOICES[other] < 80_000:
                both = codes[:, attribute] * CHOICES[other] + codes[:, other]
                assert_uniform(both, choices * CHOICES[other])


def test_entropy_is_that_of_the_values_drawn():
    people = biographies(100_000, seed=3)
    estimate = 0.0
    for attribute, choices in enumerate(CHOICES):
        codes = people.attributes[:, attribute].astype(np.int64)
        parts = [codes]
        if choices == 67_200:
            parts = [codes % 28, codes // 28 % 12, codes // 336]
        for part in parts:
            plug_in = plug_in_entropy(part, np.zeros(len(part), np.int64))
            estimate += float(plug_in.bits[0] + plug_in.bias_bits[0])
    assert estimate == pytest.approx(people.entropy_bits, abs=0.002)
    facts = biographies(300).facts()
    assert facts.entropy_bits.sum() == pytest.approx(300 * people.entropy_bits)
    assert np.array_equal(facts.choices[:6], CHOICES)


@pytest.mark.parametrize("people", [1, 1000, 100_000])
def test_names_hold_the_stated_bits_up_to_the_stated_remainder(people):
    made = biographies(people)
    of_names = made.total_bits - people * made.entropy_bits
    log = math.lgamma(1.6e8 + 1) - math.lgamma(people + 1) - math.lgamma(1.6e8 - people + 1)
    exact = log / math.log(2)
    assert of_names - 1e-6 <= exact <= of_names + people * math.log2(math.e)


def test_facts_are_what_is_true_of_the_people():
    people = biographies(40, exponent=1.0, seed=5)
    facts = people.facts()
    assert len(facts) == 240
    for row in range(240):
        person, place = divmod(row, 6)
        name = full_name(people.names[person])
        assert facts.keys[row].as_py() == f"{name}, {ATTRIBUTES[place]}"
        value = VALUES[ATTRIBUTES[place]][people.attributes[person, place]]
        assert facts.values[row].as_py() == value
    frequency = facts.frequency.reshape(40, 6)
    assert np.all(frequency == frequency[:, :1])
    np.testing.assert_allclose(frequency.sum(axis=1), people.frequency)
    assert people.frequency[0] / people.frequency[9] == pytest.approx(10)


def test_tokens_of_facts_are_those_of_their_texts():
    facts = biographies(500, seed=1).facts()
    keys, values = (tokenize_biographies(texts).to_pylist() for texts in (facts.keys, facts.values))
    for row, (key, value) in enumerate(zip(keys, values, strict=True)):
        assert facts.tokens[row, : facts.length[row]].tolist() == key + value
        assert facts.key_length[row] == len(key) == 5
    assert facts.vocabulary_size < len(BIOGRAPHY_VOCABULARY)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: biographies(0), "ask for 1 to that many, not 0"),
        (lambda: biographies(160_000_001), "there are 160000000 names"),
        (lambda: biographies(5, exponent=-1.0), "exponent must be finite and >= 0, not -1"),
        (lambda: biographies(5, exponent=math.inf), "exponent must be finite and >= 0, not inf"),
        (lambda: biographies(5, seed=-1), "seed must be >= 0, not -1"),
    ],
)
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(BadInput, match=message):
        call()


def test_the_command_line_writes_them(tmp_path, capsys):
    words = ("--people", "1e2", "--out", str(tmp_path / "b.parquet"), "--exponent", "1")
    cli.parse(["generate", "biographies", *words]).run()
    assert "600 facts" in capsys.readouterr().out
    facts = load(tmp_path / "b.parquet")
    expected = biographies(100, exponent=1.0).facts()
    np.testing.assert_array_equal(facts.tokens, expected.tokens)
    np.testing.assert_array_equal(facts.frequency, expected.frequency)
    assert facts.origin == expected.origin
