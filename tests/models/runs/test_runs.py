import json

import numpy as np
import pytest

from factcap.models import Job, TrainConfig, TransformerConfig, read_run, run, run_config
from factcap.models.runs.files import write_whole
from factcap.models.runs.member import Member
from factcap.models.training.config import total_steps
from factcap.synth import BadInput
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
    member = Member(0, Job(facts, MODEL, training, tmp_path / "run"))
    member.done = 1000
    member.checked(left * facts.entropy_bits, np.arange(40) < known)
    assert member.steps == steps
    assert member.result is None
    rate = [float(member.schedule().rate(step)) for step in (999, 1250, 1499)]
    assert rate[0] == pytest.approx(member.training.learning_rate)
    assert (rate[1] == pytest.approx(rate[0] / 2)) == (steps == 1500)


def test_the_id_depends_on_everything_that_matters(facts):
    base = run_config(facts, MODEL, TRAINING)["id"]
    assert run_config(make_facts(40), MODEL, TRAINING)["id"] == base
    wider = TransformerConfig(vocabulary=12, width=16, depth=1, heads=1)
    others = [
        run_config(make_facts(41), MODEL, TRAINING),
        run_config(make_facts(40, exponent=1.0), MODEL, TRAINING),
        run_config(make_facts(40, seed=1), MODEL, TRAINING),
        run_config(facts, wider, TRAINING),
        run_config(facts, MODEL, TrainConfig(exposures=10, seed=1)),
        run_config(facts, MODEL, TrainConfig(exposures=200)),
    ]
    assert len({base, *(other["id"] for other in others)}) == 7


def test_other_directories_are_left_alone(tmp_path, facts):
    run(facts, MODEL, TRAINING, tmp_path / "run")
    before = (tmp_path / "run" / "config.json").read_bytes()
    with pytest.raises(BadInput, match="holds another run"):
        run(facts, MODEL, TrainConfig(exposures=10, seed=5), tmp_path / "run")
    assert (tmp_path / "run" / "config.json").read_bytes() == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    with pytest.raises(BadInput, match=r"mine is not a run directory: it has no config.json"):
        run(facts, MODEL, TRAINING, tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_reading_what_is_no_finished_run(tmp_path, facts):
    with pytest.raises(BadInput, match="is not a run directory"):
        read_run(tmp_path / "absent")
    run(facts, MODEL, TRAINING, tmp_path / "run")
    (tmp_path / "run" / "outcome.json").unlink()
    with pytest.raises(BadInput, match="is not finished"):
        read_run(tmp_path / "run")
    (tmp_path / "run" / "config.json").write_text("{}")
    with pytest.raises(BadInput, match=r"is not the config.json of a run"):
        read_run(tmp_path / "run")


def test_a_model_with_too_few_token_ids_is_refused(tmp_path, facts):
    small = TransformerConfig(vocabulary=11, width=8, depth=1, heads=1)
    with pytest.raises(BadInput, match="has 11 token ids; this fact set needs 12"):
        run(facts, small, TRAINING, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_diverging_run_says_so(tmp_path, facts):
    with pytest.raises(FloatingPointError, match=r"not finite at step .* smaller learning rate"):
        run(facts, MODEL, TrainConfig(learning_rate=1e30), tmp_path / "run")


def test_two_may_write_a_file_at_once(tmp_path):
    file = tmp_path / "file"

    def write(partial):
        partial.write_text("one, begun first and ended last")
        write_whole(file, lambda beside: beside.write_text("other"))
        assert file.read_text() == "other"

    write_whole(file, write)
    assert file.read_text() == "one, begun first and ended last"
    assert list(tmp_path.iterdir()) == [file]


def test_what_was_not_written_to_its_end_is_not_left(tmp_path):
    def write(partial):
        partial.write_text("some")
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        write_whole(tmp_path / "file", write)
    assert not list(tmp_path.iterdir())
