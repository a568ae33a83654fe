import jax
import pytest
from flax import nnx

from factcap.models import Transformer, TransformerConfig
from factcap.synth import BadInput

FORMS = [
    {},
    {"hidden": 24},
    {"feed_forward": "gated"},
    {"feed_forward": "gated", "hidden": 10},
    {"feed_forward": "experts", "experts": 4, "active": 1},
    {"feed_forward": "experts", "experts": 3, "active": 2, "hidden": 12},
    {"feed_forward": "masked", "active": 16},
]


def config(**layer):
    return TransformerConfig(vocabulary=11, width=16, depth=3, heads=2, **layer)


@pytest.mark.parametrize("layer", FORMS, ids=str)
def test_parameters_counts_every_array(layer):
    params = nnx.state(Transformer(config(**layer), rngs=nnx.Rngs(0)), nnx.Param)
    assert sum(leaf.size for leaf in jax.tree.leaves(params)) == config(**layer).parameters


def test_active_parameters_are_those_without_what_is_left_out():
    dense = config()
    assert dense.active_parameters == dense.parameters
    mixture = config(feed_forward="experts", experts=4, active=1)
    router = 3 * 4 * 16
    assert mixture.active_parameters == dense.parameters + router
    masked = config(feed_forward="masked", active=16)
    small = config(hidden=16)
    assert masked.active_parameters == small.parameters + masked.predictor_parameters
    assert masked.parameters == dense.parameters + masked.predictor_parameters


def test_a_gated_model_is_as_large_as_another():
    for width in (16, 32, 128, 768):
        dense = TransformerConfig(128, width, 4, 1)
        gated = TransformerConfig(128, width, 4, 1, feed_forward="gated")
        assert gated.parameters == pytest.approx(dense.parameters, rel=0.02)


def test_a_usual_model_has_the_entry_it_always_had():
    assert config().entry == {"vocabulary": 11, "width": 16, "depth": 3, "heads": 2, "tied": True}
    assert config(feed_forward="gated").entry == {**config().entry, "feed_forward": "gated"}


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ({"feed_forward": "relu"}, "'relu'; there are gelu, gated, experts, masked"),
        ({"hidden": -1}, "hidden must be positive, or 0 as is usual, not -1"),
        ({"experts": 4}, "only feed_forward experts has experts, not gelu"),
        ({"active": 4}, "only feed_forward experts and masked have active parts, not gelu"),
        ({"feed_forward": "experts", "active": 1}, "experts must be at least 2, not 0"),
        ({"feed_forward": "experts", "experts": 4}, r"active must lie in \[1, experts = 4\]"),
        (
            {"feed_forward": "masked", "active": 65},
            r"active must lie in \[1, hidden = 64\], not 65",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(layer, message):
    with pytest.raises(BadInput, match=message):
        config(**layer)
