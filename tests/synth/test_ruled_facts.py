import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factcap.synth import AliasTable, BadInput, load, ruled_facts, write
from factcap.synth.generators.ruled_facts import draw_rule

SYMBOLS = 16


def features_of(drawn, symbols=SYMBOLS):
    """Number of each feature of each key, from its tokens."""
    places = drawn.rule_values.shape[1]
    ids = drawn.facts.tokens[:, -2 * places : -places]
    found = ids - symbols * (2 + np.arange(places))
    assert found.min() >= 0
    assert found.max() < symbols
    return found


def values_of(drawn):
    return drawn.facts.tokens[:, -drawn.rule_values.shape[1] :]


@given(facts=st.integers(1, 300), epsilon=st.floats(0, 1), fresh=st.integers(0, 50))
@settings(deadline=None, max_examples=40)
def test_the_share_of_exceptions_is_exact_in_every_prefix(facts, epsilon, fresh):
    drawn = ruled_facts(facts, epsilon, fresh=fresh)
    counts = np.cumsum(drawn.is_exception[:facts])
    assert np.all(np.abs(counts - epsilon * np.arange(1, facts + 1)) <= 0.5 + 1e-9)
    assert not drawn.is_exception[facts:].any()
    assert drawn.follows_rule[~drawn.is_exception].all()
    assert np.array_equal(drawn.is_fresh, np.arange(facts + fresh) >= facts)


def test_all_and_none():
    assert ruled_facts(100, 1.0).is_exception.all()
    none = ruled_facts(100, 0.0)
    assert not none.is_exception.any()
    assert np.all(none.surprise_bits == 0)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_a_value_token_is_a_function_of_so_many_features(order):
    drawn = ruled_facts(20_000, 0.1, order=order, symbols=5, identity=8, seed=2)
    features, values = features_of(drawn, 5), values_of(drawn)
    keeps = ~drawn.is_exception
    for place in range(3):
        read = [(place + further) % 3 for further in range(order)]
        table = {}
        for key, value in zip(features[keeps][:, read], values[keeps, place], strict=True):
            assert table.setdefault(tuple(key), value) == value
        assert len(table) == 5**order
        # the others fixed, it is a permutation of its own feature
        for others in itertools.product(range(5), repeat=order - 1):
            assert {int(table[own, *others]) for own in range(5)} == set(range(5))


def test_a_rule_is_made_of_independent_permutations():
    rule = draw_rule(np.random.default_rng(0), 200, 3, 2).reshape(600, 3)
    np.testing.assert_array_equal(np.sort(rule, axis=1), np.broadcast_to(np.arange(3), (600, 3)))
    _, counts = np.unique(rule, axis=0, return_counts=True)
    # chi-square of 5 degrees of freedom: mean 5, standard deviation 3.2
    assert len(counts) == 6
    assert np.sum((counts - 100) ** 2 / 100) < 5 + 4 * 3.2


def test_exceptions_are_uniform_and_know_neither_key_nor_rule():
    drawn = ruled_facts(60_000, 0.5, features=1, symbols=4, identity=10, seed=5)
    exceptions = drawn.is_exception
    values, rule = values_of(drawn)[exceptions, 0], drawn.rule_values[exceptions, 0]
    joint = np.zeros((4, 4))
    np.add.at(joint, (values, rule), 1)
    expected = len(values) / 16
    # chi-square of 15 degrees of freedom: mean 15, standard deviation 5.5
    assert np.sum((joint - expected) ** 2 / expected) < 15 + 4 * 5.5
    # what the rule gives by chance
    share = drawn.follows_rule[exceptions].mean()
    assert abs(share - 1 / 4) < 4 * math.sqrt(3 / 16 / len(values))


def test_who_knows_the_rule_alone_has_the_stated_accuracy_and_bits():
    facts, epsilon, choices = 40_000, 0.3, 9.0
    drawn = ruled_facts(facts, epsilon, features=2, symbols=3, identity=11, seed=1)
    assert drawn.value_choices == choices
    accuracy = drawn.follows_rule.mean()
    expected = 1 - epsilon * (1 - 1 / choices)
    assert abs(accuracy - expected) < 4 * math.sqrt(epsilon * 8 / 81 / facts)
    # the probabilities of all values sum to 1, and the bits are those of the distribution
    bits = np.unique(drawn.surprise_bits)[[0, -1]]
    assert 2 ** -bits[0] + (choices - 1) * 2 ** -bits[1] == pytest.approx(1)
    off = epsilon * (1 - 1 / choices)
    entropy = -off * math.log2(off / (choices - 1)) - (1 - off) * math.log2(1 - off)
    assert drawn.surprise_bits.mean() == pytest.approx(entropy, rel=0.01)


def test_choices_are_those_left_to_one_who_knows_rule_and_exceptions():
    drawn = ruled_facts(500, 0.2, fresh=50)
    assert np.all(drawn.facts.choices[drawn.is_exception] == SYMBOLS**3)
    assert np.all(drawn.facts.choices[~drawn.is_exception] == 1)
    assert drawn.facts.entropy_bits.sum() == pytest.approx(0.2 * 500 * 12)
    assert drawn.rule_bits == pytest.approx(3 * math.log2(math.factorial(16)))
    harder = ruled_facts(500, 0.2, order=2, features=4, symbols=3, identity=9)
    assert harder.rule_bits == pytest.approx(4 * 3 * math.log2(6))


def test_fresh_keys_are_new_and_never_drawn():
    drawn = ruled_facts(3000, 0.2, fresh=1000, identity=3, symbols=16)
    facts, fresh = drawn.facts, drawn.is_fresh
    assert len(np.unique(facts.tokens[:, :3], axis=0)) == 4000
    assert len(set(facts.keys.to_pylist())) == 4000
    assert facts.frequency[~fresh] == pytest.approx(1 / 3000)
    assert np.all(AliasTable.build(facts.frequency).probabilities()[fresh] == 0)
    # of one distribution with the others: every feature is uniform
    for keys in (features_of(drawn)[fresh], features_of(drawn)[~fresh]):
        for place in range(3):
            counts = np.bincount(keys[:, place], minlength=SYMBOLS)
            expected = len(keys) / SYMBOLS
            assert np.sum((counts - expected) ** 2 / expected) < 15 + 4 * 5.5


def test_fewer_facts_are_a_prefix_and_seeds_decide():
    few, many = ruled_facts(50, 0.3, seed=4), ruled_facts(80, 0.3, fresh=7, seed=4)
    assert np.array_equal(few.facts.tokens, many.facts.tokens[:50])
    assert np.array_equal(few.is_exception, many.is_exception[:50])
    assert few.facts.keys == many.facts.keys[:50]
    other = ruled_facts(50, 0.3, seed=5)
    assert not np.array_equal(few.rule_values, other.rule_values)
    assert not np.array_equal(few.facts.tokens[:, :5], other.facts.tokens[:, :5])


def test_a_file_keeps_all(tmp_path):
    facts = ruled_facts(40, 0.25, fresh=10).facts
    write(facts, tmp_path / "ruled.parquet")
    again = load(tmp_path / "ruled.parquet")
    assert np.array_equal(again.tokens, facts.tokens)
    assert np.array_equal(again.choices, facts.choices)
    assert np.array_equal(again.frequency, facts.frequency)
    assert again.origin == facts.origin


@pytest.mark.parametrize(
    ("facts", "epsilon", "more", "message"),
    [
        (0, 0.1, {}, "facts must be at least 1, not 0"),
        (5, 1.5, {}, r"epsilon must lie in \[0, 1\], not 1.5"),
        (5, math.nan, {}, r"epsilon must lie in \[0, 1\], not nan"),
        (5, 0.1, {"fresh": -1}, "fresh must be at least 0, not -1"),
        (5, 0.1, {"features": 0}, "features must be at least 1, not 0"),
        (5, 0.1, {"symbols": 1}, "symbols must be at least 2, not 1"),
        (5, 0.1, {"order": 4}, "order must be 1 to features = 3, not 4"),
        (5, 0.1, {"identity": 0}, "identity must be at least 1, not 0"),
        (5, 0.1, {"seed": -1}, "seed must be >= 0, not -1"),
        (200, 0.1, {"fresh": 57, "identity": 2}, "tell 256 keys apart"),
        (5, 0.1, {"features": 300}, "too many"),
        (5, 0.1, {"features": 8, "order": 8}, "more than 2\\^28 entries"),
    ],
)
def test_bad_arguments_are_named(facts, epsilon, more, message):
    with pytest.raises(BadInput, match=message):
        ruled_facts(facts, epsilon, **more)


def test_as_many_identities_as_there_are_and_very_many():
    assert len(np.unique(ruled_facts(250, 0.1, fresh=6, identity=2).facts.tokens, axis=0)) == 256
    wide = ruled_facts(100, 0.1, identity=70)
    assert len(np.unique(wide.facts.tokens[:, :70], axis=0)) == 100
