import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factcap.capacity.splitting import power_law_domains
from factcap.synth import BadInput, cities, domains
from factcap.synth.corpus import (
    city_domains,
    compose,
    document_domains,
    label,
    made_up,
    read_knowledge,
    relation_domains,
)
from tests.real_data import DATA, needs_data


@given(
    st.lists(st.integers(1, 12), min_size=1, max_size=4),
    st.integers(0, 8),
    st.floats(0, 2),
    st.integers(0, 3),
)
def test_sizes_frequencies_and_bits_are_as_asked(private, shared, exponent, rule_places):
    made = domains(
        private, shared, exponent=exponent, vocabulary=16, rule_places=rule_places, seed=3
    )
    assert len(made) == len(private)
    assert len(made.facts) == shared + sum(private)
    for number, size in enumerate(private):
        asks = made.asks(number)
        assert (made.asked[number] > 0).tolist() == asks.tolist()
        assert asks.sum() == shared + size
        wanted = np.arange(1.0, shared + size + 1) ** -exponent
        np.testing.assert_allclose(
            np.sort(made.asked[number][asks])[::-1], wanted / wanted.sum(), rtol=1e-9
        )
    assert made.facts.frequency.sum() == pytest.approx(1)
    assert len(np.unique(made.facts.tokens[:, :4], axis=0)) == len(made.facts)
    facts_bits = shared * 12.0
    for number in range(1, len(private)):
        rule = made.overlap_bits(0, number) - facts_bits
        assert -1e-9 <= rule <= rule_places * math.log2(math.factorial(16)) + 1e-9


def test_overlap_is_counted_by_brute_force():
    """All rules and all values, tried: the entropy of what each domain, and both, can see."""
    made = domains([1, 2], 1, vocabulary=3, key_length=2, value_length=1, rule_places=1, seed=1)
    first_key = made.facts.tokens[:, 0]
    seen = {name: set() for name in ("one", "other", "both")}
    from itertools import permutations, product

    for rule in permutations(range(3)):
        for values in product(range(3), repeat=4):
            content = [(rule[key], value) for key, value in zip(first_key, values, strict=True)]
            one = tuple(content[i] for i in np.flatnonzero(made.asks(0)))
            other = tuple(content[i] for i in np.flatnonzero(made.asks(1)))
            seen["one"].add(one)
            seen["other"].add(other)
            seen["both"].add((one, other))
    # all are equally likely, so that the entropy is the logarithm of their number
    bits = {name: math.log2(len(found)) for name, found in seen.items()}
    assert made.domain_bits(0) == pytest.approx(bits["one"])
    assert made.domain_bits(1) == pytest.approx(bits["other"])
    assert made.overlap_bits(0, 1) == pytest.approx(bits["one"] + bits["other"] - bits["both"])


def test_a_rule_that_both_show_whole_counts_whole():
    made = domains(400, 10, vocabulary=16, rule_places=2)
    rule = 2 * math.log2(math.factorial(16))
    assert made.overlap_bits(0, 1) == pytest.approx(10 * 12 + rule)


def test_the_rule_holds_in_all_domains():
    made = domains(50, 20, count=3, vocabulary=8, rule_places=2)
    tokens = made.facts.tokens
    for place in range(2):
        pairs = set(zip(tokens[:, place].tolist(), tokens[:, 4 + place].tolist(), strict=True))
        assert len({key for key, _ in pairs}) == len({value for _, value in pairs}) == len(pairs)


def test_frequencies_are_those_of_the_theory():
    made = domains(7, 3, count=4, exponent=1.3)
    np.testing.assert_allclose(made.asked, power_law_domains(4, 7, 3, 1.3), rtol=1e-12)


def test_views_draw_as_a_domain_asks():
    made = domains([4, 6], 2, weights=[1, 3])
    np.testing.assert_allclose(made.view().frequency, 0.25 * made.asked[0] + 0.75 * made.asked[1])
    alone = made.view(1)
    assert (alone.frequency > 0).tolist() == made.asks(1).tolist()
    mixed = made.view(1, replay=0.5).frequency
    np.testing.assert_allclose(mixed, 0.5 * alone.frequency + 0.5 * made.mixture)
    again = domains([4, 6], 2, weights=[1, 3], domain=1, replay=0.5).facts
    np.testing.assert_allclose(again.frequency, mixed)
    assert again.tokens.tolist() == made.facts.tokens.tolist()


def test_values_of_a_domain_do_not_depend_on_the_others():
    one, other = domains([5, 9], 2, seed=4).facts, domains([5, 2], 2, seed=4).facts
    assert one.tokens[:7, 4:].tolist() == other.tokens[:7, 4:].tolist()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"private": 0}, "every domain must ask for at least one fact"),
        ({"private": 2, "count": 0}, "there must be at least one domain"),
        ({"private": 2, "exponent": -1.0}, "exponent must be finite and >= 0"),
        ({"private": 2, "weights": [1]}, "weights must be 2 positive numbers"),
        ({"private": 2, "vocabulary": 1}, "vocabulary must be 2 to"),
        ({"private": 2, "rule_places": 5}, "rule_places must be 0 to key_length = 4"),
        ({"private": 2, "key_length": 0}, "key_length must be at least 1"),
        ({"private": 2, "value_length": 0}, "value_length must be at least 1"),
        ({"private": 9, "vocabulary": 2}, "2 tell 16 facts apart, not 18"),
        ({"private": 2, "domain": 2}, "there are domains 0 to 1, not 2"),
        ({"private": 2, "domain": 0, "replay": 1.5}, r"replay must lie in \[0, 1\]"),
        ({"private": 2, "seed": -1}, "seed must be >= 0"),
    ],
)
def test_bad_arguments_are_named(options, message):
    with pytest.raises(BadInput, match=message):
        domains(**options)


def test_documents_have_the_domain_of_their_relation():
    knowledge = made_up(40)
    corpus = compose(knowledge, documents=100)
    labels = document_domains(corpus)
    for document, domain in zip(corpus.documents, labels.domain, strict=True):
        assert labels.names[domain] == document.spans[0].relation
    sizes = np.bincount(relation_domains(knowledge).domain)
    assert sizes.tolist() == sorted(sizes.tolist(), reverse=True)


@needs_data
def test_relations_of_real_facts_are_domains():
    for name in ("P103", "P19", "P36"):
        assert (DATA / "pararel" / f"{name}.jsonl").is_file()
    knowledge = read_knowledge(DATA)
    labels = relation_domains(knowledge, most=3)
    assert len(labels.names) == 3
    for fact in range(0, len(knowledge), 97):
        domain = labels.domain[fact]
        assert domain == -1 or labels.names[domain] == knowledge.relations[fact]
    asked = labels.frequencies(knowledge.counts)
    np.testing.assert_allclose(asked.sum(axis=1), 1)
    assert not np.any((asked > 0).sum(axis=0) > 1)


def test_cities_have_the_domain_of_their_country():
    facts, labels = city_domains(500, most=4, seed=2)
    by_country = cities(500, attribute="country", seed=2)
    assert facts.keys.to_pylist() == by_country.keys.to_pylist()
    for domain, country in zip(labels.domain, by_country.values.to_pylist(), strict=True):
        assert domain == (labels.names.index(country) if country in labels.names else -1)


def test_there_must_be_enough_to_label():
    with pytest.raises(BadInput, match="there are 2 domains; ask for 1 to that many, not 3"):
        label(["a", "b"], most=3)
    with pytest.raises(BadInput, match="no item of a frequency above 0"):
        label(["a", "b"]).frequencies(np.array([1.0, 0.0]))
