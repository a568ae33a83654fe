from dataclasses import replace

import pytest

from factcap.figures.corpus.experiment import Plan as TextPlan
from factcap.figures.corpus.experiment import material
from factcap.figures.lost.other_text import asked_otherwise, hold_back, other_text
from factcap.synth import BadInput
from factcap.synth.corpus import Template, made_up

PLAN = TextPlan(facts=30, documents=90, pieces=128, most_alike=80, longest=80, seeds=(0,))
KNOWLEDGE = made_up(40)


@pytest.fixture(scope="module")
def held():
    kept, back = hold_back(KNOWLEDGE)
    return kept, back, material(PLAN, kept, 0)


def sentence(template, span):
    return template.text.replace("[X]", span.entity).replace("[Y]", span.value)


def test_one_template_that_can_ask_is_held_back(held):
    kept, back, made = held
    for relation, templates in KNOWLEDGE.templates.items():
        [one] = back[relation]
        assert one.promptable
        assert set(kept.templates[relation]) == set(templates) - {one}
        told = [
            document for document in made.corpus.documents if document.spans[0].relation == relation
        ]
        assert told
        for document in told:
            assert sentence(one, document.spans[0]) not in document.text
            assert any(
                sentence(template, document.spans[0]) in document.text
                for template in kept.templates[relation]
            )


def test_what_could_not_be_asked_or_spelled_is_not_held_back():
    only = {"birthplace": (Template("[X] was born in [Y]."), Template("[Y] bore [X]."))}
    odd = {"field": (Template("[X] is noted: [Y]."), Template("[X]: \u00df [Y]."))}
    kept, back = hold_back(replace(KNOWLEDGE, templates=only | odd))
    # of two the one that is left must be able to ask; \u00df is in no other text
    assert back == {"field": (Template("[X] is noted: [Y]."),)}
    assert kept.templates["birthplace"] == only["birthplace"]


def test_other_text_tells_what_no_document_tells(held):
    kept, back, made = held
    told = set(zip(made.corpus.knowledge.entities, made.corpus.knowledge.relations, strict=True))
    for templates in (None, back):
        other = other_text(PLAN, kept, made, templates, 20, 0)
        assert other is not None
        assert len(other.documents) == len(other.values) == 20
        for document in other.corpus.documents:
            [span] = document.spans
            assert (span.entity, span.relation) not in told
            if templates is not None:
                assert sentence(back[span.relation][0], span) in document.text
    few = other_text(PLAN, kept, made, None, 10**6, 0)
    assert few is not None
    letters = set("".join(document.text for document in made.corpus.documents))
    spelled = [
        (entity, relation)
        for entity, relation, value in zip(kept.entities, kept.relations, kept.values, strict=True)
        if set(entity + value) <= letters
    ]
    assert len(few.documents) == len(set(spelled) - told) > 20
    assert other_text(PLAN, kept, made, {}, 20, 0) is None


def test_a_corpus_that_tells_everything_leaves_nothing(held):
    kept, _, _ = held
    all_told = replace(PLAN, facts=80, documents=90)
    made = material(all_told, kept, 0)
    with pytest.raises(
        BadInput, match=r"^no fact is left beside the 80 that are told; ask for fewer"
    ):
        other_text(all_told, kept, made, None, 20, 0)


def test_the_facts_are_asked_with_templates_held_back(held):
    _, back, made = held
    found = asked_otherwise(made, {"birthplace": back["birthplace"]})
    assert found is not None
    rows, fact = found
    knowledge = made.corpus.knowledge
    assert [i for i, name in enumerate(knowledge.relations) if name == "birthplace"] == list(fact)
    for row, number in enumerate(fact):
        asked = back["birthplace"][0].prompt(knowledge.entities[number])
        assert rows.keys[row].as_py() == asked
        assert rows.values[row].as_py().strip() == knowledge.values[number]
    assert asked_otherwise(made, {}) is None
