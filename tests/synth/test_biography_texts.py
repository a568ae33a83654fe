from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factcap.synth import (
    BIOGRAPHY_VOCABULARY,
    BadInput,
    Biographies,
    biographies,
    detokenize_biographies,
    tokenize_biographies,
)
from factcap.synth.generators.biographies import lists
from factcap.synth.generators.biographies.attributes import ATTRIBUTES, value_texts
from factcap.synth.generators.biographies.people import _LARGEST_TEXT, FORMS
from factcap.synth.generators.biographies.text import OPENERS, SENTENCES, TEMPLATES, VERBS, render
from tests.synth.biography_checks import (
    VALUES,
    VERB_OF,
    assert_uniform,
    fill,
    full_name,
    parse,
    templates,
)


@given(
    small=st.integers(1, 200),
    more=st.integers(0, 17_000),
    seed=st.integers(0, 5),
    form=st.sampled_from(FORMS),
    occurrence=st.integers(0, 9),
)
@settings(deadline=None, max_examples=12)
def test_fewer_people_are_a_prefix_of_more(small, more, seed, form, occurrence):
    few, many = biographies(small, seed=seed), biographies(small + more, seed=seed)
    np.testing.assert_array_equal(few.names, many.names[:small])
    np.testing.assert_array_equal(few.attributes, many.attributes[:small])
    assert few.texts(form, occurrence) == many.texts(form, occurrence)[:small]


def test_every_template_has_its_value_and_its_subject_once():
    assert TEMPLATES == 50
    assert len({verb for _, verb in VERB_OF}) == len(VERB_OF) == 60
    words = {word for value in value_texts().to_pylist() for word in value.split()} - {"of"}
    for sentence in SENTENCES:
        made = templates(sentence)
        assert len(set(made)) == 50
        for template in made:
            assert template.count("{value}") == template.count("{subject}") == 1
            plain = template.format(subject="", value="", their="")
            assert not words & set(plain.replace(".", "").replace(",", "").split()), plain


@pytest.mark.parametrize("pronoun", [0, 1])
def test_texts_are_the_templates_filled_in(pronoun):
    names = biographies(50).names
    attributes = biographies(50).attributes.copy()
    attributes[:, 5] = pronoun
    order = np.array([np.roll(np.arange(6), i) for i in range(50)])
    numbers = (np.arange(50)[:, None] + 7 * np.arange(6)) % 50
    for person, text in enumerate(render(names, attributes, order, numbers).to_pylist()):
        name = full_name(names[person])
        sentences = []
        for place, (sentence, number) in enumerate(
            zip(order[person], numbers[person], strict=True)
        ):
            if SENTENCES[sentence] == "work city":
                value = lists.CITIES[lists.EMPLOYER_CITIES[attributes[person, 4]]]
            else:
                value = VALUES[SENTENCES[sentence]][attributes[person, sentence]]
            sentences.append(
                fill(
                    templates(SENTENCES[sentence])[number],
                    pronoun=lists.PRONOUNS[pronoun],
                    value=value,
                    name=None if place else name,
                )
            )
        assert text == " ".join(sentences)


@pytest.mark.parametrize("form", FORMS)
def test_every_attribute_can_be_read_from_the_text(form):
    people = biographies(300, seed=6)
    keys = people.facts().keys.to_pylist()[::6]
    for person, text in enumerate(people.texts(form, 4).to_pylist()):
        sentences = parse(text)
        value = {sentence.about: sentence.value for sentence in sentences}
        employer = lists.EMPLOYERS.index(value["employer"])
        assert value.pop("work city") == lists.CITIES[lists.EMPLOYER_CITIES[employer]]
        assert sentences[0].subject == keys[person].removesuffix(", birthdate")
        (value["pronoun"],) = {sentence.subject.lower() for sentence in sentences[1:]}
        wrong_possessive = {"he": " her ", "she": " his "}[value["pronoun"]]
        assert wrong_possessive not in text
        for place, attribute in enumerate(ATTRIBUTES):
            assert VALUES[attribute][people.attributes[person, place]] == value[attribute]
        for said in {sentence.value for sentence in sentences}:
            assert text.count(f" {said}.") == sum(said == s.value for s in sentences)


def test_simple_stays_multi_repeats_and_permuted_changes():
    people = biographies(200, seed=1)
    texts = {form: [people.texts(form, t).to_pylist() for t in range(12)] for form in FORMS}
    assert all(read == texts["simple"][0] for read in texts["simple"])
    for person in range(200):
        read = {form: [texts[form][t][person] for t in range(12)] for form in FORMS}
        assert len(set(read["multi"])) == 5
        assert read["multi"][:5] == read["multi"][5:10]
        assert len(set(read["permuted"])) == 12
        orders = {tuple(s.about for s in parse(text)) for text in read["permuted"]}
        assert len(orders) > 6
        for text in {*read["simple"], *read["multi"]}:
            assert tuple(s.about for s in parse(text)) == SENTENCES
    assert people.texts("multi", 9, variants=3) == people.texts("multi", 0, variants=3)


def test_templates_and_orders_are_uniform():
    texts = biographies(3000).texts("permuted", 1).to_pylist()
    verbs = {
        (sentence, verb.replace("their", their)): number
        for sentence in SENTENCES
        for number, verb in enumerate(VERBS[sentence])
        for their in ("his", "her")
    }
    templates_seen, orders = [], Counter()
    for text in texts:
        sentences = parse(text)
        orders[tuple(sentence.about for sentence in sentences)] += 1
        templates_seen += [OPENERS.index(s.opener) * 10 + verbs[s.about, s.verb] for s in sentences]
    assert_uniform(np.array(templates_seen), 50)
    counts = [*orders.values(), *[0] * (720 - len(orders))]
    assert_uniform(np.repeat(np.arange(720), counts), 720)


@pytest.mark.parametrize("form", FORMS)
def test_tokens_give_the_text_back(form):
    texts = biographies(2000).texts(form, 2)
    tokens = tokenize_biographies(texts)
    assert detokenize_biographies(tokens) == texts
    assert detokenize_biographies(tokens[5:9]) == texts[5:9]
    first = [BIOGRAPHY_VOCABULARY[token] for token in tokens[0].as_py()]
    assert first == texts[0].as_py().replace(".", " .").replace(",", " ,").split()
    assert len(set(BIOGRAPHY_VOCABULARY)) == len(BIOGRAPHY_VOCABULARY)


def test_unknown_words_have_no_token():
    with pytest.raises(BadInput, match="no biography has the word 'London'"):
        tokenize_biographies(pa.array(["Ada works in London."]))


def test_no_text_is_longer_than_assumed():
    longest_value = max(map(len, value_texts().to_pylist()))
    longest_name = sum(
        max(map(len, names)) + 1
        for names in (lists.FIRST_NAMES, lists.MIDDLE_NAMES, lists.LAST_NAMES)
    )
    opener = max(map(len, OPENERS))
    verbs = sum(max(map(len, phrases)) + 2 for phrases in VERBS.values())
    assert longest_name + verbs + 6 * (opener + len(" she") + longest_value + 1) <= _LARGEST_TEXT
    with pytest.raises(BadInput, match="do not fit in one array; take text_blocks"):
        Biographies(
            np.zeros((2_200_000, 3), np.int32), np.zeros((2_200_000, 6), np.int32), 0.0, 0
        ).texts("simple")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: biographies(5).texts("plain"), "form must be simple, multi, permuted, not 'pl"),
        (lambda: biographies(5).texts("multi", -1), "occurrence must be >= 0, not -1"),
        (lambda: biographies(5).texts("multi", variants=0), "variants must be at least 1, not 0"),
    ],
)
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(BadInput, match=message):
        call()
