import json
import math

import numpy as np
import pytest

from factcap.synth.corpus import (
    compose,
    learn_vocabulary,
    marked_groups,
    read_knowledge,
    single_documents,
    tokenize,
)
from factcap.synth.selection import SelectConfig
from factcap.synth.selection.groups import GroupSelector
from tests.synth.corpus.mini import write_folder


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = write_folder(tmp_path_factory.mktemp("facts") / "data")
    return compose(read_knowledge(folder), documents=150, seed=0)


@pytest.fixture(scope="module")
def tokenized(corpus):
    return tokenize(corpus.documents, learn_vocabulary(corpus.documents, 128))


def test_groups_are_selected_as_facts_are(tokenized):
    groups = marked_groups(tokenized)
    uniform = np.full(150, 1 / 150)
    assert groups.entropies is not None
    budget = float(groups.entropies.sum() / 2)
    for scheme in ("random", "loss_h", "loss_hf", "worth", "deduplicate"):
        config = SelectConfig(scheme, budget_bits=budget, schedule="once", first=0.1)
        chosen = GroupSelector(groups, uniform, config, 1000, 9000.0, seed=1)
        row_bits = np.random.default_rng(0).random(len(groups.rows)).astype(np.float32) * 8
        chosen.look(0.1, row_bits)
        kept = np.unique(groups.group_of_document[chosen.weights > 0])
        if scheme == "deduplicate":
            assert len(kept) == len(groups)
            continue
        assert 0.7 * budget < groups.entropies[kept].sum() <= budget
        if scheme in ("loss_h", "loss_hf"):
            losses = groups.losses(row_bits.astype(float))
            rest = np.setdiff1d(np.arange(len(groups)), kept)
            assert losses[kept].max() <= losses[rest].min()
        per_group = np.bincount(groups.group_of_document, weights=chosen.weights)
        if scheme == "loss_hf":
            np.testing.assert_allclose(per_group[kept], 1 / len(kept))
        assert chosen.planned_draws() <= len(groups.rows) / 3


def test_documents_are_dropped_by_the_loss_that_is_left_since_the_first_scoring(tokenized):
    groups, uniform = single_documents(tokenized), np.full(150, 1 / 150)
    chosen = GroupSelector(groups, uniform, SelectConfig("loss_h"), 1000, 9000.0, seed=1)
    assert not chosen.due(2, 100)
    assert chosen.due(3, 100)
    first = np.linspace(40, 60, 150)
    assert not chosen.look(0.03, first)
    assert np.array_equal(chosen.weights, uniform)
    assert not chosen.due(4, 100)
    assert chosen.due(5, 100)
    # A third of all bits is stored, most of it of the first documents.
    second = first * np.linspace(0.4, 1.0, 150)
    assert chosen.look(0.5, second)
    kept = chosen.weights > 0
    assert 30 < kept.sum() < 150
    assert second[kept].max() < second[~kept].min()
    state = json.loads(json.dumps(chosen.state()))
    other = GroupSelector(groups, uniform, SelectConfig("loss_h"), 1000, 9000.0, seed=1)
    other.restore(state)
    assert other.bits_kept == chosen.bits_kept
    assert [chosen.due(done, 100) for done in (59, 60)] == [False, True]
    assert [other.due(done, 100) for done in (59, 60)] == [False, True]
    for selector in (chosen, other):
        selector.look(0.6, second * 0.9)
    assert np.array_equal(chosen.weights, other.weights)
    assert chosen.history == other.history
    assert [share for share, _ in chosen.history] == pytest.approx([0.5, 0.6])
    assert chosen.state() == other.state()


@pytest.mark.parametrize(("parameters", "dropped"), [(1000, True), (4000, False), (math.inf, True)])
def test_documents_that_the_parameters_can_store_are_all_kept(tokenized, parameters, dropped):
    # 7,500 bits; 4,000 parameters hold 10,400, and a model that says no number may hold any.
    groups, first = single_documents(tokenized), np.linspace(40, 60, 150)
    uniform, config = np.full(150, 1 / 150), SelectConfig("loss_h")
    chosen = GroupSelector(groups, uniform, config, parameters, 9000.0, seed=1)
    chosen.look(0.03, first)
    assert chosen.look(0.5, first * np.linspace(0.4, 1.0, 150)) == dropped
    assert bool((chosen.weights == 0).any()) == dropped


def test_documents_that_cannot_lose_all_of_their_loss_are_kept_once_they_have_lost_what_they_can(
    tokenized,
):
    """Without that, what is kept would have to shrink at each selection until nothing is left."""
    groups, uniform = single_documents(tokenized), np.full(150, 1 / 150)
    for scheme in ("loss_h", "worth"):
        chosen = GroupSelector(groups, uniform, SelectConfig(scheme), 10, 9000.0, seed=1)
        first = np.linspace(40, 60, 150)
        chosen.look(0.03, first)
        learned = np.arange(150) < 50
        for share in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8):
            # Half of what is kept cannot be foreseen by any model.
            chosen.look(share, np.where(learned, 0.5 + 0.4 * (0.8 - share), 1.0) * first)
        kept = chosen.weights > 0
        assert kept[learned].all()
        # What may still be learned in the last fifth.
        assert 50 <= kept.sum() <= 57
        # Far more bits than ten parameters store: documents share them.
        assert chosen.bits_kept == pytest.approx(0.5 * first[kept].sum())


def looked_at(tokenized, *looks, scheme="loss_h"):
    """A selector of marked groups after looks: (share of the training, share of bits stored)."""
    groups = marked_groups(tokenized)
    assert groups.entropies is not None
    fact_bits = np.bincount(groups.fact_of_pair, weights=groups.entropies[groups.group_of_pair])
    config = SelectConfig(scheme, first=0.2)
    uniform = np.full(len(groups.group_of_document), 1 / len(groups.group_of_document))
    chosen = GroupSelector(groups, uniform, config, 10_000, 9000.0, seed=1)
    for share, stored in looks:
        chosen.look(share, (1 - stored) * fact_bits[groups.fact_of_row])
    return chosen, chosen.bits_kept / groups.entropies.sum()


def test_the_clock_of_groups_starts_at_the_first_scoring(tokenized):
    kept = {}
    for early in (0.1, 0.19):
        chosen, _ = looked_at(tokenized, (early, 0.0))
        assert chosen.history == []
        # A twentieth of all bits: 9 times as many are expected if that took 10 of the 90 % left.
        chosen, kept[early] = looked_at(tokenized, (early, 0.0), (0.2, 0.05))
        [(share, _)] = chosen.history
        assert share == pytest.approx(0.2)
    assert kept[0.1] == pytest.approx(0.05 * 9 * (1 + (1 - 0.1 / 0.9 / 0.8) / 4), abs=0.05)
    assert kept[0.19] == 1


def test_what_was_dropped_comes_back_when_what_is_kept_is_known(tokenized):
    looks = (0.1, 0.0), (0.2, 0.03)
    fewer, before = looked_at(tokenized, *looks)
    assert before < 0.4
    dropped = fewer.weights == 0
    # Known soon: there is room for more. Not learned at all: for less.
    more, after = looked_at(tokenized, *looks, (0.4, 0.95))
    assert before * 1.3 < after < before * 2
    assert (more.weights[dropped] > 0).any()
    assert (more.weights[~dropped] > 0).all()
    _, less = looked_at(tokenized, *looks, (0.4, 0.2))
    assert less < before


def test_scoring_is_charged_where_losses_are_read(tokenized):
    marked, single, uniform = marked_groups(tokenized), single_documents(tokenized), np.full(150, 1)

    def passes(groups, scheme, **settings):
        config = SelectConfig(scheme, first=0.1, **settings)
        chosen = GroupSelector(groups, uniform / 150, config, 1000, 9000.0, seed=1)
        looks = 0
        for done in range(1, 1000):
            if chosen.due(done, 1000):
                looks += 1
                chosen.look(done / 1000, np.full(len(groups.rows), 9.0 - 5 * (done / 1000)))
        return looks, chosen.planned_draws() / (len(groups.rows) / 3)

    assert passes(marked, "loss_h") == (9, pytest.approx(9))
    assert passes(marked, "loss_h", budget_bits=99.0) == (8, pytest.approx(8))
    assert passes(single, "loss_h", budget_bits=99.0) == (9, pytest.approx(9))
    assert passes(single, "random", budget_bits=99.0, schedule="once") == (1, pytest.approx(1))
    assert passes(marked, "random", budget_bits=99.0, schedule="once") == (1, 0)
    assert passes(single, "deduplicate") == (0, 0)


def test_documents_that_nothing_is_learned_of_are_all_kept(tokenized):
    groups, uniform = single_documents(tokenized), np.full(150, 1 / 150)
    rng = np.random.default_rng(0)
    chosen = GroupSelector(groups, uniform, SelectConfig("loss_h"), 1000, 9000.0, seed=1)
    first = rng.uniform(30, 60, 150)
    # Eight are known from the start, and their losses fall.
    first[:8] = 0.02
    for done in range(1, 100):
        if chosen.due(done, 100):
            noise = 1 + 0.02 * rng.standard_normal(150)
            noise[:8] = 1 / done
            assert not chosen.look(done / 100, first * noise)
    assert len(chosen.history) == 9
    assert (chosen.weights > 0).all()
    everything_known = GroupSelector(groups, uniform, SelectConfig("loss_h"), 1000, 9000.0, seed=1)
    for share in (0.03, 0.05, 0.1):
        assert not everything_known.look(share, np.zeros(150))


def test_a_told_budget_is_in_bits_of_the_losses_at_the_first_scoring(tokenized):
    groups, uniform = single_documents(tokenized), np.full(150, 1 / 150)
    first = np.random.default_rng(0).uniform(40, 60, 150)
    now = first * np.random.default_rng(1).uniform(0.3, 0.9, 150)
    kept = {}
    for scheme in ("loss_h", "worth"):
        config = SelectConfig(scheme, budget_bits=2000.0, schedule="once", first=0.2)
        chosen = GroupSelector(groups, uniform, config, 10, 9000.0, seed=1)
        assert not chosen.look(0.1, first)
        assert chosen.look(0.2, now)
        kept[scheme] = chosen.weights > 0
        assert 1940 < first[kept[scheme]].sum() <= 2000
        assert chosen.bits_kept == pytest.approx(first[kept[scheme]].sum())
    assert now[kept["loss_h"]].max() <= now[~kept["loss_h"]].min()
    # Those that were seen often by all appearance, at what is left of them.
    price = np.log(first / now) / now
    assert price[kept["worth"]].min() >= price[~kept["worth"]].max()


def test_documents_are_drawn_by_frequency_up_to_the_first_selection(tokenized):
    groups, frequency = marked_groups(tokenized), np.arange(1.0, 151)
    frequency /= frequency.sum()
    for scheme in ("worth", "loss_hf", "loss_h"):
        chosen = GroupSelector(groups, frequency, SelectConfig(scheme), 1000, 9000.0, seed=1)
        np.testing.assert_allclose(chosen.weights, frequency)
    flat = GroupSelector(groups, frequency, SelectConfig("deduplicate"), 1000, 9000.0, seed=1)
    per_group = np.bincount(groups.group_of_document, weights=flat.weights)
    np.testing.assert_allclose(per_group, 1 / len(groups))
    assert flat.planned_draws() == 0


def test_a_share_of_the_draws_goes_to_documents_that_were_dropped(tokenized):
    groups, uniform = marked_groups(tokenized), np.full(150, 1 / 150)
    assert groups.entropies is not None
    budget = float(groups.entropies.sum() / 2)
    config = SelectConfig("loss_hf", budget, schedule="once", first=0.1, rest=0.2)
    chosen = GroupSelector(groups, uniform, config, 1000, 9000.0, seed=1)
    assert chosen.drawn_by is chosen.weights
    chosen.look(0.1, np.random.default_rng(0).random(len(groups.rows)).astype(np.float32) * 8)
    dropped, drawn = chosen.weights == 0, chosen.drawn_by / chosen.drawn_by.sum()
    assert 0 < dropped.sum() < 150
    np.testing.assert_allclose(drawn[dropped], 0.2 / dropped.sum())
    kept = chosen.weights / chosen.weights.sum()
    np.testing.assert_allclose(drawn[~dropped], 0.8 * kept[~dropped])
