"""What a model takes over from one of another form: a predictor is added, or units are cut away."""

import dataclasses
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from factcap.models.transformer.decoder import TransformerConfig
from factcap.models.transformer.fast.values import Params

# All parameters; all but those of a predictor, which a masked model adds to a dense one; or the
# most important units of each feed-forward layer, of a dense model that is pruned.
WHOLE, PREDICTOR_ADDED, PRUNED = "whole", "predictor added", "pruned"

# Fields that decide neither how many parameters there are nor where they lie.
_FREE = frozenset({"active", "mask_reads", "weight_bits", "kept_in"})


def takes_over(parent: TransformerConfig, child: TransformerConfig) -> str | None:
    """How a model can begin with the parameters of another; None: it cannot.

    >>> dense = TransformerConfig(128, 16, 2, 1)
    >>> takes_over(dense, dataclasses.replace(dense, feed_forward="masked", active=8))
    'predictor added'
    >>> takes_over(dense, dataclasses.replace(dense, hidden=8))
    'pruned'
    """
    before, after = _shape(parent), _shape(child)
    differ = {name for name in before if before[name] != after[name]}
    if not differ:
        return WHOLE
    forms = (parent.feed_forward, child.feed_forward)
    if differ == {"feed_forward"} and forms == ("gelu", "masked"):
        return PREDICTOR_ADDED
    if differ == {"hidden"} and forms == ("gelu", "gelu") and before["hidden"] > after["hidden"]:
        return PRUNED
    return None


def _shape(model: TransformerConfig) -> dict[str, Any]:
    named = {field.name: getattr(model, field.name) for field in dataclasses.fields(model)}
    named["hidden"] = model.layer.hidden
    return {name: value for name, value in named.items() if name not in _FREE}


def inherited(
    parent: TransformerConfig, child: TransformerConfig, params: Params, fresh: Params
) -> Params:
    """The parameters with which a model begins.

    Args:
        parent: the model before.
        child: the model that begins; `takes_over` says how.
        params: of the parent.
        fresh: of the child, drawn anew.
    """
    how = takes_over(parent, child)
    assert how is not None
    if how == PREDICTOR_ADDED:
        return {**params, "predictor": fresh["predictor"]}
    if how == PRUNED:
        hidden = child.layer.hidden
        blocks = {number: _pruned(block, hidden) for number, block in params["blocks"].items()}
        return {**params, "blocks": blocks}
    return params


def _pruned(block: Params, hidden: int) -> Params:
    """A block whose feed-forward layer has its most important units alone, in their order."""
    inner, outer = (block[name]["kernel"] for name in ("feed_forward_in", "feed_forward_out"))
    kept = most_important(inner, outer, hidden)
    cut = {"feed_forward_in": inner[:, kept], "feed_forward_out": outer[kept]}
    return {**block, **{name: {"kernel": kernel} for name, kernel in cut.items()}}


def most_important(
    inner_DxF: Float[Array, "width hidden"], outer_FxD: Float[Array, "hidden width"], units: int
) -> Int[Array, " units"]:
    """The units of the largest weights, in their order.

    A unit counts by the product of the norms of what goes in and of what comes out: by magnitude,
    as in Han et al. 2015 (1506.02626), of whole units. No facts are read.

    Args:
        inner_DxF: matrix into the units.
        outer_FxD: matrix out of them.
        units: how many stay.
    """
    size_F = jnp.linalg.norm(inner_DxF, axis=0) * jnp.linalg.norm(outer_FxD, axis=1)
    return jnp.sort(jnp.argsort(-size_F)[:units])
