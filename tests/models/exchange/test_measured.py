"""Exported runs, measured as any model of transformers is."""

import json

import numpy as np
import pytest

from factcap.models import Job, Measurement, TrainConfig, export_run, measure_other_facts
from factcap.synth import bitstrings, write
from tests.models.exchange.conftest import model_for, untrained

pytest.importorskip("transformers")


def measured_elsewhere(call, run, facts, folder) -> tuple[Measurement, dict]:
    export_run(run, folder / "hf")
    write(facts, folder / "facts.parquet")
    words = ("measure", f"hf:{folder / 'hf'}", "--facts", folder / "facts.parquet")
    code, out, err = call(*words, "--out", folder / "out", "--json")
    assert (code, err) == (0, "")
    return Measurement.load(folder / "out" / "measurement.parquet"), json.loads(out)


def test_a_run_is_measured_elsewhere_as_here(call, tmp_path, half_known):
    run, facts, here = half_known
    found, summary = measured_elsewhere(call, run, facts, tmp_path)
    np.testing.assert_allclose(found.nll_bits, here.nll_bits, atol=1e-3)
    np.testing.assert_array_equal(found.recall, here.recall)
    np.testing.assert_array_equal(found.entropy_bits, here.entropy_bits)
    np.testing.assert_array_equal(found.frequency, here.frequency)
    for name in ("facts", "facts_known", "accuracy", "weighted_accuracy", "entropy_bits"):
        assert summary[name] == here.summary()[name], name
    assert summary["stored_bits"] == pytest.approx(here.stored_bits, rel=1e-4)


def test_facts_without_keys_stand_after_the_start_token(call, tmp_path):
    facts = bitstrings(20, vocabulary=9, length=6, key_length=0)
    job = Job(facts, model_for(facts), TrainConfig(), tmp_path / "run")
    untrained(job)
    here = measure_other_facts(job, facts)
    found, _ = measured_elsewhere(call, tmp_path / "run", facts, tmp_path)
    np.testing.assert_allclose(found.nll_bits, here.nll_bits, atol=1e-3)
