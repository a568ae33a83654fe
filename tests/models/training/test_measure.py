import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from factcap.models import Measurement, TrainConfig
from factcap.models.training.measure import measure_device
from factcap.models.training.steps import trained_module
from factcap.models.transformer.layout import to_device
from factcap.synth import BadInput
from tests.conftest import make_facts
from tests.models.training.test_steps import train


@nnx.jit
def logits(model, tokens):
    return model(tokens)


def greedy(model, facts, number):
    """Decode one token at a time from the key alone, without padding."""
    start = [facts.vocabulary_size] if 0 in facts.key_length else []
    key = list(facts.tokens[number, : facts.key_length[number]])
    told = [*start, *map(int, key)]
    for _ in range(facts.length[number] - facts.key_length[number]):
        told.append(int(jnp.argmax(logits(model, jnp.asarray([told]))[0, -1])))
    return told[len(start) + len(key) :]


@pytest.mark.parametrize(("keys", "values"), [((2, 4), (1, 3)), ((3, 3), (2, 2)), ((0, 2), (1, 2))])
def test_recall_is_that_of_step_by_step_greedy_decoding(keys, values):
    facts = make_facts(60, keys=keys, values=values)
    reading, state, _ = train(facts, TrainConfig(exposures=150, batch=16), 4)
    _, recall = measure_device(reading, state.params, to_device(facts))
    model = trained_module(reading.model, state.params)
    decoded = [greedy(model, facts, number) for number in range(60)]
    truth = [
        list(f[k:n]) for f, k, n in zip(facts.tokens, facts.key_length, facts.length, strict=True)
    ]
    np.testing.assert_array_equal(recall, [a == b for a, b in zip(decoded, truth, strict=True)])
    assert 0 < recall.sum() < 60  # 27 to 50, whatever the seed


def test_nll_is_that_of_the_model_in_bits():
    facts = make_facts(25)
    reading, state, _ = train(facts, TrainConfig(), 2)
    nll, _ = measure_device(reading, state.params, to_device(facts))
    model = trained_module(reading.model, state.params)
    for number in range(25):
        ids = facts.tokens[number, : facts.length[number]]
        key = int(facts.key_length[number])
        log_p = jax.nn.log_softmax(logits(model, jnp.asarray(ids[None])))[0]
        expected = -sum(float(log_p[t - 1, ids[t]]) for t in range(key, len(ids))) / np.log(2)
        assert nll[number] == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_summary_numbers():
    measurement = Measurement(
        nll_bits=np.array([0.0, 1.0, 9.0], np.float32),
        recall=np.array([True, True, False]),
        entropy_bits=np.array([4.0, 4.0, 8.0]),
        frequency=np.array([0.5, 0.3, 0.2]),
        parameters=14,
    )
    summary = measurement.summary()
    assert summary["facts_known"] == 2
    assert summary["accuracy"] == pytest.approx(2 / 3)
    assert summary["weighted_accuracy"] == pytest.approx(0.8)
    assert summary["stored_bits"] == pytest.approx(7.0)
    assert summary["unclipped_stored_bits"] == pytest.approx(6.0)
    assert summary["bits_per_parameter"] == pytest.approx(0.5)
    assert summary["entropy_bits"] == 16.0


def test_all_known_is_exactly_one():
    frequency = np.random.default_rng(0).dirichlet(np.ones(1000))
    ones = np.ones(1000)
    measurement = Measurement(np.zeros(1000, np.float32), ones > 0, ones, frequency, 1)
    assert measurement.weighted_accuracy == 1.0


def test_saved_and_loaded_are_equal(tmp_path):
    rng = np.random.default_rng(0)
    measurement = Measurement(
        rng.random(9, np.float32), rng.random(9) < 0.5, rng.random(9), rng.random(9), 77
    )
    measurement.save(tmp_path / "m.parquet")
    loaded = Measurement.load(tmp_path / "m.parquet")
    for name in ("nll_bits", "recall", "entropy_bits", "frequency"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(measurement, name))
    assert loaded.parameters == 77
    assert [path.name for path in tmp_path.iterdir()] == ["m.parquet"]


def test_a_damaged_file_is_refused(tmp_path):
    path = tmp_path / "m.parquet"
    path.write_bytes(b"no parquet")
    with pytest.raises(BadInput, match="not a readable measurement"):
        Measurement.load(path)
