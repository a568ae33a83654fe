import json
import shutil
from contextlib import contextmanager

import numpy as np
import pytest

from factcap.models import (
    TrainConfig,
    TransformerConfig,
    model_vocabulary,
    read_outcome,
    read_run,
    run,
    run_config,
)
from factcap.synth import BadInput, load, phonebook, write

MODEL = TransformerConfig(vocabulary=12, width=8, depth=1, heads=1)
TRAINING = TrainConfig(exposures=10, batch=16, fewest_steps=400, optimizer="adamw")
OLD = "0" * 64


class CutOffError(Exception):
    """Stands for a run that is cut off."""


@contextmanager
def old_code():
    """The code is another meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("factcap.models.runs.job.code_digest", lambda *roots: OLD)
        yield


def cut_off(facts, model, training, folder):
    def cut(done, total, metrics):
        if done == 300:
            raise CutOffError

    with old_code(), pytest.raises(CutOffError):
        run(facts, model, training, folder, progress=cut, checkpoint_seconds=0.0)


def codes_of_attempts(folder):
    lines = (folder / "attempts.jsonl").read_text().splitlines()
    return [json.loads(line)["code"] for line in lines]


def test_a_run_goes_on_under_other_code_only_if_that_is_accepted(tmp_path, facts):
    today = run_config(facts, MODEL, TRAINING)["code"]
    whole = run(facts, MODEL, TRAINING, tmp_path / "whole")
    assert read_outcome(tmp_path / "whole")["codes"] == [today]
    folder = tmp_path / "cut"
    cut_off(facts, MODEL, TRAINING, folder)
    before = (folder / "config.json").read_bytes()
    with pytest.raises(BadInput, match=r"holds this run, made by other .*accept-other-code"):
        run(facts, MODEL, TRAINING, folder)
    assert codes_of_attempts(folder) == [OLD]
    seen = []
    resumed = run(
        facts,
        MODEL,
        TRAINING,
        folder,
        progress=lambda done, *_: seen.append(done),
        accept_other_code=True,
    )
    assert seen[0] == 300  # from the state at 200
    np.testing.assert_array_equal(resumed.nll_bits, whole.nll_bits)
    assert codes_of_attempts(folder) == [OLD, today]
    assert read_outcome(folder)["codes"] == [OLD, today]
    assert (folder / "config.json").read_bytes() == before
    assert read_run(folder)[0]["code"] == OLD
    # finished, it is of both codes, whichever asks
    with pytest.raises(BadInput, match="made by other code"):
        run(facts, MODEL, TRAINING, folder)
    with old_code(), pytest.raises(BadInput, match="made by other code"):
        run(facts, MODEL, TRAINING, folder)
    read = run(facts, MODEL, TRAINING, folder, accept_other_code=True)
    np.testing.assert_array_equal(read.nll_bits, resumed.nll_bits)


def test_another_run_is_not_accepted(tmp_path, facts):
    cut_off(facts, MODEL, TRAINING, tmp_path / "run")
    other = TrainConfig(exposures=10, seed=5)
    with pytest.raises(BadInput, match="holds another run"):
        run(facts, MODEL, other, tmp_path / "run", accept_other_code=True)


def test_a_run_from_before_codes_were_noted_is_of_the_code_of_its_configuration(tmp_path, facts):
    folder = tmp_path / "run"
    cut_off(facts, MODEL, TRAINING, folder)
    lines = [json.loads(line) for line in (folder / "attempts.jsonl").read_text().splitlines()]
    for line in lines:
        del line["code"]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "attempts.jsonl").write_text(text + '{"step": 3')
    with pytest.raises(BadInput, match="made by other code"):
        run(facts, MODEL, TRAINING, folder)
    shutil.copytree(folder, tmp_path / "same")
    with old_code():
        run(facts, MODEL, TRAINING, tmp_path / "same")
    assert read_outcome(tmp_path / "same")["codes"] == [OLD]


def test_the_command_names_the_option_and_marks_the_run(call, tmp_path):
    write(phonebook(20), tmp_path / "book.parquet")
    facts = load(tmp_path / "book.parquet")
    training = TrainConfig(exposures=20, batch=16, optimizer="adamw")
    folder = tmp_path / "run"
    cut_off(facts, TransformerConfig(model_vocabulary(facts), 8, 1, 1), training, folder)
    words = ["train", tmp_path / "book.parquet", "--out", folder]
    words += ["--width", 8, "--depth", 1, "--heads", 1]
    words += ["--exposures", 20, "--batch", 16, "--optimizer", "adamw"]
    code, out, err = call(*words)
    assert (code, out) == (2, "")
    assert "Traceback" not in err
    assert "--accept-other-code" in err.splitlines()[-1]
    code, out, err = call(*words, "--accept-other-code")
    assert code == 0, err
    assert "code                2 versions: 000000000000, " in out
    assert call("measure", folder)[1] == out
    code, _, err = call(*words, "--accept-other-code")
    assert code == 2
    assert "holds a finished run" in err
