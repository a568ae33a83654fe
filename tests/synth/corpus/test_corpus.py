import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factcap.synth import BadInput
from factcap.synth.corpus import (
    Template,
    compose,
    document_facts,
    learn_byte_pairs,
    learn_vocabulary,
    prompt_facts,
    questions,
    read_knowledge,
    span_facts,
    tokenize,
)
from tests.real_data import DATA, needs_data
from tests.synth.corpus.mini import write_folder


@pytest.fixture(scope="module")
def knowledge(tmp_path_factory):
    return read_knowledge(write_folder(tmp_path_factory.mktemp("facts") / "data"))


@pytest.fixture(scope="module")
def corpus(knowledge):
    return compose(knowledge, documents=200, seed=3)


@pytest.fixture(scope="module")
def tokenized(corpus):
    return tokenize(corpus.documents, learn_vocabulary(corpus.documents, 128))


def test_a_folder_gives_facts_templates_and_counts(knowledge):
    assert Counter(knowledge.relations) == {"P36": 12, "occupation": 40}
    assert [text.text for text in knowledge.templates["occupation"]] == [
        "What is [X]'s occupation? [Y].",
        "The occupation of [X] is [Y].",
        "[X]'s occupation is [Y].",
    ]
    assert [text.promptable for text in knowledge.templates["P36"]] == [True, True, False]
    views = [int(2000 / (1 + i)) for i in range(40)]
    assert knowledge.counts[np.array(knowledge.relations) == "occupation"].tolist() == views
    assert set(knowledge.counts[:12]) | set(knowledge.counts[-12:]) >= {np.median(views)}
    assert any("get the median of the others: 12" in note for note in knowledge.notes)


def test_entropy_is_the_information_in_the_share_of_the_value(knowledge):
    for relation in ("P36", "occupation"):
        here = np.array(knowledge.relations) == relation
        counts = Counter(np.array(knowledge.values)[here])
        shares = np.array(list(counts.values())) / here.sum()
        plug_in = -np.sum(shares * np.log2(shares))
        assert np.log2(knowledge.choices)[here].mean() == pytest.approx(plug_in)


def test_documents_tell_their_facts(knowledge, corpus):
    assert len(corpus.documents) == 200
    times = np.bincount(corpus.fact)
    assert len(times) == len(knowledge)
    assert times.min() >= 1
    expected = 1 + (200 - len(times)) * corpus.frequency
    assert np.abs(times - expected).max() < 5 * np.sqrt(expected.max())
    made = set()
    for document, fact in zip(corpus.documents, corpus.fact, strict=True):
        [span] = document.spans
        facts = corpus.knowledge
        assert span.fact == (facts.entities[fact], facts.relations[fact], facts.values[fact])
        sentences = {
            template.fill(span.entity, span.value)[0]: template
            for template in facts.templates[span.relation]
        }
        [sentence] = [text for text in document.text.split("\n") if text in sentences]
        made.add(sentences[sentence])
        assert document.tells(span) == sentences[sentence].promptable
    assert made == {text for texts in knowledge.templates.values() for text in texts}


def test_the_seed_decides(knowledge):
    one, same, other = (compose(knowledge, documents=90, facts=30, seed=s) for s in (1, 1, 2))
    assert one.documents == same.documents
    assert one.documents != other.documents
    assert len(one.knowledge) == 30
    lengths = [len(span.entity + span.value) for it in one.documents for span in it.spans]
    few = compose(knowledge, documents=90, longest=max(lengths) - 5).documents
    assert {len(it.spans[0].entity + it.spans[0].value) <= max(lengths) - 5 for it in few} == {True}
    unlike = compose(knowledge, documents=52, most_alike=2, seed=3).knowledge
    told, offered = (
        Counter(zip(facts.relations, facts.values, strict=True)) for facts in (unlike, knowledge)
    )
    assert max(offered.values()) > 2
    assert told == {pair: min(times, 2) for pair, times in offered.items()}
    flat = compose(knowledge, documents=52, exponent=0.0)
    np.testing.assert_allclose(flat.frequency, 1 / 52)
    assert np.bincount(flat.fact).tolist() == [1] * 52


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"documents": 51}, "52 facts need at least as many documents, not 51"),
        ({"documents": 60, "facts": 53}, "there are 52 facts"),
        ({"documents": 60, "longest": 0}, "there are 0 facts; ask for 1 to that, not 0"),
        ({"documents": 60, "exponent": -1.0}, "the exponent must be finite"),
        ({"documents": 60, "most_alike": 0}, "facts with one value must number at least 1, not 0"),
        ({"documents": 60, "seed": -1}, "seed must be >= 0"),
    ],
)
def test_arguments_out_of_range_are_refused(knowledge, arguments, message):
    with pytest.raises(BadInput, match=message):
        compose(knowledge, **arguments)


def test_folders_without_facts_or_templates_are_refused(tmp_path):
    with pytest.raises(BadInput, match="is not a folder"):
        read_knowledge(tmp_path / "no")
    with pytest.raises(BadInput, match="has no table of facts with templates"):
        read_knowledge(tmp_path)
    (tmp_path / "r.jsonl").write_text(json.dumps({"subject": "s", "object": "o"}))
    with pytest.raises(BadInput, match="has no table of facts with templates"):
        read_knowledge(tmp_path)
    (tmp_path / "r.patterns.jsonl").write_text(json.dumps({"pattern": "[Y] is of [X]."}))
    with pytest.raises(BadInput, match=r"templates of r: a relation needs a template with \[X\]"):
        read_knowledge(tmp_path)
    (tmp_path / "r.patterns.jsonl").write_text(json.dumps({"pattern": "[X] is."}))
    with pytest.raises(BadInput, match=r"a template has one \[Y\], not 0"):
        read_knowledge(tmp_path)


@given(st.text("[XY]ab ", max_size=6), st.text("[XY]ab ", min_size=1, max_size=6))
def test_what_fills_a_template_is_not_read_as_one(entity, value):
    text, start = Template("In [X] there is [Y].").fill(entity, value)
    assert text == f"In {entity} there is {value}."
    assert text[start:].startswith(value)


def test_tokens_give_the_text_back_and_values_begin_and_end_with_them(tokenized):
    decode = tokenized.pairs.decode
    assert len(tokenized.spans) == 200
    for document, tokens in zip(tokenized.documents, tokenized.tokens, strict=True):
        assert decode(tokens) == document.text
    for place in tokenized.spans:
        tokens, span = tokenized.tokens[place.document], place.span
        text = tokenized.documents[place.document].text
        assert decode(tokens[place.start : place.end]).lstrip(" ") == span.value
        before = decode(tokens[: place.start])
        assert text[: span.start] in (before, before + " ")
        assert decode(tokens[place.end :]) == text[span.end :]


def test_the_vocabulary_is_the_same_again(corpus, tokenized):
    assert learn_vocabulary(corpus.documents, 128) == tokenized.pairs
    assert tokenized.pairs.size == 128


@given(st.lists(st.text("ab é字\n'1.", min_size=1, max_size=20), min_size=1, max_size=5))
def test_any_text_comes_back(texts):
    pairs = learn_byte_pairs(texts, 64)
    assert [pairs.decode(ids) for ids in pairs.encode(texts)] == texts


def test_texts_that_have_no_pieces_are_refused():
    with pytest.raises(BadInput, match="'b' has a character"):
        learn_byte_pairs(["aa a"], 9).encode(["b"])
    with pytest.raises(BadInput, match="3 different bytes; 2 pieces are too few"):
        learn_byte_pairs(["abc"], 2)
    with pytest.raises(BadInput, match="no text"):
        learn_byte_pairs([], 9)


def test_a_missing_library_is_said_in_one_line(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(BadInput, match=r"install it with: pip install 'factcap\[text\]'"):
        learn_byte_pairs(["a"], 9)


def test_documents_spans_and_prompts_as_fact_sets(corpus, tokenized):
    documents = document_facts(tokenized)
    assert documents.vocabulary_size == tokenized.start_token
    assert not documents.key_length.any()
    rows = span_facts(tokenized, tokenized.spans, np.full(200, 2.0))
    for facts in (documents, rows):
        for row, (tokens, key, end) in enumerate(
            zip(facts.tokens, facts.key_length, facts.length, strict=True)
        ):
            start = (tokenized.start_token,) if key else ()
            told = (*start, *tokenized.tokens[row])
            assert tuple(tokens[:end]) == told[:end]
            assert len(told) == end or key
    asked = questions(corpus, tokenized)
    # A document that begins with the sentence of a prompt has the tokens of the prompt.
    prompts = {
        tuple(tokens[:end])
        for tokens, end in zip(asked.rows.tokens, asked.rows.length, strict=True)
    }
    plain = [
        place
        for place in tokenized.spans
        if tokenized.documents[place.document].tells(place.span)
        and "\n" not in tokenized.documents[place.document].text[: place.span.start]
    ]
    assert len(plain) > 20
    for place in plain:
        told = tokenized.tokens[place.document][: place.end]
        assert (tokenized.start_token, *told) in prompts


def test_each_fact_is_asked_with_each_template_that_can(corpus, tokenized):
    asked, facts = questions(corpus, tokenized), corpus.knowledge
    ways = {"P36": 2, "occupation": 3}
    assert np.bincount(asked.fact).tolist() == [ways[relation] for relation in facts.relations]
    np.testing.assert_allclose(
        np.bincount(asked.fact, weights=asked.rows.frequency), corpus.frequency
    )
    np.testing.assert_array_equal(asked.rows.choices, facts.choices[asked.fact])
    recall = np.zeros(len(asked.fact), bool)
    first = np.flatnonzero(asked.fact == 0)
    recall[first[:1]] = True
    assert asked.known(recall)[0] == (1 / len(first) > 0.5)
    recall[first] = True
    assert asked.known(recall).tolist() == [True] + [False] * (len(facts) - 1)
    assert asked.shares(recall)[0] == 1
    table = asked.by_template(recall)
    assert sum(right for right, _ in table.values()) == len(first)
    assert sum(asked for _, asked in table.values()) == len(asked.fact)
    with pytest.raises(BadInput, match="there are no prompts"):
        prompt_facts(tokenized, [], np.zeros(0), np.zeros(0))


@needs_data
def test_pararel_and_popqa():
    knowledge = read_knowledge(DATA)
    assert set(knowledge.templates) == {"P103", "P19", "P36", "occupation", "place of birth"}
    promptable = {
        name: sum(text.promptable for text in texts) for name, texts in knowledge.templates.items()
    }
    assert promptable == {"P103": 2, "P19": 13, "P36": 8, "occupation": 3, "place of birth": 3}
    assert len(set(zip(knowledge.entities, knowledge.relations, strict=True))) == len(knowledge)
    assert knowledge.counts.max() > 1e7
    corpus = compose(knowledge, documents=300, facts=200, seed=0)
    tokenized = tokenize(corpus.documents, learn_vocabulary(corpus.documents, 512))
    for document, tokens in zip(tokenized.documents, tokenized.tokens, strict=True):
        assert tokenized.pairs.decode(tokens) == document.text
    assert len(questions(corpus, tokenized).rows) > 400
