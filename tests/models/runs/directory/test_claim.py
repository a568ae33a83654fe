import json

import pytest

from factcap.models import TrainConfig, TransformerConfig, run, run_config
from factcap.models.runs.directory.claim import claim
from factcap.models.runs.directory.reading import read_config
from factcap.synth import BadInput
from factcap.synth.disk.files import Damaged, DamagedWarning

MODEL = TransformerConfig(vocabulary=12, width=8, depth=1, heads=1)
TRAINING = TrainConfig(exposures=10)


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


@pytest.mark.parametrize("there", [None, (), ("lock", "config.json.1f.part")])
def test_a_new_or_an_empty_directory_becomes_the_runs(tmp_path, facts, there):
    config, folder = run_config(facts, MODEL, TRAINING), tmp_path / "some" / "run"
    if there is not None:
        folder.mkdir(parents=True)
        for name in there:
            (folder / name).touch()
    claim(folder, config)
    assert read_config(folder) == json.loads(json.dumps(config))
    before = (folder / "config.json").stat().st_mtime_ns
    claim(folder, config)
    assert (folder / "config.json").stat().st_mtime_ns == before


def test_a_damaged_configuration_is_written_again_only_where_the_name_is_the_runs(tmp_path, facts):
    config = run_config(facts, MODEL, TRAINING)
    for name in (config["id"], "mine"):
        claim(tmp_path / name, config)
        (tmp_path / name / "config.json").write_text("{}")
    with pytest.warns(DamagedWarning, match="it is written again"):
        claim(tmp_path / config["id"], config)
    assert read_config(tmp_path / config["id"])["id"] == config["id"]
    with pytest.raises(Damaged):
        claim(tmp_path / "mine", config)
    assert (tmp_path / "mine" / "config.json").read_text() == "{}"


def test_a_file_is_no_directory(tmp_path, facts):
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match="is a file; a run needs a directory"):
        claim(tmp_path / "file", run_config(facts, MODEL, TRAINING))
