import numpy as np
import pytest

from factcap.models import Diverged, Job, Measurement, TrainConfig, TransformerConfig
from factcap.models.runs.live_run import LiveRun

MODEL = TransformerConfig(vocabulary=12, width=8, depth=1, heads=1)


@pytest.fixture
def live(tmp_path, facts):
    """A run of 1000 steps."""
    training = TrainConfig(exposures=1, fewest_steps=1000, batch=16)
    run = LiveRun(0, Job(facts, MODEL, training, tmp_path / "run"))
    yield run
    run.directory.close()


@pytest.mark.parametrize(
    ("left", "known", "saturate", "steps"),
    [
        (0.01, 40, True, 1500),  # from 1000 half as many again
        (0.01, 39, True, 10_000),
        (0.05, 40, True, 10_000),
        (0.01, 40, False, 10_000),
    ],
)
def test_when_all_is_known_the_rate_falls_at_once(tmp_path, facts, left, known, saturate, steps):
    training = TrainConfig(exposures=1, fewest_steps=10_000, batch=16, saturate=saturate)
    live = LiveRun(0, Job(facts, MODEL, training, tmp_path / "run"))
    live.done = 1000
    live.checked((left * facts.entropy_bits).astype(np.float32), np.arange(40) < known)
    assert live.steps == steps
    assert live.result is None
    rate = [float(live.schedule().rate(step)) for step in (999, 1250, 1499)]
    assert rate[0] == pytest.approx(live.training.learning_rate)
    assert (rate[1] == pytest.approx(rate[0] / 2)) == (steps == 1500)


def test_checks_are_due_now_and_then_and_at_the_end(live):
    due = []
    while live.done < live.steps:
        line = live.took(np.full(100, np.log(2)), 0.5)
        assert line["loss_bits_per_token"] == pytest.approx(1.0)
        assert line["exposures"] == line["step"] * 16 / 40
        if live.check_due():
            due.append(live.done)
    assert due == [500, 1000]
    assert (live.seconds, live.scans) == (5.0, [0.5] * 10)


def test_the_check_at_the_end_is_the_measurement(live, facts):
    live.done = 1000
    found = live.checked(np.ones(40, np.float32), np.arange(40) < 7)
    assert found == {
        "stored_bits": pytest.approx(facts.entropy_bits.sum() - 40),
        "facts_known": 7,
    }
    assert isinstance(live.result, Measurement)
    assert live.result.facts_known == 7
    assert live.result.parameters == MODEL.parameters


def test_a_run_that_diverges_in_its_last_steps_is_not_measured(live):
    live.done = 900
    live.took(np.where(np.arange(100) < 42, 1.0, np.nan), 0.5)
    assert isinstance(live.result, Diverged)
    assert live.result.step == 942
    assert not live.check_due()
