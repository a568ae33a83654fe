import math
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from factcap.models.one_hidden_layer import Network, fit_network, labels_wrongly
from factcap.synth import BadInput, rules_and_facts


def test_it_computes_what_it_says():
    graph, state = nnx.split(Network(2, 3, rngs=nnx.Rngs(0)))
    units = {"kernel": [[1.0, -1.0, 0.0], [0.0, 0.0, 2.0]], "bias": [0.0, 0.5, -1.0]}
    readout = {"kernel": [[1.0], [2.0], [-3.0]], "bias": [0.25]}
    weights = {
        layer: {name: jnp.array(values) for name, values in of.items()}
        for layer, of in {"units": units, "readout": readout}.items()
    }
    nnx.replace_by_pure_dict(state, weights)
    network = nnx.merge(graph, state)
    inputs = np.array([[2.0, 0.0], [-1.0, 1.0], [0.0, 1.0]])
    # 2 + 0.25; 2 * 1.5 - 3 * 1 + 0.25; 2 * 0.5 - 3 * 1 + 0.25
    np.testing.assert_allclose(network(jnp.asarray(inputs)), [2.25, 0.25, -1.75])
    wrong = labels_wrongly(network, inputs, np.array([1.0, -1.0, 1.0]))
    assert wrong.tolist() == [False, True, True]


def test_wide_networks_memorize_all_facts_and_narrow_ones_do_not():
    drawn = rules_and_facts(120, 20, 1.0, seed=3)
    wide = fit_network(drawn, hidden=64, steps=800, seed=1)
    assert not labels_wrongly(wide, drawn.inputs, drawn.labels).any()
    narrow = fit_network(drawn, hidden=1, steps=800, seed=1)
    # one unit and a threshold cut the points by one hyperplane, which separates about 2 d of 6 d
    assert labels_wrongly(narrow, drawn.inputs, drawn.labels).mean() > 0.1


def test_it_learns_a_rule_and_as_much_as_its_labels_say():
    fresh = rules_and_facts(4000, 10, 0.0, seed=7)
    drawn = rules_and_facts(600, 10, 0.0, seed=7)
    errors = []
    for labels in (drawn.labels, -drawn.labels):
        network = fit_network(replace(drawn, labels=labels), hidden=8, steps=800)
        errors.append(labels_wrongly(network, fresh.inputs[600:], fresh.labels[600:]).mean())
    assert errors[0] < 0.05
    assert errors[1] > 0.95


def test_the_seed_decides_and_nothing_else():
    drawn = rules_and_facts(50, 5, 0.3)
    one, same, other = (fit_network(drawn, hidden=4, steps=20, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one.units.kernel[...], same.units.kernel[...])
    assert not np.array_equal(one.units.kernel[...], other.units.kernel[...])


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"hidden": 0}, "hidden must be at least 1, not 0"),
        ({"hidden": 2, "steps": 0}, "steps must be at least 1, not 0"),
        ({"hidden": 2, "learning_rate": 0.0}, "learning_rate must be positive and finite, not 0"),
        ({"hidden": 2, "learning_rate": math.nan}, "learning_rate must be positive and finite"),
    ],
)
def test_bad_arguments_are_named(more, message):
    with pytest.raises(BadInput, match=message):
        fit_network(rules_and_facts(5, 2, 0.1), **more)


def test_weights_that_are_not_finite_are_an_error():
    drawn = rules_and_facts(20, 3, 0.1)
    with pytest.raises(FloatingPointError, match="try a smaller learning rate than 1e\\+38"):
        fit_network(drawn, hidden=2, steps=50, learning_rate=1e38)
