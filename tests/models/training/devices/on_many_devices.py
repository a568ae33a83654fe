"""Run by tests in a process of its own, with eight devices: 100 steps on each mesh, as JSON."""

import json
import re
import sys
from collections import Counter
from typing import Any

import jax
import numpy as np

from factcap.models import TrainConfig, TransformerConfig, make_mesh
from factcap.models.training.devices.mesh import whole_on_each
from factcap.models.training.schedule import make_schedule
from factcap.models.training.steps import _compiled_scan, initial_state
from factcap.models.transformer.fast.values import Reading
from factcap.models.transformer.layout import Layout, to_device
from tests.conftest import make_facts

BATCH, WIDTH, STEPS = 16, 16, 100
COLLECTIVES = r" (all-gather|all-reduce|reduce-scatter|all-to-all|collective-permute)(?:-start)?\("


def trained(optimizer: str, precision: str, mesh: jax.sharding.Mesh | None):
    facts = make_facts(100)
    model = TransformerConfig(vocabulary=12, width=WIDTH, depth=2, heads=1)
    training = TrainConfig(batch=BATCH, optimizer=optimizer, learning_rate=0.002)
    schedule = make_schedule(training, len(facts), WIDTH)
    reading = Reading(model, Layout.of([facts]).context, precision)
    state, arrays = initial_state(model, schedule, 0, mesh), (to_device(facts), schedule)
    if mesh is not None:
        arrays = whole_on_each(mesh, arrays)
    start = jax.tree.map(np.asarray, state.params)
    scan: Any = _compiled_scan(False)
    steps = np.int32(STEPS)
    program = scan.lower(reading, BATCH, STEPS, mesh, steps, state, *arrays).compile()
    state, nats = program(steps, state, *arrays)
    return start, state, np.asarray(nats), program.as_text()


def largest_difference(tree, other) -> float:
    pairs = zip(jax.tree.leaves(tree), jax.tree.leaves(other), strict=True)
    return max(float(np.abs(np.asarray(a) - np.asarray(b)).max()) for a, b in pairs)


def main(optimizer: str, precision: str, *meshes: str) -> None:
    start, state, nats, _ = trained(optimizer, precision, None)
    found = {}
    for text in meshes:
        there, divided, losses, program = trained(optimizer, precision, make_mesh(text))
        leaves = jax.tree_util.tree_leaves_with_path(divided)
        found[text] = {
            "start": largest_difference(start, there),
            "losses": float(np.abs(losses - nats).max()),
            "params": largest_difference(state.params, divided.params),
            "moved": largest_difference(start, state.params),
            "learned": float(nats[0] - nats[-1]),
            "collectives": Counter(re.findall(COLLECTIVES, program)),
            "shards": {
                jax.tree_util.keystr(path): (
                    leaf.shape,
                    [shard.data.shape for shard in leaf.addressable_shards],
                )
                for path, leaf in leaves
            },
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
