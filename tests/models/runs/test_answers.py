from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

from factcap.models import Job, TrainConfig, TransformerConfig, model_vocabulary, train_together
from factcap.models.runs.answers import read_answers
from factcap.models.runs.last_params import last_params
from factcap.models.transformer.fast.values import Reading, value_logits
from factcap.models.transformer.layout import context_length, to_device
from factcap.synth import BadInput
from tests.conftest import make_facts


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    facts = make_facts(30, keys=(1, 3), values=(1, 3), vocabulary=32)
    model = TransformerConfig(model_vocabulary(facts), 16, 2, 1)
    training = TrainConfig(exposures=6, fewest_steps=0, batch=16, saturate=False)
    job = Job(facts, model, training, tmp_path_factory.mktemp("run") / "run")
    list(train_together([job]))
    return job


@pytest.mark.slow
def test_answers_are_those_of_a_loop_that_takes_the_likeliest(made):
    facts = made.facts
    found = read_answers(made, facts)
    reading = Reading(made.model, context_length(facts))
    params = last_params(made.directory, made.model, made.training, len(facts))
    asked = to_device(facts).take(jnp.arange(len(facts)))
    tokens = np.array(asked.tokens_BxT)
    for row in range(len(facts)):
        probability, right = 1.0, True
        for place in range(int(facts.length[row] - facts.key_length[row])):
            batch = replace(asked, tokens_BxT=jnp.asarray(tokens))
            logits = np.asarray(value_logits(reading, params, batch), float)[row, place]
            weights = np.exp(logits - logits.max())
            probability *= weights.max() / weights.sum()
            at = reading.context + place
            right &= bool(tokens[row, at] == logits.argmax())
            tokens[row, at] = logits.argmax()
        assert found.right[row] == right
        assert found.probability[row] == pytest.approx(probability, rel=1e-4)


def test_what_is_right_is_what_is_recalled(made):
    others = make_facts(30, keys=(1, 3), values=(1, 3), vocabulary=32, seed=1)
    known = []
    for facts in (made.facts, others):
        found = read_answers(made, facts)
        np.testing.assert_array_equal(found.right, found.measurement.recall)
        value = np.exp2(-found.measurement.nll_bits)
        np.testing.assert_allclose(found.probability[found.right], value[found.right], rtol=1e-3)
        known.append(found.right.mean())
    assert known[0] > 0.5 > known[1]


def test_a_model_that_is_not_there_cannot_answer(made, tmp_path):
    job = Job(made.facts, made.model, made.training, tmp_path / "none")
    with pytest.raises(BadInput, match="is not finished"):
        read_answers(job, made.facts)
