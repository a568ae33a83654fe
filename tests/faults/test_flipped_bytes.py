import json
import shutil
from dataclasses import replace

import jax
import numpy as np
import pytest

from factcap.models import Job, Store, TrainConfig, TransformerConfig, read_outcome, read_run, run
from factcap.models.runs.directory.checkpoints import Checkpoints
from factcap.models.runs.directory.reading import read_config
from factcap.models.sweep.store.table import result_row, results
from factcap.models.training.schedule import make_schedule
from factcap.models.training.steps import initial_state, scan_steps
from factcap.models.transformer.fast.values import Reading
from factcap.models.transformer.layout import Layout, to_device
from factcap.synth import BadInput
from factcap.synth.disk.files import Damaged, DamagedWarning
from tests.conftest import make_facts

MODEL = TransformerConfig(vocabulary=12, width=8, depth=1, heads=1)
TRAINING = TrainConfig(exposures=1, fewest_steps=400, saturate=False)
FLIPS = 1000


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store of one finished run with two saved states."""
    root = Store.create(tmp_path_factory.mktemp("store"))
    facts = make_facts(40)
    job = Job(facts, MODEL, TRAINING, root.root / "unused")
    directory = root.directory(job.config["id"])
    run(facts, MODEL, TRAINING, directory, checkpoint_seconds=0.0)
    assert len(list((directory / "checkpoint").glob("*.json"))) == 2
    return root


@pytest.fixture
def directory(store):
    return store.directory(store.runs()[0])


def flipped(path, rng):
    """Change one byte of a file; returns what it was."""
    before = path.read_bytes()
    place = rng.integers(len(before))
    changed = bytearray(before)
    changed[place] ^= rng.integers(1, 256)
    path.write_bytes(changed)
    return before


def all_that_is_read(store, directory):
    measurement = read_run(directory)[1]
    return (
        measurement.nll_bits.tobytes(),
        measurement.recall.tobytes(),
        measurement.frequency.tobytes(),
        measurement.summary(),
        read_outcome(directory),
        read_config(directory),
        result_row(store, directory.name),
    )


@pytest.mark.parametrize("name", ["outcome.json", "measurement.parquet", "config.json"])
def test_a_flipped_byte_of_a_result_is_found_or_harmless(store, directory, name):
    rng = np.random.default_rng(0)
    whole, found = all_that_is_read(store, directory), 0
    for _ in range(FLIPS // 4):
        before = flipped(directory / name, rng)
        try:
            assert all_that_is_read(store, directory) == whole
        except BadInput:
            found += 1
        finally:
            (directory / name).write_bytes(before)
    assert found > 0.8 * FLIPS // 4  # spaces between JSON values may change
    assert all_that_is_read(store, directory) == whole


def test_a_flipped_byte_of_a_saved_state_is_found(directory):
    rng = np.random.default_rng(1)
    saved = Checkpoints(directory / "checkpoint")
    step = max(int(path.stem) for path in (directory / "checkpoint").glob("*.json"))
    host = saved.proved(step)
    files = [path for path in (directory / "checkpoint" / str(step)).rglob("*") if path.is_file()]
    for number in range(FLIPS):
        path = files[number % len(files)]
        before = flipped(path, rng)
        with pytest.raises(Damaged):
            saved.proved(step)
        path.write_bytes(before)
    proof, found = directory / "checkpoint" / f"{step}.json", 0
    for _ in range(FLIPS // 4):
        before = flipped(proof, rng)
        try:
            assert saved.proved(step) == host
        except Damaged:
            found += 1
        proof.write_bytes(before)
    assert found > 0.8 * FLIPS // 4


def test_a_flipped_byte_of_the_table_is_mended(store):
    rng = np.random.default_rng(2)
    whole = results(store)
    for name in ("results.parquet", "results.json"):
        for _ in range(FLIPS // 20):
            flipped(store.root / name, rng)
            assert results(store).equals(whole)


def test_the_state_before_is_used_and_the_end_is_the_same(tmp_path, directory):
    rng = np.random.default_rng(3)
    whole, facts = read_run(directory)[1], make_facts(40)
    for trial in range(4):
        copy = tmp_path / str(trial)
        shutil.copytree(directory, copy)
        (copy / "outcome.json").unlink()
        steps = sorted((copy / "checkpoint").glob("*.json"), key=lambda path: int(path.stem))
        for proof in steps[-1:] if trial < 2 else steps:
            files = [path for path in proof.with_suffix("").rglob("*") if path.is_file()]
            flipped(files[rng.integers(len(files))], rng)
        with pytest.warns(DamagedWarning, match="state"):
            again = run(facts, MODEL, TRAINING, copy)
        np.testing.assert_array_equal(again.nll_bits, whole.nll_bits)
        lines = (copy / "attempts.jsonl").read_text().splitlines()
        assert json.loads(lines[-1])["step"] == (int(steps[0].stem) if trial < 2 else 0)


def test_a_state_without_its_proof_is_not_used(tmp_path, directory):
    copy = tmp_path / "copy"
    shutil.copytree(directory, copy)
    (copy / "outcome.json").unlink()
    for proof in (copy / "checkpoint").glob("*.json"):
        proof.unlink()
    with pytest.warns(DamagedWarning, match="state"):
        run(make_facts(40), MODEL, TRAINING, copy)


def test_a_damaged_result_is_made_again_from_its_state(tmp_path, directory):
    copy = tmp_path / "copy"
    shutil.copytree(directory, copy)
    measurement = copy / "measurement.parquet"
    whole = measurement.read_bytes()
    flipped(measurement, np.random.default_rng(4))
    with pytest.raises(Damaged, match="its digest is not that in"):
        read_run(copy)
    with pytest.warns(DamagedWarning, match="goes on from its saved state"):
        run(make_facts(40), MODEL, TRAINING, copy)
    assert measurement.read_bytes() == whole
    assert json.loads((copy / "attempts.jsonl").read_text().splitlines()[-1])["step"] == 400


def test_a_state_saved_while_training_goes_on_is_that_of_its_step(tmp_path):
    facts = make_facts(40)
    batch, layout = 16, Layout.of([facts])
    reading = Reading(MODEL, layout.context)
    schedule = make_schedule(replace(TRAINING, batch=batch), len(facts), MODEL.width)
    state = initial_state(MODEL, schedule, 0)
    saved = Checkpoints(tmp_path / "checkpoint")
    for _ in range(3):
        state, _ = scan_steps(reading, batch, state, to_device(facts), schedule)
        wanted = jax.tree.map(np.array, state)
        saved.save(int(state.step), state, {"seconds": 1.5})
        for _ in range(3):  # its memory is used for the new states
            state, _ = scan_steps(reading, batch, state, to_device(facts), schedule)
        saved.settle()
        restored = saved.restore(state)
        assert restored is not None
        found, host = restored
        assert host == {"seconds": 1.5}
        jax.tree.map(np.testing.assert_array_equal, found, wanted)
    saved.close()
