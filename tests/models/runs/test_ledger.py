import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.core import ClosedJaxpr, Jaxpr

from factcap.models import TransformerConfig, model_vocabulary
from factcap.models.runs.ledger import make_ledger, measured_peak, step_flops
from factcap.models.training.config import TrainConfig
from factcap.models.training.schedule import make_schedule
from factcap.models.training.steps import initial_state, loss_and_gradient
from factcap.models.transformer.fast.values import Reading
from factcap.models.transformer.layout import Layout, to_device
from tests.conftest import make_facts


def product_flops(jaxpr):
    """Floating-point operations of all products in a program."""
    total = 0.0
    for equation in jaxpr.eqns:
        if equation.primitive.name == "dot_general":
            (contracted, _), _ = equation.params["dimension_numbers"]
            summed = np.prod([equation.invars[0].aval.shape[axis] for axis in contracted])
            total += 2.0 * summed * np.prod(equation.outvars[0].aval.shape)
        for value in jax.tree.leaves(
            list(equation.params.values()), is_leaf=lambda x: isinstance(x, ClosedJaxpr | Jaxpr)
        ):
            if isinstance(value, ClosedJaxpr | Jaxpr):
                total += product_flops(getattr(value, "jaxpr", value))
    return total


@pytest.mark.parametrize(
    "layer",
    [{}, {"hidden": 100}, {"feed_forward": "gated"}, {"feed_forward": "masked", "active": 200}],
    ids=str,
)
def test_flops_are_those_of_the_products_in_the_program(layer):
    facts = make_facts(64, keys=(3, 3), values=(4, 4))
    model = TransformerConfig(model_vocabulary(facts), width=128, depth=3, heads=2, **layer)
    layout = Layout.of([facts])
    reading = Reading(model, layout.context, stacked=True)  # attention as products
    state = initial_state(model, make_schedule(TrainConfig(), 64, 128), 0)
    batch = to_device(facts).take(jnp.arange(64))
    program = jax.make_jaxpr(lambda *args: loss_and_gradient(reading, *args))(state.params, batch)
    counted = product_flops(program.jaxpr)
    # Beside these the program has sums written as products, and the half of attention that is
    # masked; and no gradient is needed with respect to the embedded tokens of the readout.
    assert step_flops(reading, layout, 64) == pytest.approx(counted, rel=0.04)


def test_flops_of_a_mixture_are_those_of_the_experts_that_a_token_goes_through():
    facts = make_facts(64, keys=(3, 3), values=(4, 4))
    layout = Layout.of([facts])

    def flops(**layer):
        model = TransformerConfig(12, width=128, depth=3, heads=2, **layer)
        return step_flops(Reading(model, layout.context), layout, 64)

    mixture = {"feed_forward": "experts", "experts": 8}
    assert flops() < flops(**mixture, active=1) < 1.02 * flops()
    assert flops(hidden=1024) < flops(**mixture, active=2) < 1.02 * flops(hidden=1024)


def test_flops_of_a_large_model_are_six_a_weight_and_token():
    facts = make_facts(4, keys=(1, 1), values=(30, 30))
    model = TransformerConfig(vocabulary=12, width=512, depth=12, heads=8)
    layout = Layout.of([facts])
    tokens = 4 * (layout.time - 1)
    flops = step_flops(Reading(model, layout.context), layout, 4)
    assert flops == pytest.approx(6 * model.parameters * tokens, rel=0.02)


def test_ledger_numbers():
    facts = make_facts(10, keys=(3, 3), values=(2, 2))
    ledger = make_ledger(
        facts_drawn=640,
        flops=1e9,
        layout=Layout.of([facts]),
        precision="float32",
        scans=[3.0, 1.0, 1.0],
        seconds=6.0,
    )
    assert ledger.tokens == 640 * 5
    assert ledger.compile_seconds == pytest.approx(2.0)
    assert ledger.flops_per_second == pytest.approx(1e9 / 4)
    assert ledger.peak_flops_per_second == measured_peak("float32") > 1e8
    assert ledger.peak_share == pytest.approx(2.5e8 / measured_peak("float32"))
