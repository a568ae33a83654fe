from dataclasses import replace

import numpy as np
import pytest

from factcap.models import Job, TrainConfig, TransformerConfig, train_together
from factcap.models.runs.result import measured
from factcap.models.runs.rounded import measure_rounded
from factcap.synth import BadInput
from tests.conftest import make_facts

MODEL = TransformerConfig(vocabulary=12, width=16, depth=1, heads=1)
TRAINING = TrainConfig(exposures=1, fewest_steps=600, batch=16)


def made(folder, model=MODEL):
    job = Job(make_facts(60, keys=(3, 3), values=(2, 2)), model, TRAINING, folder)
    [(_, result)] = train_together([job])
    return job, measured(result)


def test_fewer_bits_know_less_and_many_bits_as_much(tmp_path):
    job, whole = made(tmp_path)
    found = {bits: measure_rounded(job, bits) for bits in (0, 2, 12)}
    np.testing.assert_allclose(found[0].measurement.nll_bits, whole.nll_bits, atol=1e-4)
    assert found[0].weight_bits == 32 * MODEL.parameters
    assert abs(found[12].measurement.stored_bits - whole.stored_bits) < 1
    assert found[2].measurement.stored_bits < 0.9 * whole.stored_bits
    assert found[2].weight_bits < found[12].weight_bits < found[0].weight_bits


def test_trained_with_rounding_it_knows_more_than_rounded_afterwards(tmp_path):
    job, _ = made(tmp_path / "whole")
    after = measure_rounded(job, 3).measurement.stored_bits
    within, measurement = made(tmp_path / "within", replace(MODEL, weight_bits=3))
    assert measurement.stored_bits > after
    again = measure_rounded(within, 0)
    np.testing.assert_allclose(again.measurement.nll_bits, measurement.nll_bits, atol=1e-4)
    assert again.weight_bits < 32 * MODEL.parameters


def test_what_is_not_finished_is_refused(tmp_path):
    job = Job(make_facts(5), MODEL, TRAINING, tmp_path / "none")
    with pytest.raises(BadInput, match="is not finished"):
        measure_rounded(job, 4)
