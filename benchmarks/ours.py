"""Our engine, run the way a sweep runs it: on CPU one model after another, else all at once."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.task import Advance, Task
from factcap.models import TrainConfig, named_size
from factcap.models.training.schedule import make_schedule
from factcap.models.training.steps import initial_state, scan_steps
from factcap.models.transformer.fast.values import Reading
from factcap.models.transformer.layout import context_length, to_device


def start(task: Task) -> Advance:
    """Draw the members' parameters; nothing is trained until the result is called."""
    recipe = task.recipe
    if task.device == "gpu":
        jax.devices("gpu")  # an error where there is none
    model = named_size(recipe.size, recipe.vocabulary)
    facts = to_device(task.facts)
    reading = Reading(model, context_length(task.facts), task.precision)
    members = []
    for seed in task.members:
        config = TrainConfig(
            exposures=recipe.steps * recipe.batch / len(task.facts),
            fewest_steps=0,
            batch=recipe.batch,
            learning_rate=recipe.learning_rate,
            optimizer="adamw",
            warmup=recipe.warmup,
            decay=recipe.decay,
            weight_decay=recipe.weight_decay,
            beta2=recipe.beta2,
            seed=seed,
        )
        schedule = make_schedule(config, len(task.facts), model.width)
        # The whole training may be shorter than the steps of one scan of a run.
        schedule = replace(
            schedule,
            steps=jnp.float32(recipe.steps),
            rising=jnp.float32(recipe.warmup * recipe.steps),
            falling=jnp.float32(recipe.decay * recipe.steps),
        )
        members.append((initial_state(model, schedule, seed), facts, schedule))
    together = task.setup == "together"
    if together:
        members = [jax.tree.map(lambda *leaves: jnp.stack(leaves), *members)]
        reading = replace(reading, stacked=True)
    jax.block_until_ready(members)

    def advance() -> list[float]:
        losses = []
        for number, (state, rows, schedule) in enumerate(members):
            state, nats = scan_steps(
                reading,
                recipe.batch,
                state,
                rows,
                schedule,
                steps=task.segment,
                longest=task.segment,
                members=together,
            )
            members[number] = (state, rows, schedule)
            losses.append(nats.mean(axis=-1))
        return np.concatenate([np.atleast_1d(loss) for loss in losses]).tolist()

    return advance
