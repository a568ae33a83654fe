"""First-order influence: how well learning a fact agrees with learning others."""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int

from factcap.models.training.steps import loss_and_gradient, trained_module
from factcap.models.transformer.fast.values import Params, Reading
from factcap.models.transformer.layout import DeviceFacts

_ROWS = 512


def influence_scores(
    reading: Reading, params: Params, facts: DeviceFacts, held_out: Int[np.ndarray, " held"]
) -> Float[np.ndarray, " facts"]:
    """Inner product of each fact's gradient with the mean gradient of some held-out facts.

    s_i = grad l_i . mean_h grad l_h, l the NLL of a fact in nats: by how much, to first order, a
    step on fact i lowers the loss of the others (TracIn, Pruthi et al. 2020, 2002.08484, with one
    checkpoint). Since $s_i = d/de l_i(theta + e g)$ at $e = 0$, with g the mean gradient, one
    forward-mode pass over the facts gives all of them, and no gradient of a fact is ever made.

    Args:
        reading: how the model reads facts.
        params: of the model.
        facts: all of them.
        held_out: numbers of the facts whose mean gradient is taken, each as often as it counts.
    """
    scores = _compiled_scores()(reading, params, facts, jnp.asarray(held_out, jnp.int32))
    return np.asarray(scores)[: int(facts.facts)]


@cache
def _compiled_scores() -> Any:
    def scores(
        reading: Reading, params: Params, facts: DeviceFacts, held_out: Int[Array, " held"]
    ) -> Float[Array, " rows"]:
        _, direction = loss_and_gradient(reading, params, facts.take(held_out))

        def some(first: Array) -> Float[Array, " some"]:
            batch = facts.take(first + jnp.arange(_ROWS))

            def nll(params: Params) -> Float[Array, " some"]:
                # Not `value_nll`: its gradients are written by hand, for reverse mode only.
                module = trained_module(reading.model, params)
                logits_BxVxW = module(batch.tokens_BxT[:, :-1], batch.start_B, reading.context - 1)
                target_BxV = batch.tokens_BxT[:, reading.context :]
                nll_BxV = optax.softmax_cross_entropy_with_integer_labels(logits_BxVxW, target_BxV)
                counted = 1.0 if batch.counted_BxV is None else batch.counted_BxV
                return jnp.sum(nll_BxV * counted, axis=1)

            return jax.jvp(nll, (params,), (direction,))[1]

        rows = len(facts.keep_F)
        return jax.lax.map(some, jnp.arange(0, rows, _ROWS)).reshape(-1)

    return jax.jit(scores, static_argnums=0)
