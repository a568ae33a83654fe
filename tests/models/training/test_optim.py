import jax
import jax.numpy as jnp
import numpy as np
import pytest

from factcap.models import TrainConfig, TransformerConfig, run
from factcap.models.training.optim import OPTIMIZERS, make_optimizer
from factcap.models.training.schedule import make_schedule
from factcap.models.training.steps import initial_state
from factcap.synth import BadInput
from tests.conftest import make_facts

MODEL = TransformerConfig(vocabulary=12, width=16, depth=2, heads=1)


def updates(name, weight_decay=0.0):
    """Path and update of every parameter after one step on a random gradient."""
    schedule = make_schedule(TrainConfig(optimizer=name), 30, MODEL.width)
    state = initial_state(MODEL, schedule, 0)
    leaves, tree = jax.tree.flatten(state.params)
    rng = np.random.default_rng(0)
    gradient = jax.tree.unflatten(
        tree, [jnp.asarray(rng.normal(size=leaf.shape), jnp.float32) for leaf in leaves]
    )
    optimizer = make_optimizer(
        name, lambda step: jnp.asarray(1.0), beta2=0.98, weight_decay=weight_decay
    )

    @jax.jit
    def first(gradient, params):
        return optimizer.update(gradient, optimizer.init(params), params)[0]

    update = first(gradient, state.params)
    found = jax.tree_util.tree_flatten_with_path(update)[0]
    return {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in found}


def test_muon_turns_the_matrices_of_the_blocks_orthogonal_and_leaves_the_rest_to_adamw():
    muon, adamw = updates("muon"), updates("adamw")
    assert muon.keys() == adamw.keys()
    matrices = [name for name, leaf in muon.items() if "blocks" in name and leaf.ndim == 2]
    assert len(matrices) == 4 * MODEL.depth
    for name, leaf in muon.items():
        if name in matrices:
            # near orthogonal: singular values near one value, of AdamW's size all in all
            values = np.linalg.svd(leaf, compute_uv=False)
            assert values.max() < 2.5 * values.min()
            assert np.sqrt(np.square(leaf).mean()) == pytest.approx(0.2, rel=0.35)
        else:
            # the same but for Nesterov's momentum, which makes the first step half longer
            np.testing.assert_allclose(leaf, 1.4737 * adamw[name], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_decay_is_decoupled_and_on_every_parameter(name):
    schedule = make_schedule(TrainConfig(optimizer=name), 30, MODEL.width)
    state = initial_state(MODEL, schedule, 0)
    plain, decayed = updates(name), updates(name, weight_decay=0.1)
    for path, leaf in jax.tree_util.tree_flatten_with_path(state.params)[0]:
        key = jax.tree_util.keystr(path)
        np.testing.assert_allclose(decayed[key], plain[key] - 0.1 * leaf, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_muon_stores_more_in_few_exposures(tmp_path):
    facts = make_facts(200, keys=(3, 3), values=(2, 2))
    stored = {
        name: run(
            facts,
            MODEL,
            TrainConfig(exposures=150, batch=16, fewest_steps=0, optimizer=name),
            tmp_path / name,
        ).unclipped_stored_bits
        for name in ("adamw", "muon")
    }
    assert stored["muon"] > 1.2 * stored["adamw"]


def test_unknown_names_list_the_known():
    with pytest.raises(BadInput, match="no optimizer is called 'sgd'; there are adamw, muon"):
        TrainConfig(optimizer="sgd")
