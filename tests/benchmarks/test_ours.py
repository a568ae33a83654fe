import numpy as np
import pytest

from benchmarks import ours
from benchmarks.task import Task
from benchmarks.workloads import WORKLOADS, Workload

WORKLOAD = Workload("tiny", "8k", "float32", 40, members=3, batch=16, pairs=2, segment=50)


def losses(setup):
    task = Task(
        WORKLOAD.recipe(),
        WORKLOAD.fact_set(),
        members=(0, 1, 2),
        segment=50,
        precision="float32",
        setup=setup,
        device="cpu",
    )
    advance = ours.start(task)
    return np.asarray([advance(), advance()])


@pytest.mark.slow
def test_members_together_train_as_in_turn():
    in_turn, together = losses("in turn"), losses("together")
    assert in_turn.shape == (2, 3)
    assert np.all(in_turn[1] < in_turn[0])
    np.testing.assert_allclose(together, in_turn, rtol=1e-3)


@pytest.mark.parametrize("device", WORKLOADS)
def test_workloads_can_be_made(device):
    names = [workload.name for workload in WORKLOADS[device]]
    assert len(set(names)) == len(names)
    for workload in WORKLOADS[device]:
        facts = workload.quick().fact_set()
        assert len(set(facts.length)) == 1
        assert len(set(facts.key_length)) == 1
        assert workload.recipe().steps == workload.pairs * workload.segment
        assert workload.quick().members <= workload.members
