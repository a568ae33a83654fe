import pytest

from factcap.models import TrainConfig, TransformerConfig, read_run, run
from factcap.synth import BadInput

MODEL = TransformerConfig(vocabulary=12, width=8, depth=1, heads=1)
TRAINING = TrainConfig(exposures=10)


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
