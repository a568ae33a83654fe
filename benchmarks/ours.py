"""Our engine, run the way a sweep runs it: on CPU one model after another, else all at once."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

import models.train
from benchmarks.task import Advance, Task
from models import TrainConfig, named_size
from models.layout import context_length, to_device
from models.train import initial_state, make_schedule, scan_steps


def start(task: Task) -> Advance:
    """Draw the members' parameters; nothing is trained until the result is called."""
    recipe = task.recipe
    if task.device == "gpu":
        jax.devices("gpu")  # an error where there is none
    models.train.SCAN_STEPS = task.segment  # one call of the compiled program is one segment
    model = named_size(recipe.size, recipe.vocabulary)
    facts, context = to_device(task.facts), context_length(task.facts)
    trainings, graph = [], None
    for seed in task.members:
        config = TrainConfig(
            exposures=1e-6,  # so that `fewest_steps` decides
            fewest_steps=recipe.steps,
            learning_rate=recipe.learning_rate,
            warmup=recipe.warmup,
            weight_decay=recipe.weight_decay,
            beta2=recipe.beta2,
            seed=seed,
        )
        schedule = make_schedule(config, len(task.facts), model.width)
        graph, state = initial_state(model, schedule, seed)
        trainings.append((state, schedule))
    assert graph is not None, "a task has members"
    shape = jax.tree.structure(trainings[0])

    def scan(leaves: list[Array]) -> tuple[list[Array], Array]:
        state, schedule = jax.tree.unflatten(shape, leaves)
        state, nats = scan_steps(graph, context, recipe.batch, state, facts, schedule)
        return jax.tree.leaves((state, schedule)), nats

    states = [jax.tree.leaves(training) for training in trainings]
    if task.setup == "together":
        states = [[jnp.stack(leaves) for leaves in zip(*states, strict=True)]]
        scan = jax.vmap(scan)
    jax.block_until_ready(states)

    def advance() -> list[float]:
        losses = []
        for number, leaves in enumerate(states):
            states[number], nats = scan(leaves)
            losses.append(nats.mean(axis=-1))
        return np.concatenate([np.atleast_1d(loss) for loss in losses]).tolist()

    return advance
