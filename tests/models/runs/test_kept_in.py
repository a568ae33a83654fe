"""Runs whose parameters are kept in bfloat16 from step to step."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from factcap.models import Job, TrainConfig, TransformerConfig, make_mesh, run
from factcap.models.runs.last_params import last_params
from factcap.synth import BadInput
from tests.conftest import make_facts

FACTS = make_facts(40)
# At so low a rate a step is less than half of the step between two numbers of bfloat16.
SHORT = TrainConfig(
    exposures=1, fewest_steps=100, batch=16, optimizer="adamw", learning_rate=2e-5, weight_decay=0.0
)


def model(kept_in):
    return TransformerConfig(vocabulary=12, width=8, depth=1, heads=1, kept_in=kept_in)


def params(kept_in, folder, **more):
    run(FACTS, model(kept_in), SHORT, folder, **more)
    found = last_params(folder, model(kept_in), SHORT, len(FACTS))
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(found)])


def test_steps_that_are_too_short_are_lost_but_not_on_average_by_chance(tmp_path):
    found = {
        kept_in: params(kept_in, tmp_path / kept_in)
        for kept_in in ("float32", "bfloat16", "bfloat16-stochastic")
    }
    assert not is_bfloat16(found["float32"])
    assert is_bfloat16(found["bfloat16"])
    assert is_bfloat16(found["bfloat16-stochastic"])
    scales = {kept_in: numbers[numbers > 0.9] for kept_in, numbers in found.items()}
    # Scales of norms are 1 at the start, where two numbers differ by 2^-7, or 2^-8 below.
    assert (scales["bfloat16"] == 1).all()
    assert (scales["float32"] != 1).all()
    assert (scales["bfloat16-stochastic"] != 1).any()


def is_bfloat16(numbers):
    return (numbers == numbers.astype(jnp.bfloat16).astype(np.float32)).all()


class CutOffError(Exception):
    """Stands for a run that is cut off."""


@pytest.mark.slow
def test_chances_are_the_same_after_an_interruption_and_on_a_mesh(tmp_path):
    longer = TrainConfig(exposures=1, fewest_steps=300, batch=16)
    shape = model("bfloat16-stochastic")
    whole = run(FACTS, shape, longer, tmp_path / "whole")

    def cut(done, total, metrics):
        if done == 200:
            raise CutOffError

    with pytest.raises(CutOffError):
        run(FACTS, shape, longer, tmp_path / "cut", progress=cut, checkpoint_seconds=0.0)
    again = run(FACTS, shape, longer, tmp_path / "cut")
    np.testing.assert_array_equal(again.nll_bits, whole.nll_bits)
    for place, mesh in (("alone", None), ("mesh", make_mesh("data=2"))):
        run(FACTS, shape, SHORT, tmp_path / place, mesh=mesh)
    one, two = (
        last_params(tmp_path / place, shape, SHORT, len(FACTS)) for place in ("alone", "mesh")
    )
    jax.tree.map(lambda left, right: np.testing.assert_allclose(left, right, rtol=2**-7), one, two)


def test_an_optimizer_that_averages_keeps_float32(tmp_path):
    averaging = TrainConfig(optimizer="schedule-free-muon")
    with pytest.raises(BadInput, match="averages parameters, in float32; keep them in bfloat16"):
        Job(FACTS, model("bfloat16"), averaging, tmp_path / "run")
