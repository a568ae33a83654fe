"""Runs that are exported."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from factcap.models import (
    Job,
    Measurement,
    TrainConfig,
    TransformerConfig,
    model_vocabulary,
    train_together,
)
from factcap.models.runs.directory.run_directory import RunDirectory
from factcap.models.runs.result import measured
from factcap.models.training.config import filled
from factcap.models.training.schedule import make_schedule
from factcap.models.training.steps import initial_state
from factcap.synth import write
from tests.conftest import make_facts
from tests.models.exchange.test_spelling import read_triples


def model_for(facts, **options):
    return TransformerConfig(model_vocabulary(facts), width=16, depth=1, heads=1, **options)


def untrained(job: Job) -> Path:
    """The directory of a run that ended where it began, and so is made at once."""
    training = filled(job.training, len(job.facts), job.model.width)
    schedule = make_schedule(training, len(job.facts), job.model.width)
    directory = RunDirectory(job.directory, job.config)
    directory.begin(0)
    directory.checkpoints.save(0, initial_state(job.model, schedule, training.seed), {})
    nothing = np.zeros(len(job.facts), np.float32)
    found = Measurement.of(job.facts, nothing, nothing > 0, job.model.parameters)
    directory.finish(found, {"steps": 0, "exposures": 0.0, "training": asdict(training)})
    return job.directory


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Two runs, trained in one program: (directory, facts, measurement) of each."""
    folder = tmp_path_factory.mktemp("runs")
    sets = (make_facts(140), read_triples(folder))
    write(sets[1], folder / "facts.parquet")
    model = model_for(max(sets, key=model_vocabulary))
    training = TrainConfig(
        exposures=1e-3, fewest_steps=1500, batch=16, optimizer="adamw", saturate=False
    )
    jobs = [
        Job(facts, model, training, folder / name)
        for name, facts in zip(("half", "triples"), sets, strict=True)
    ]
    found = {number: measured(result) for number, result in train_together(jobs)}
    return [(job.directory, job.facts, found[number]) for number, job in enumerate(jobs)]


@pytest.fixture
def half_known(trained):
    """A run that knows some of its facts, of keys and values of several lengths."""
    assert 20 < trained[0][2].facts_known < 120
    return trained[0]


@pytest.fixture
def told(trained):
    """A run that knows its triples; the folder, where their file lies too, and the facts."""
    directory, facts, found = trained[1]
    assert found.accuracy == 1
    return directory.parent, facts
