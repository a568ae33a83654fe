import math
import string
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factcap.capacity.retention import CountedFacts, Shares, answers_behind, compare_names

WORDS = st.text(string.ascii_letters + " é", max_size=12)


def named(pairs, subjects=None) -> CountedFacts:
    """Facts of (relation, object), all told equally often."""
    once = np.ones(len(pairs))
    subjects = [f"s{number}" for number in range(len(pairs))] if subjects is None else subjects
    return CountedFacts(
        relation=np.array([relation for relation, _ in pairs]),
        object=np.array([answer for _, answer in pairs]),
        subject=np.array(subjects),
        subject_count=once,
        object_count=once,
        pair_count=once,
        accuracy=once,
        documents=10.0,
    )


@given(WORDS, WORDS)
def test_the_longest_run_is_the_longest_common_substring(subject, answer):
    names = compare_names([subject], [answer])
    pieces = {
        answer.lower()[start:stop]
        for start in range(len(answer))
        for stop in range(start + 1, len(answer) + 1)
    }
    longest = max((len(piece) for piece in pieces if piece in subject.lower()), default=0)
    assert names.run[0] == (longest / len(answer) if answer else 1.0)
    assert names.standing[0] == (answer in subject)
    assert names.run[0] == 1 or not names.standing[0]


def test_shares_by_hand():
    # three of Paris, one of Rome: each left out of its own share; 2 different answers
    training = named([("born", "Paris")] * 3 + [("born", "Rome"), ("died", "Rome")])
    shares = Shares([training])
    assert shares.of(training).tolist() == [2.5 / 4.5] * 3 + [0.5 / 4.5, 0.5 / 1.0]
    assert shares.seen(training).tolist() == [True] * 3 + [False, False]
    # others are not left out; of a relation never seen one knows the mean share
    new = named([("born", "Paris"), ("born", "Oslo"), ("sings", "Rome")], ["a", "b", "c"])
    mean = (3 * 3 / 4 + 1 / 4 + 1) / 5
    assert shares.of(new) == pytest.approx([3.5 / 5.5, 0.5 / 5.5, mean])
    assert shares.seen(new).tolist() == [True, False, False]


def test_a_fact_of_two_models_counts_once():
    facts = named([("born", "Paris"), ("born", "Rome"), ("born", "Paris")])
    larger = replace(facts, model="larger")
    once, twice = Shares([facts]), Shares([facts, larger])
    np.testing.assert_array_equal(once.of(facts), twice.of(larger))


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz")), min_size=1, max_size=20))
def test_the_shares_of_all_answers_of_a_relation_add_up(pairs):
    shares = Shares([named(pairs)])
    relation = pairs[0][0]
    answers = sorted({answer for one, answer in pairs if one == relation})
    asked = named([(relation, answer) for answer in (*answers, "new")], ["q"] * (len(answers) + 1))
    assert shares.of(asked).sum() == pytest.approx(1)


@given(st.integers(1, 500), st.integers(0, 99))
def test_the_answers_behind_shares_are_found(answers, seed):
    right = np.random.default_rng(seed).integers(0, answers + 1, size=20)
    found = answers_behind(right / answers)
    assert found <= answers
    counts = right / answers * found
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-5)


def test_shares_of_no_number_of_answers():
    assert math.isnan(answers_behind(np.random.default_rng(0).random(9)))
