from dataclasses import replace
from pathlib import Path

from factcap.models import Job, TrainConfig, TransformerConfig
from factcap.models.runs.shape import Shape, by_shape, shape_of
from tests.conftest import make_facts

MODEL = TransformerConfig(vocabulary=12, width=8, depth=1, heads=1)


def job(facts=40, model=MODEL, **training):
    return Job(make_facts(facts, keys=(3, 4)), model, TrainConfig(**training), Path("absent"))


def test_a_shape_has_the_batch_that_follows_from_the_facts():
    assert shape_of(job()) == Shape(MODEL, 16, "muon", "float32")
    assert shape_of(job(facts=1000)).batch == 64
    assert shape_of(job(facts=1000, batch=16)) == shape_of(job())


def test_jobs_are_sorted_by_what_a_program_is_compiled_for():
    jobs = [
        job(),
        job(facts=1000),
        job(seed=5, exposures=7, learning_rate=0.5, weight_decay=0.3),
        job(optimizer="adamw"),
        job(precision="bfloat16"),
        job(model=replace(MODEL, vocabulary=13)),
        job(facts=1001),
    ]
    assert by_shape(jobs) == [[0, 2], [1, 6], [3], [4], [5]]
