import json

import numpy as np
import pytest

from factcap.models import TrainConfig, TransformerConfig, read_run, run, run_config
from factcap.models.training.config import total_steps
from tests.conftest import make_facts

MODEL = TransformerConfig(vocabulary=12, width=8, depth=1, heads=1)
TRAINING = TrainConfig(exposures=10)


class CutOffError(Exception):
    """Stands for a run that is cut off."""


def test_an_interrupted_run_resumes_to_the_same_bits(tmp_path, facts):
    whole = run(facts, MODEL, TRAINING, tmp_path / "whole")

    def cut(done, total, metrics):
        if done == 1000:
            raise CutOffError

    with pytest.raises(CutOffError):
        run(facts, MODEL, TRAINING, tmp_path / "cut", progress=cut, checkpoint_seconds=0.0)
    seen = []
    resumed = run(
        facts, MODEL, TRAINING, tmp_path / "cut", progress=lambda done, *_: seen.append(done)
    )
    assert seen[0] == 1000  # the state at 900 was the last one saved
    np.testing.assert_array_equal(resumed.nll_bits, whole.nll_bits)
    np.testing.assert_array_equal(resumed.recall, whole.recall)
    lines = [
        [json.loads(line) for line in (tmp_path / name / "metrics.jsonl").read_text().splitlines()]
        for name in ("whole", "cut")
    ]
    for line in (*lines[0], *lines[1]):
        line.pop("seconds")
    assert lines[0] == lines[1]


def test_a_finished_run_is_read_and_not_run_again(tmp_path, facts):
    first = run(facts, MODEL, TRAINING, tmp_path / "run")

    def never(*_):
        raise AssertionError("it ran again")

    second = run(facts, MODEL, TRAINING, tmp_path / "run", progress=never)
    np.testing.assert_array_equal(first.nll_bits, second.nll_bits)
    config, read = read_run(tmp_path / "run")
    assert config == run_config(facts, MODEL, TRAINING)
    assert read.summary() == first.summary()


def test_a_run_ends_when_nothing_is_left_to_learn(tmp_path):
    facts = make_facts(6, keys=(2, 2), values=(1, 1))
    seen = []
    training = TrainConfig(exposures=5000)
    first = run(
        facts, MODEL, training, tmp_path / "run", progress=lambda *step: seen.append(step[:2])
    )
    assert first.facts_known == 6
    assert first.unclipped_stored_bits > 0.999 * facts.entropy_bits.sum()
    done, total = seen[-1]
    assert done == total < total_steps(training, 6)
    last = json.loads((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()[-1])
    assert last["step"] == done
    assert last["stored_bits"] == pytest.approx(first.unclipped_stored_bits)
    # killed between the last state and the measurement, it goes no step further
    (tmp_path / "run" / "outcome.json").unlink()
    again = run(facts, MODEL, training, tmp_path / "run", progress=lambda *_: pytest.fail("a step"))
    np.testing.assert_array_equal(again.nll_bits, first.nll_bits)


def test_a_diverging_run_says_so(tmp_path, facts):
    with pytest.raises(FloatingPointError, match=r"not finite at step .* smaller learning rate"):
        run(facts, MODEL, TrainConfig(learning_rate=1e30), tmp_path / "run")
