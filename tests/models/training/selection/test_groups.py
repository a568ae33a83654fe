from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

from factcap.models import (
    Job,
    SelectConfig,
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
from factcap.models.training.measure import measure_device
from factcap.models.training.schedule import make_schedule
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
from factcap.synth.selection import Selector
from factcap.synth.selection.groups import GroupSelector
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


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["loss_h", "worth"])
def test_where_nearly_everything_fits_nothing_is_lost(corpus, tokenized, tmp_path, scheme):
    facts, groups = document_facts(tokenized), marked_groups(tokenized)
    model = TransformerConfig(tokenized.pairs.size + 1, width=16, depth=2, heads=2)
    training = TrainConfig(
        exposures=120, fewest_steps=0, batch=16, learning_rate=0.03, saturate=False
    )
    asked = questions(corpus, tokenized)
    known = {"all": 0, "selected": 0}
    seeds = 3  # since one training knows some 6 % more or less than another
    for seed in range(seeds):
        for name, select in (("all", None), ("selected", SelectConfig(scheme, first=0.2))):
            how = replace(training, seed=seed, select=select)
            directory = tmp_path / f"{name} {seed}"
            job = Job(facts, model, how, directory, grouping=groups if select else None)
            list(train_together([job]))
            known[name] += asked.known(measure_other_facts(job, asked.rows).recall).sum()
        assert read_outcome(directory)["selection"]["facts_kept"] > 0.9 * 150
    assert known["all"] > seeds * 0.3 * len(corpus.knowledge)
    assert known["selected"] >= known["all"] - 3 * seeds
