import json
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

from factcap.models import (
    Job,
    TrainConfig,
    TransformerConfig,
    measure_other_facts,
    read_outcome,
    run,
)
from factcap.models.runs.ensemble import train_together
from factcap.models.runs.job import run_config
from factcap.models.runs.live_run import LiveRun
from factcap.models.runs.result import measured
from factcap.models.training.config import SelectConfig
from factcap.models.training.measure import measure_device
from factcap.models.training.schedule import make_schedule
from factcap.models.training.selection.groups import GroupSelector
from factcap.models.training.selection.selector import Selector
from factcap.models.training.steps import initial_state, trained_module
from factcap.models.transformer.fast.values import Reading, value_nll
from factcap.models.transformer.layout import context_length, to_device
from factcap.synth import BadInput
from factcap.synth.corpus import (
    compose,
    document_facts,
    learn_vocabulary,
    marked_groups,
    questions,
    read_knowledge,
    single_documents,
    span_facts,
    tokenize,
)
from tests.synth.corpus.mini import write_folder


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = write_folder(tmp_path_factory.mktemp("facts") / "data")
    return compose(read_knowledge(folder), documents=150, seed=0)


@pytest.fixture(scope="module")
def tokenized(corpus):
    return tokenize(corpus.documents, learn_vocabulary(corpus.documents, 128))


@pytest.fixture(scope="module")
def model(tokenized):
    return TransformerConfig(tokenized.pairs.size + 1, width=8, depth=2, heads=2)


def test_a_marked_value_costs_what_its_tokens_cost_in_the_document(tokenized, model):
    """A left-padded key gives the numbers of the positions at which documents are trained on."""
    documents = document_facts(tokenized)
    spans = span_facts(tokenized, tokenized.spans, np.ones(len(tokenized.spans)))
    schedule = make_schedule(TrainConfig(), len(documents), model.width)
    params = initial_state(model, schedule, 5).params
    device, reading = to_device(documents), Reading(model, context_length(documents))
    assert reading.context == 1
    assert device.rows.start_B is None
    nats_FxV = np.asarray(value_nll(reading, params, device.rows))
    expected = [
        nats_FxV[place.document, place.start : place.end].sum() / np.log(2)
        for place in tokenized.spans
    ]
    rows = to_device(spans)
    assert rows.rows.start_B is not None
    assert len(set(np.asarray(rows.rows.start_B)[: len(spans)].tolist())) > 5
    found, recall = measure_device(Reading(model, context_length(spans)), params, rows)
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    # And of the plain module, without a position shifted.
    module = trained_module(model, params)
    for number in (0, 77):
        place = tokenized.spans[number]
        told = [tokenized.start_token, *tokenized.tokens[place.document][: place.end]]
        logits = np.asarray(module(jnp.asarray([told[:-1]])), np.float64)[0]
        log = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        asked = range(place.start, place.end)
        bits = -sum(log[at, told[at + 1]] for at in asked) / np.log(2)
        assert bits == pytest.approx(float(found[number]), rel=1e-4)
        assert recall[number] == all(log[at].argmax() == told[at + 1] for at in asked)


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


def test_the_clock_of_groups_starts_at_the_first_scoring(tokenized):
    groups, uniform = marked_groups(tokenized), np.full(150, 1 / 150)
    entropies = groups.entropies
    assert entropies is not None
    fact_bits = np.bincount(groups.fact_of_pair, weights=entropies[groups.group_of_pair])
    kept = {}
    for early in (0.1, 0.19):
        config = SelectConfig("loss_h", schedule="once", first=0.2)
        chosen = GroupSelector(groups, uniform, config, 1000, 9000.0, seed=1)
        assert not chosen.look(early, np.zeros(len(groups.rows)))
        assert chosen.history == []
        # A twentieth of all bits: 9 times as many are expected if that took 10 of the 90 % left.
        chosen.look(0.2, 0.95 * fact_bits[groups.fact_of_row])
        kept[early] = chosen.bits_kept / entropies.sum()
        [(share, _)] = chosen.history
        assert share == pytest.approx(0.2)
    assert kept[0.1] == pytest.approx(0.05 * 9 * (1 + (1 - 0.1 / 0.9 / 0.8) / 4), abs=0.05)
    assert kept[0.19] == 1


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


def test_groups_are_part_of_what_a_run_is(tokenized, model, tmp_path):
    facts, training = document_facts(tokenized), TrainConfig(select=SelectConfig("loss_h"))
    groupings = (None, marked_groups(tokenized), single_documents(tokenized))
    ids = {run_config(facts, model, training, grouping)["id"] for grouping in groupings}
    assert len(ids) == 3
    few = tokenize(tokenized.documents[:9], tokenized.pairs)
    with pytest.raises(BadInput, match="the groups are of 9 documents; 150 are trained on"):
        Job(facts, model, training, tmp_path, grouping=marked_groups(few))
    influence = TrainConfig(select=SelectConfig("influence", budget_bits=9.0))
    with pytest.raises(BadInput, match="influence has no scores of groups"):
        Job(facts, model, influence, tmp_path, grouping=groupings[1])
    by_groups = LiveRun(0, Job(facts, model, training, tmp_path / "a", grouping=groupings[1]))
    by_groups.directory.close()
    assert isinstance(by_groups.selection, GroupSelector)
    plain = LiveRun(0, Job(facts, model, training, tmp_path / "b"))
    plain.directory.close()
    assert isinstance(plain.selection, Selector)


@pytest.mark.slow
def test_a_training_selects_by_groups_and_is_asked_by_prompts(corpus, tokenized, model, tmp_path):
    facts, groups = document_facts(tokenized), marked_groups(tokenized)
    assert groups.entropies is not None
    budget = float(groups.entropies.sum() / 2)
    training = TrainConfig(
        exposures=60,
        fewest_steps=0,
        batch=16,
        saturate=False,
        select=SelectConfig("loss_hf", budget_bits=budget, schedule="once", first=0.2),
    )
    job = Job(facts, model, training, tmp_path / "run", grouping=groups)
    asked = questions(corpus, tokenized)
    with pytest.raises(BadInput, match="is not finished"):
        measure_other_facts(job, asked.rows)
    [(_, result)] = train_together([job])
    at_the_end = measured(result)
    outcome = read_outcome(tmp_path / "run")
    assert outcome["selection"]["scoring_draws"] == pytest.approx(len(groups.rows) / 3)
    assert 10 < outcome["selection"]["facts_kept"] < 150
    assert outcome["steps"] * 16 + outcome["selection"]["scoring_draws"] <= 9000 + 1600
    found = measure_other_facts(job, asked.rows)
    assert len(found.recall) == len(asked.rows)
    assert np.all(np.isfinite(found.nll_bits) & (found.nll_bits >= 0))
    # The state that is read is the one that was measured at the end.
    again = measure_other_facts(job, facts)
    np.testing.assert_allclose(again.nll_bits, at_the_end.nll_bits, rtol=1e-5)
    [(_, read)] = train_together([replace(job)])
    assert np.array_equal(measured(read).nll_bits, at_the_end.nll_bits)
    short = TransformerConfig(model.vocabulary - 1, width=8, depth=2, heads=2)
    with pytest.raises(BadInput, match="token ids"):
        run(facts, short, training, tmp_path / "short")
