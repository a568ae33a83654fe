"""Runs that are exported."""

import pytest

from factcap.models import Measurement, TrainConfig, TransformerConfig, model_vocabulary, run
from factcap.synth import write
from tests.conftest import make_facts
from tests.models.exchange.test_spelling import read_triples


def model_for(facts, **options):
    return TransformerConfig(model_vocabulary(facts), width=16, depth=1, heads=1, **options)


def trained(folder, facts, *, steps=300, **options) -> Measurement:
    training = TrainConfig(exposures=1e-3, fewest_steps=steps, batch=16, saturate=False, **options)
    return run(facts, model_for(facts), training, folder)


@pytest.fixture(scope="session")
def half_known(tmp_path_factory):
    """A run that knows some of its facts, of keys and values of several lengths; its facts."""
    folder, facts = tmp_path_factory.mktemp("runs") / "run", make_facts(140)
    found = trained(folder, facts)
    assert 20 < found.facts_known < 120
    return folder, facts, found


@pytest.fixture(scope="session")
def told(tmp_path_factory):
    """A run that knows triples, whose file lies beside it, and its facts."""
    folder = tmp_path_factory.mktemp("runs")
    facts = read_triples(folder)
    write(facts, folder / "facts.parquet")
    assert trained(folder / "run", facts, steps=200).accuracy == 1
    return folder, facts
