import dataclasses
import json
import os
import socket
import subprocess
import sys

import jax
import numpy as np
import pytest
from jax.sharding import Mesh

from factcap import cli
from factcap.models import (
    Job,
    SelectConfig,
    TrainConfig,
    make_mesh,
    read_outcome,
    run,
    train_together,
)
from factcap.models.training.devices.hosts import join
from factcap.models.training.devices.mesh import AXES, check_mesh, mesh_sizes
from factcap.synth import BadInput, write
from tests.conftest import make_facts
from tests.models.training.devices import one_of_two

FACTS, MODEL, TRAINING = one_of_two.FACTS, one_of_two.MODEL, one_of_two.TRAINING
HERE = "tests.models.training.devices"


class CutOffError(Exception):
    """Stands for a run that is cut off."""


def cut(done, *_):
    if done == 200:
        raise CutOffError


def start(module, *words, devices):
    environment = os.environ | {"JAX_NUM_CPU_DEVICES": str(devices), "JAX_PLATFORMS": "cpu"}
    return subprocess.Popen(
        [sys.executable, "-m", module, *words],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return run(FACTS, MODEL, TRAINING, tmp_path_factory.mktemp("alone") / "run")


def assert_same(measurement, other):
    """Within 2e-4 bits a fact after 200 steps; 2e-6 was measured."""
    np.testing.assert_allclose(measurement.nll_bits, other.nll_bits, atol=2e-4)
    assert (measurement.recall == other.recall).mean() > 0.95


@pytest.mark.parametrize("mesh", [pytest.param("data=2", marks=pytest.mark.slow), "model=2"])
def test_a_run_on_two_devices_is_that_on_one(tmp_path, alone, mesh):
    assert_same(run(FACTS, MODEL, TRAINING, tmp_path / "run", mesh=make_mesh(mesh)), alone)


@pytest.mark.parametrize(
    ("before", "after"), [("data=2", "model=2"), ("model=2", None), (None, "model=2")]
)
def test_a_run_goes_on_on_another_mesh(tmp_path, alone, before, after):
    first, second = (None if mesh is None else make_mesh(mesh) for mesh in (before, after))
    with pytest.raises(CutOffError):
        run(
            FACTS,
            MODEL,
            TRAINING,
            tmp_path,
            mesh=first,
            progress=cut,
            checkpoint_seconds=0.0,
        )
    seen = []
    resumed = run(
        FACTS, MODEL, TRAINING, tmp_path, mesh=second, progress=lambda done, *_: seen.append(done)
    )
    assert seen == [200]  # the state at 100 was saved
    assert_same(resumed, alone)


@pytest.mark.slow
def test_facts_are_selected_on_two_devices_as_on_one(tmp_path):
    half = float(FACTS.entropy_bits.sum()) / 2
    select = SelectConfig("worth", budget_bits=half, first=0.5)
    training = dataclasses.replace(TRAINING, select=select)
    one = run(FACTS, MODEL, training, tmp_path / "one")
    two = run(FACTS, MODEL, training, tmp_path / "two", mesh=make_mesh("data=2"))
    assert_same(two, one)
    kept = [read_outcome(tmp_path / name)["selection"] for name in ("one", "two")]
    assert kept[0]["facts_kept"] == kept[1]["facts_kept"] < len(FACTS)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("optimizer", "precision", "losses", "params"),
    [
        ("adamw", "float32", 5e-6, 1e-5),
        ("muon", "float32", 5e-6, 1e-4),
        ("schedule-free-muon", "float32", 5e-6, 1e-4),
        ("muon", "bfloat16", 2e-3, 5e-3),
    ],
)
def test_eight_devices_do_what_one_does(optimizer, precision, losses, params):
    """100 steps. Losses differ by at most `losses` nats, parameters by at most `params`.

    Measured: 5e-7 and 3e-7 in float32, 1.3e-4 and 5.2e-4 in bfloat16. Parameters moved by 0.07.
    """
    meshes = {"data=8": 1, "data=4,model=2": 2, "model=8": 8}
    process = start(
        "tests.models.training.devices.on_many_devices", optimizer, precision, *meshes, devices=8
    )
    out, errors = process.communicate()
    assert process.returncode == 0, errors
    assert "rematerialization" not in errors  # the compiler would replicate what is divided
    for text, found in json.loads(out).items():
        parts = meshes[text]
        assert found["start"] == 0
        assert found["losses"] < losses
        assert found["params"] < params
        assert found["moved"] > 0.02
        assert found["learned"] > 0.02
        # Each device holds one of as many parts of every matrix, whole ones of scales and counts.
        for name, (shape, shards) in found["shards"].items():
            divided = len(shape) > 1 and "scale" not in name
            assert len(shards) == 8
            for shard in shards:
                assert np.prod(shard) == np.prod(shape) / (parts if divided else 1)
        kinds = found["collectives"]
        assert kinds["all-reduce"] > 0  # of losses at least
        matrices = 4 * 2 + 1
        assert kinds.get("reduce-scatter", 0) == (matrices if parts > 1 else 0)
        assert kinds.get("all-gather", 0) >= (matrices if parts > 1 else 0)
        moved = 4 * 4 if "muon" in optimizer and parts > 1 else 0
        assert kinds.get("all-to-all", 0) == moved
        assert kinds.get("collective-permute", 0) == 0


@pytest.mark.slow
@pytest.mark.parametrize("mesh", ["data=2", "model=2"])
def test_two_processes_do_what_one_does(tmp_path, alone, mesh):
    with socket.socket() as free:
        free.bind(("", 0))
        port = str(free.getsockname()[1])
    words = (mesh, str(tmp_path))
    both = [start(f"{HERE}.one_of_two", port, number, *words, devices=1) for number in ("0", "1")]
    for process in both:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    first, second = (np.load(tmp_path / f"nll{number}.npy") for number in (0, 1))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first, alone.nll_bits, atol=2e-4)
    # One of them wrote the lines; what both saved is read by one, which has no step to make.
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [100, 200]
    (tmp_path / "run" / "outcome.json").unlink()
    again = run(FACTS, MODEL, TRAINING, tmp_path / "run", progress=lambda *_: pytest.fail("a step"))
    np.testing.assert_allclose(again.nll_bits, first, atol=1e-5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' is no axis of a mesh; write it as data=4,model=2"),
        ("data", "'data' is no axis"),
        ("data=0", "'data=0' is no axis"),
        ("data=-1", "'data=-1' is no axis"),
        ("data=2,tensor=2", "'tensor=2' is no axis"),
        ("data=2,data=1", "names data twice"),
        ("data=4,model=2", "needs 8 devices; there are 2"),
    ],
)
def test_a_mesh_that_cannot_be_is_refused(text, message):
    with pytest.raises(BadInput, match=message):
        make_mesh(text)


def test_a_mesh_is_written_as_it_is_read():
    assert mesh_sizes(" model=3 , data=20") == {"data": 20, "model": 3}


def test_what_cannot_be_divided_is_refused(tmp_path):
    mesh = make_mesh("model=2")
    odd = TrainConfig(batch=15)
    with pytest.raises(BadInput, match="a batch of 15 facts cannot be divided over 2 devices"):
        run(FACTS, MODEL, odd, tmp_path / "run", mesh=mesh)
    assert not (tmp_path / "run").exists()
    # Widths are even, so that only three devices or more cannot divide one.
    three = Mesh(np.asarray(jax.devices())[[[0, 1, 0]]], AXES)
    with pytest.raises(BadInput, match="width 8 cannot be divided over model=3 devices"):
        check_mesh(three, MODEL, 15)
    other = Mesh(np.asarray(jax.devices()), ("members",))
    with pytest.raises(BadInput, match="the axes of a mesh must be"):
        run(FACTS, MODEL, TRAINING, tmp_path / "run", mesh=other)
    jobs = [Job(FACTS, MODEL, TRAINING, tmp_path / name) for name in "ab"]
    with pytest.raises(BadInput, match="a mesh trains one model, not 2 together"):
        list(train_together(jobs, mesh=mesh))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("localhost", 2, 1), "'localhost' is no address of a coordinator; write it as host:port"),
        (("localhost:x", 2, 1), "is no address"),
        (("localhost:1", 2, None), "needs the number of processes and that of this process"),
        (("localhost:1", 2, 2), "numbered from 0 to 1; this one has number 2"),
        (("auto", 2, None), "the cluster tells how many processes"),
        (("localhost:1", 2, 1, 0.1), "the coordinator localhost:1 cannot be reached"),
        (("nowhere.invalid:1", 2, 1), "the coordinator nowhere.invalid:1 cannot be reached"),
    ],
)
def test_processes_that_cannot_be_joined_are_told_why(arguments, message):
    with pytest.raises(BadInput, match=message):
        join(*arguments)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--mesh", "data=3"], "the mesh data=3 needs 3 devices; there are 2"),
        (["--mesh", "tensor=2"], "'tensor=2' is no axis of a mesh"),
        (["--processes", "2"], "--processes and --process need --coordinator"),
        (["--coordinator", "localhost:1"], "several processes train one model on a --mesh"),
        (
            [
                *("--mesh", "data=4", "--coordinator", "localhost:1"),
                *("--processes", "2", "--process", "1", "--join-seconds", "0.1"),
            ],
            "the coordinator localhost:1 cannot be reached",
        ),
    ],
)
def test_the_command_says_in_one_line_what_is_wrong(tmp_path, monkeypatch, capsys, words, message):
    write(make_facts(20), tmp_path / "facts.parquet")
    out = tmp_path / "run"
    line = ["factcap", "train", str(tmp_path / "facts.parquet"), "--out", str(out), *words]
    monkeypatch.setattr(sys, "argv", line)
    monkeypatch.setattr("factcap.models.compiler.keep_compiled", lambda: None)
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2
    errors = capsys.readouterr().err
    assert errors.startswith("factcap: ")
    assert message in errors
    assert errors.count("\n") == 1
    assert not out.exists()
