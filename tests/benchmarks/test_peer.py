from importlib import import_module

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from benchmarks.task import Task
from benchmarks.workloads import Workload
from factcap.models.training.config import TrainConfig
from factcap.models.training.optim import make_optimizer
from factcap.models.training.schedule import make_schedule
from factcap.models.training.steps import initial_state
from factcap.models.transformer.decoder import Transformer
from factcap.models.transformer.layout import context_length, to_device

torch = pytest.importorskip("torch")
peer = import_module("benchmarks.peer")

WORKLOAD = Workload("tiny", "29k", "float32", 40, members=2, batch=16, pairs=2, segment=50)
STEPS = 5

# In float64, relative for the loss and absolute for a parameter, which a step moves by up to 0.01.
# JAX computes the softmax of attention in float32 all the same, and AdamW divides a gradient near
# 0, and its rounding, by its size.
LOSS_TOLERANCE = 1e-8
PARAMETER_TOLERANCE = 1e-6


def task(**changes):
    defaults = {"members": (0, 1), "precision": "float32", "setup": "eager", "device": "cpu"}
    return Task(WORKLOAD.recipe(), WORKLOAD.fact_set(), segment=50, **(defaults | changes))


def our_names(params):
    """Our parameters by the peer's names; a kernel of flax is the transpose of torch's weight."""
    named = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        words = [str(getattr(key, "key", getattr(key, "name", key))) for key in path]
        *words, kind = [word for word in words if word != "value"]
        array = np.asarray(leaf).T if kind == "kernel" else np.asarray(leaf)
        named[".".join([*words, "weight"])] = torch.tensor(array)
    return named


@pytest.fixture
def _float64():
    with jax.enable_x64(True):
        torch.set_default_dtype(torch.float64)
        yield
        torch.set_default_dtype(torch.float32)


@pytest.mark.usefixtures("_float64")
@pytest.mark.parametrize("fused", [True, False])
def test_same_parameters_and_batches_give_the_same_training(fused):
    recipe, facts = WORKLOAD.recipe(), WORKLOAD.fact_set()
    device, context = to_device(facts), context_length(facts)
    module = Transformer(WORKLOAD.model(), rngs=nnx.Rngs(0))
    module.embedding.dtype = jnp.float64
    graph, params = nnx.split(module, nnx.Param)
    params = jax.tree.map(lambda leaf: leaf.astype(jnp.float64), params)
    rates = peer.learning_rates(recipe)
    optimizer = make_optimizer(
        "adamw",
        lambda step: jnp.asarray(rates)[step],
        beta2=recipe.beta2,
        weight_decay=recipe.weight_decay,
    )
    moments = optimizer.init(params)

    model = peer.Transformer(recipe, facts.tokens.shape[1] - 1, fused=fused)
    model.load_state_dict(our_names(params))
    rows = torch.tensor(facts.tokens, dtype=torch.long)
    torch_optimizer = peer.make_optimizer(model, recipe)

    @jax.jit
    def step(params, moments, index):
        def loss(params):
            tokens = device.take(index).tokens_BxT
            # The module says what the hot loop computes, which is in float32 at most.
            logits = nnx.merge(graph, params)(tokens[:, :-1], None, context - 1)
            return optax.softmax_cross_entropy_with_integer_labels(
                logits, tokens[:, context:]
            ).mean()

        nats, gradient = jax.value_and_grad(loss)(params)
        update, moments = optimizer.update(gradient, moments, params)
        return optax.apply_updates(params, update), moments, nats

    rng = np.random.default_rng(0)
    before = our_names(params)
    for number in range(STEPS):
        index = rng.integers(len(facts), size=recipe.batch)
        params, moments, nats = step(params, moments, jnp.asarray(index))
        loss = peer.drawn_loss(model, rows, torch.tensor(index), context, None)
        loss.backward()
        peer.apply(torch_optimizer, rates[number])
        assert nats.dtype == jnp.float64
        assert loss.item() == pytest.approx(float(nats), rel=LOSS_TOLERANCE)
    after = our_names(params)
    for name, weight in model.named_parameters():
        assert (after[name] - weight).abs().max() < PARAMETER_TOLERANCE, name
        assert (after[name] - before[name]).abs().max() > 1e3 * PARAMETER_TOLERANCE, name


def test_learning_rates_are_those_of_the_schedule():
    recipe = WORKLOAD.recipe()
    config = TrainConfig(exposures=1e-6, fewest_steps=100, optimizer="adamw")
    schedule = make_schedule(config, 40, recipe.width)
    expected = jax.vmap(schedule.rate)(jnp.arange(recipe.steps))
    np.testing.assert_allclose(peer.learning_rates(recipe), expected, rtol=1e-5)


@pytest.mark.parametrize("precision", ["float32", pytest.param("bfloat16", marks=pytest.mark.slow)])
def test_training_lowers_the_loss_and_repeats(precision):
    losses = []
    for _ in range(2):
        advance = peer.start(task(precision=precision))
        losses.append([advance(), advance()])
    assert losses[0] == losses[1]
    first, last = np.asarray(losses[0])
    assert first.shape == (2,)
    assert first[0] != first[1]
    assert np.all(last < first)
    assert np.all(last < 2.6)


def test_initial_values_have_the_scales_of_ours():
    recipe = WORKLOAD.recipe()
    schedule = make_schedule(TrainConfig(), 40, recipe.width)
    state = initial_state(WORKLOAD.model(), schedule, 0)
    model = peer.Transformer(recipe, 11)
    for name, weight in our_names(state.params).items():
        theirs = model.get_parameter(name)
        assert theirs.std().item() == pytest.approx(weight.std().item(), rel=0.1), name
