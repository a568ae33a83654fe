from collections import Counter

import numpy as np
import pytest

from factcap.synth.corpus import (
    Document,
    compose,
    find_marks,
    learn_vocabulary,
    made_up,
    marked_groups,
    read_knowledge,
    single_documents,
    tokenize,
    unmarked_groups,
)
from factcap.synth.corpus.documents import Span
from tests.real_data import DATA, needs_data


@pytest.fixture(scope="module")
def people():
    return compose(made_up(150), documents=900, facts=300, seed=3).documents


def facts_of(document):
    return {(span.entity, span.value) for span in document.spans}


def right(documents):
    found = find_marks(documents)
    return np.mean(
        [facts_of(one) == facts_of(two) for one, two in zip(found, documents, strict=True)]
    )


def test_marks_that_were_taken_away_are_found_again(people):
    bare = [Document(document.id, document.text) for document in people]
    found = find_marks(bare)
    assert [document.text for document in found] == [document.text for document in people]
    assert found == find_marks(people)
    for one, two in zip(found, people, strict=True):
        [mark], [truth] = one.spans, two.spans
        assert (mark.entity, mark.value) == (truth.entity, truth.value)
        assert (mark.start, mark.end) == (truth.start, truth.end)
    named = {
        (one.spans[0].relation, two.spans[0].relation)
        for one, two in zip(found, people, strict=True)
    }
    assert len(named) == 2
    for name, truth in named:
        assert ("stud" in name or "degree" in name or "field" in name) == (truth == "field")
        assert name.count("[X]") == name.count("[Y]") == 1


def test_groups_are_those_of_the_marks(people):
    tokenized = tokenize(people, learn_vocabulary(people, 300))
    found, marked = unmarked_groups(tokenized, seed=1), marked_groups(tokenized, seed=1)
    assert found.entropies is not None
    assert marked.entropies is not None
    pairs = set(
        zip(found.group_of_document.tolist(), marked.group_of_document.tolist(), strict=True)
    )
    assert len(pairs) == len(found) == len(marked)
    for one, other in pairs:
        assert found.entropies[one] == pytest.approx(marked.entropies[other])
    np.testing.assert_array_equal(found.rows.tokens, marked.rows.tokens)
    np.testing.assert_array_equal(found.rows.key_length, marked.rows.key_length)


@pytest.mark.parametrize(
    "towns",
    [["Rome", "Bonn", "Lima", "Oslo"], ["Malmö", "Łódź", "Tomé", "Москва"], ["USA", "GB", "A1"]],
)
def test_a_document_tells_a_fact_in_each_of_its_sentences(towns):
    names = [f"{one}{two}" for one in "BDFGKLM" for two in ("o", "al", "ea", "i")]
    trades = ["poet", "judge", "cook"]
    documents = [
        Document(
            name,
            f"{name} was born in {towns[i % len(towns)]}. What does {name} do? {trades[i % 3]}!\n"
            f"It is said so. {trades[i % 3].capitalize()} is the trade of {name}.",
        )
        for i, name in enumerate(names)
    ]
    for i, document in enumerate(find_marks(documents)):
        trade = trades[i % 3]
        assert [(span.entity, span.value) for span in document.spans] == [
            (document.id, towns[i % len(towns)]),
            (document.id, trade),
            (document.id, trade.capitalize()),
        ]
        assert document.spans[0].relation == "[X] was born in [Y]."
        assert document.spans[2].relation == "[Y] is the trade of [X]."


def test_a_pronoun_tells_nothing_and_what_is_always_said_is_no_value():
    rng = np.random.default_rng(0)
    names = [f"{one}{two}" for one in "BDFGKLM" for two in ("o", "al", "ea", "i")]
    towns = ["Rome", "Bonn", "Lima", "Oslo"]
    documents = [
        Document(
            name,
            f"{name} is a person of note. {('He', 'She')[rng.integers(2)]} was born in "
            f"{towns[rng.integers(4)]}. The town where {name} works is {towns[i % 4]}.",
        )
        for i, name in enumerate(names)
    ]
    for i, document in enumerate(find_marks(documents)):
        assert (document.id, towns[i % 4]) in facts_of(document)
        assert all(entity == document.id for entity, _ in facts_of(document))


def test_where_no_sentence_is_like_others_each_document_is_alone():
    rng = np.random.default_rng(0)
    documents = [
        Document(f"{row}", " ".join(f"w{n}" for n in rng.integers(200, size=9)) + ".")
        for row in range(40)
    ]
    documents[0] = Document("0", "Bo is from Rome.", (Span("Bo", "home", "Rome", 11, 15),))
    assert all(not document.spans for document in find_marks(documents))
    tokenized = tokenize(documents, learn_vocabulary(documents, 60))
    groups, alone = unmarked_groups(tokenized), single_documents(tokenized)
    assert groups.entropies is None
    np.testing.assert_array_equal(groups.group_of_document, alone.group_of_document)


@needs_data
def test_marks_of_real_facts_are_found_again():
    for most_alike in (10, None):
        corpus = compose(
            read_knowledge(DATA),
            documents=2000,
            facts=500,
            longest=28,
            most_alike=most_alike,
            seed=20,
        )
        assert right(corpus.documents) > 0.9
    relations = Counter(span.relation for one in find_marks(corpus.documents) for span in one.spans)
    assert max(relations.values()) > 300
