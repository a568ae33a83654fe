import shutil

import numpy as np
import pytest

from factcap.models import Job, TrainConfig, TransformerConfig, measure_other_facts, train_together
from factcap.models.runs.result import measured
from factcap.synth import BadInput
from tests.conftest import make_facts

MODEL = TransformerConfig(vocabulary=12, width=8, depth=1, heads=1)


@pytest.mark.parametrize("optimizer", ["adamw", "schedule-free-adamw"])
def test_a_finished_model_is_asked_for_other_facts(tmp_path, facts, optimizer):
    training = TrainConfig(exposures=1e-3, fewest_steps=100, batch=16, optimizer=optimizer)
    job = Job(facts, MODEL, training, tmp_path / "run")
    with pytest.raises(BadInput, match="is not finished"):
        measure_other_facts(job, facts)
    [(_, result)] = train_together([job])
    # The state that is read is the one that was measured at the end.
    again = measure_other_facts(job, facts)
    np.testing.assert_allclose(again.nll_bits, measured(result).nll_bits, rtol=1e-5)
    others = make_facts(7, keys=(5, 6), values=(2, 4), seed=1)
    found = measure_other_facts(job, others)
    assert len(found.recall) == 7
    np.testing.assert_array_equal(found.entropy_bits, others.entropy_bits)
    assert np.all(np.isfinite(found.nll_bits) & (found.nll_bits > 0))
    with pytest.raises(BadInput, match="has 12 token ids; these facts need 13"):
        measure_other_facts(job, make_facts(7, vocabulary=13))
    shutil.rmtree(tmp_path / "run" / "checkpoint")
    with pytest.raises(BadInput, match="has no saved state; remove it and make the run again"):
        measure_other_facts(job, facts)
