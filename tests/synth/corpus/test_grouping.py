import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factcap.synth import BadInput
from factcap.synth.corpus import (
    Document,
    Span,
    document_facts,
    learn_vocabulary,
    marked_groups,
    single_documents,
    tokenize,
)

VALUES = {"r": ("u", "v"), "q": ("w",)}


def document(number, told):
    """A document that tells facts (entity, relation, value, whether the entity comes first)."""
    text, spans = f"{number}:", []
    for entity, relation, value, first in told:
        text += f" {entity} " if first else " "
        spans.append(Span(entity, relation, value, len(text), len(text) + 1))
        text += value + (" ." if first else f" {entity} .")
    return Document(f"{number}", text, tuple(spans))


facts = st.tuples(
    st.sampled_from("ABC"), st.just("r"), st.sampled_from(VALUES["r"]), st.booleans()
) | st.tuples(st.sampled_from("ABC"), st.just("q"), st.just("w"), st.booleans())
corpora = st.lists(st.lists(facts, max_size=2), min_size=1, max_size=8).filter(any)


def grouped(told, **options):
    documents = [document(*pair) for pair in enumerate(told)]
    tokenized = tokenize(documents, learn_vocabulary(documents, 64))
    return tokenized, marked_groups(tokenized, **options)


@given(corpora)
def test_losses_and_entropies_of_groups_are_those_of_their_facts(told):
    tokenized, groups = grouped(told, rows_per_fact=100)
    every = {fact[:3] for facts in told for fact in facts}
    entropy = {
        fact: np.log2(
            sum(other[1] == fact[1] for other in every)
            / sum(other[1:] == fact[1:] for other in every)
        )
        for fact in every
    }
    rng = np.random.default_rng(0)
    loss_of_text = {(span.document, span.start): rng.random() for span in tokenized.spans}
    # What a row asks is known by the document that its key begins.
    rows, row = [], 0
    for row in range(len(groups.rows)):
        key = groups.rows.tokens[row, 1 : groups.rows.key_length[row]].tolist()
        [place] = [
            span
            for span in tokenized.spans
            if list(tokenized.tokens[span.document][: span.start]) == key
        ]
        rows.append(place)
    row_losses = np.array([loss_of_text[place.document, place.start] for place in rows])
    expected = {}
    for fact in every:
        places = [span for span in tokenized.spans if span.span.fact == fact]
        telling = [p for p in places if tokenized.documents[p.document].tells(p.span)] or places
        assert {(p.document, p.start) for p in telling} == {
            (p.document, p.start) for p in rows if p.span.fact == fact
        }
        expected[fact] = np.mean([loss_of_text[p.document, p.start] for p in telling])
    losses = groups.losses(row_losses)
    for number, facts in enumerate(told):
        group = groups.group_of_document[number]
        here = {fact[:3] for fact in facts}
        assert (group == -1) == (not here)
        if here:
            assert losses[group] == pytest.approx(sum(expected[fact] for fact in here))
            assert groups.entropies is not None
            bits = sum(entropy[fact] for fact in here)
            assert groups.entropies[group] == pytest.approx(bits)
        for other, others in enumerate(told):
            same = here == {fact[:3] for fact in others}
            assert same == (group == groups.group_of_document[other])


@given(corpora, st.integers(0, 5))
def test_weights_of_documents_share_those_of_groups(told, seed):
    _, groups = grouped(told)
    rng = np.random.default_rng(seed)
    documents = rng.random(len(told)) + 0.1
    documents /= documents.sum()
    frequency = groups.frequency(documents)
    assert frequency.sum() == pytest.approx(1)
    # Frequencies as weights change nothing, at any scale.
    np.testing.assert_allclose(groups.document_weights(7 * frequency, documents), documents)
    chosen = rng.random(len(groups)) * (rng.random(len(groups)) < 0.7)
    chosen[0] += 0.1
    weights = groups.document_weights(chosen, documents)
    assert weights.sum() == pytest.approx(1)
    member = groups.group_of_document >= 0
    np.testing.assert_allclose(weights[~member], documents[~member])
    total = np.bincount(groups.group_of_document[member], weights=weights[member])
    np.testing.assert_allclose(total / total.sum(), chosen / chosen.sum())
    for group in range(len(groups)):
        inside = groups.group_of_document == group
        if chosen[group]:
            ratio = weights[inside] / documents[inside]
            np.testing.assert_allclose(ratio, ratio[0])


def test_a_fact_is_scored_at_so_many_places_at_the_most():
    told = [[("A", "r", "u", True)]] * 5 + [[("B", "r", "v", False)]] * 2
    _, groups = grouped(told, rows_per_fact=2)
    assert groups.fact_of_row.tolist() == [0, 0, 1, 1]
    assert groups.entropies is not None
    assert groups.entropies.tolist() == [1.0, 1.0]
    assert grouped(told, seed=1)[1].fact_of_row.tolist() == [0, 0, 1, 1]
    with pytest.raises(BadInput, match="rows_per_fact must be at least 1, not 0"):
        grouped(told, rows_per_fact=0)
    with pytest.raises(BadInput, match="no document has a marked fact"):
        grouped([[], []])


def test_documents_without_marks_are_groups_of_their_own():
    documents = [document(0, [("A", "r", "u", True)]), document(1, []), document(2, [])]
    tokenized = tokenize(documents, learn_vocabulary(documents, 64))
    groups = single_documents(tokenized)
    assert groups.entropies is None
    losses = np.array([3.0, 1.0, 2.0])
    assert groups.losses(losses).tolist() == losses.tolist()
    uniform = np.full(3, 1 / 3)
    assert groups.document_weights(losses, uniform).tolist() == (losses / 6).tolist()
    np.testing.assert_array_equal(groups.rows.tokens, document_facts(tokenized).tokens)
