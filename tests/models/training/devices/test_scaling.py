from collections import Counter
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest
from jax.extend.core import ClosedJaxpr, Jaxpr

from factcap.models import TrainConfig, TransformerConfig, make_mesh
from factcap.models.training.devices import scaling
from factcap.models.training.devices.mesh import AXES, DATA, MODEL
from factcap.models.training.devices.scaling import DEVICES, SHAPES, Plan
from factcap.models.training.schedule import make_schedule
from factcap.models.training.steps import _scan, initial_state
from factcap.models.transformer.fast.values import Reading
from factcap.models.transformer.layout import Layout, to_device
from tests.conftest import make_facts

FACTS = make_facts(64, keys=(3, 3), values=(4, 4))
BATCH = 64


def plan(mesh, optimizer, depth=3):
    model = TransformerConfig(vocabulary=12, width=16, depth=depth, heads=1)
    return Plan(model, mesh, BATCH, time=7, values=4, device=DEVICES["H100"], optimizer=optimizer)


def sent(jaxpr, sizes):
    """Bytes that the collectives of a program send from a device, by mesh axis, in ring form."""
    total = Counter()
    for equation in jaxpr.eqns:
        name = equation.primitive.name
        if name in ("all_gather", "reduce_scatter", "all_to_all", "psum", "psum_invariant"):
            axes = equation.params.get("axes") or equation.params["axis_name"]
            axes = axes if isinstance(axes, tuple) else (axes,)
            leaves = equation.outvars if name == "all_gather" else equation.invars
            size = sum(leaf.aval.size * leaf.aval.dtype.itemsize for leaf in leaves)
            matrices = all(leaf.aval.ndim > 1 for leaf in leaves)
            for axis in axes if matrices else ():  # losses and scales of norms are left out
                share = (sizes[axis] - 1) / sizes[axis]
                total[axis] += (2 if name.startswith("psum") else 1) * share * size
        for value in jax.tree.leaves(
            list(equation.params.values()), is_leaf=lambda x: isinstance(x, ClosedJaxpr | Jaxpr)
        ):
            if isinstance(value, ClosedJaxpr | Jaxpr):
                total += sent(getattr(value, "jaxpr", value), sizes)
    return total


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
@pytest.mark.parametrize("text", ["data=2", "model=2"])
def test_bytes_are_those_of_the_program(text, optimizer, monkeypatch):
    paper, mesh = plan(text, optimizer), make_mesh(text)
    schedule = make_schedule(TrainConfig(optimizer=optimizer), 64, 16)
    state = initial_state(paper.model, schedule, 0, mesh)
    here = jax.tree.map(lambda leaf: leaf.addressable_shards[0].data.nbytes, state)
    assert paper.parameter_bytes() == sum(jax.tree.leaves(here.params))
    # beside moments the optimizer holds a few numbers, counts and coefficients
    held = sum(jax.tree.leaves(here.optimizer))
    assert paper.optimizer_bytes() == pytest.approx(held, abs=40)
    # The program of an accelerator, whose activations are bfloat16 too.
    monkeypatch.setattr("factcap.models.transformer.fast.values.on_cpu", lambda: False)
    reading = Reading(paper.model, Layout.of([FACTS]).context, "bfloat16", stacked=True)
    program = jax.make_jaxpr(lambda *args: _scan(reading, BATCH, 1, mesh, *args))(
        jnp.int32(1), state, to_device(FACTS), schedule
    )
    found = sent(program.jaxpr, mesh.shape)
    assert set(found) <= set(AXES)
    assert paper.sent_along_model() == found[MODEL]
    assert paper.sent_along_data() == found[DATA]
    assert found[MODEL if text.startswith(MODEL) else DATA] > 0


def test_shapes_have_the_sizes_they_are_called_by():
    for name, size in {"124M": 124e6, "1.3B": 1.3e9, "7B": 6.7e9}.items():
        assert SHAPES[name].parameters == pytest.approx(size, rel=0.02)


def test_the_document_holds_the_tables_of_the_code():
    text = (Path(__file__).parents[4] / "docs" / "scaling.md").read_text()
    assert scaling.memory_table() in text
    assert scaling.time_table() in text
