import jax
import jax.numpy as jnp
import numpy as np
import pytest

from factcap.models import TrainConfig, TransformerConfig, model_vocabulary
from factcap.models.training.config import default_batch, total_steps
from factcap.models.training.schedule import make_schedule
from factcap.models.training.steps import initial_state, scan_steps
from factcap.models.transformer.fast.values import Reading, value_logits, value_nll
from factcap.models.transformer.layout import context_length, to_device
from factcap.synth import BadInput
from tests.conftest import make_facts


def small(facts):
    return TransformerConfig(model_vocabulary(facts), width=8, depth=1, heads=1)


def train(facts, config, scans, batch=16):
    schedule = make_schedule(config, len(facts), 8)
    state = initial_state(small(facts), schedule, config.seed)
    reading = Reading(small(facts), context_length(facts))
    device, losses = to_device(facts), []
    for _ in range(scans):
        state, nats = scan_steps(reading, batch, state, device, schedule)
        losses.append(np.asarray(nats))
    return reading, state, np.concatenate(losses)


def test_loss_falls_from_that_of_a_guess(facts):
    _, state, losses = train(facts, TrainConfig(exposures=800), 20)
    assert abs(losses[0] - np.log(12)) < 0.05
    assert losses[-100:].mean() < 0.5 * losses[0]
    assert int(state.step) == 2000


def test_same_seed_same_bits_and_another_seed_others(facts):
    same = [train(facts, TrainConfig(seed=seed), 2)[1].params for seed in (3, 3, 4)]
    leaves = [jax.tree.leaves(params) for params in same]
    assert all(jnp.array_equal(a, b) for a, b in zip(leaves[0], leaves[1], strict=True))
    assert not any(
        jnp.array_equal(a, b) for a, b in zip(leaves[0], leaves[2], strict=True) if a.ndim == 2
    )


def test_steps_give_the_exposures():
    config = TrainConfig(exposures=100, batch=32)
    assert total_steps(config, 10_000) == 31_300
    assert pytest.approx(100, rel=0.01) == 31_300 * 32 / 10_000
    assert total_steps(config, 10) == 2000
    # Scoring costs no more than its own draws.
    assert total_steps(config, 10, scoring_draws=33) == 1998


@pytest.mark.parametrize("facts", [1, 10, 300, 5000, 10**8])
def test_default_batch_is_a_power_of_two_in_range(facts):
    batch = default_batch(facts)
    assert 16 <= batch <= 256
    assert batch & (batch - 1) == 0


def test_learning_rate_rises_stays_and_falls_to_a_hundredth():
    config = TrainConfig(learning_rate=0.5, warmup=0.1, decay=0.4, exposures=400, batch=16)
    schedule = make_schedule(config, 400, 8)
    steps = total_steps(config, 400)
    rates = np.asarray(jax.vmap(schedule.rate)(jnp.arange(steps)))
    up, down = round(0.1 * steps), round(0.6 * steps)
    assert np.all(np.diff(rates[:up]) > 0)
    np.testing.assert_allclose(rates[up : down + 1], 0.5, rtol=1e-6)
    assert np.all(np.diff(rates[down:-50]) < 0)
    assert rates[-1] == pytest.approx(0.005, rel=1e-2)
    # half of the way down in the middle
    assert rates[(down + steps) // 2] == pytest.approx(0.25, rel=0.01)


def test_a_rate_that_falls_early_does_so_without_a_jump():
    schedule = make_schedule(TrainConfig(learning_rate=0.5, batch=16), 400, 8).falling_from(3000)
    assert schedule.rate(3000) == pytest.approx(0.5)
    assert schedule.rate(3750) == pytest.approx(0.25)
    assert schedule.rate(4499) == pytest.approx(0.005)


def test_schedule_free_keeps_its_rate_to_the_end():
    config = TrainConfig(learning_rate=0.5, optimizer="schedule-free-adamw", batch=16)
    assert make_schedule(config, 400, 8).rate(total_steps(config, 400)) == pytest.approx(0.5)


def test_loss_counts_value_tokens_only():
    facts = make_facts(30)
    reading = Reading(small(facts), context_length(facts))
    state = initial_state(small(facts), make_schedule(TrainConfig(), 30, 8), 0)
    batch = to_device(facts).take(jnp.arange(30))
    logits = value_logits(reading, state.params, batch)
    nll = np.asarray(value_nll(reading, state.params, batch))
    log_p = np.asarray(jax.nn.log_softmax(logits))
    for row in range(30):
        value = facts.tokens[row, facts.key_length[row] : facts.length[row]]
        expected = [-log_p[row, place, token] for place, token in enumerate(value)]
        np.testing.assert_allclose(nll[row, : len(value)], expected, rtol=1e-5)
        assert np.all(nll[row, len(value) :] == 0)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("exposures", 0.0, "exposures must be positive and finite, not 0.0"),
        ("exposures", float("nan"), "exposures must be positive and finite, not nan"),
        ("batch", -1, "batch must be positive, or 0"),
        ("learning_rate", -0.1, "learning_rate must be positive"),
        ("warmup", 1.0, r"warmup must lie in \[0, 1\), not 1.0"),
        ("decay", -0.1, r"decay must be at least 0 and at most 1 - warmup = 0.95, not -0.1"),
        ("decay", 1.0, r"decay must be at least 0 and at most 1 - warmup = 0.95, not 1.0"),
        ("precision", "int4", "no precision is called 'int4'; there are float32, bfloat16"),
        ("weight_decay", -1.0, "weight_decay must be finite and >= 0"),
        ("beta2", 1.0, r"beta2 must lie in \[0, 1\)"),
        ("seed", -1, r"seed must lie in \[0, 2\^32\), not -1"),
    ],
)
def test_values_out_of_range_are_refused(field, value, message):
    with pytest.raises(BadInput, match=message):
        TrainConfig(**{field: value})
