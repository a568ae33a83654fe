"""Which experts a position goes through, and the loss that keeps all of them busy."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

# Weight of the balancing loss, as Fedus et al. 2021 (2101.03961) have it.
BALANCE = 0.01


def routed(
    logits_NxE: Float[Array, "rows experts"], active: int
) -> tuple[Int[Array, "rows active"], Float[Array, "rows active"], Float[Array, ""]]:
    """The experts of each row.

    Args:
        logits_NxE: of the router.
        active: experts a row.

    Returns:
        Their numbers; by what their outputs are multiplied, the router's probabilities, of several
        experts as shares of their sum; and the balancing loss E sum_e f_e P_e (Fedus et al. 2021),
        with f_e the share of the choices that expert e has and P_e its mean probability. It is 1
        where all are chosen equally often.
    """
    probability_NxE = jax.nn.softmax(logits_NxE, axis=-1)
    weight_NxA, chosen_NxA = jax.lax.top_k(probability_NxE, active)
    experts = logits_NxE.shape[1]
    share_E = jnp.mean(chosen_NxA[:, :, None] == jnp.arange(experts), axis=(0, 1))
    balance = experts * jnp.sum(share_E * jnp.mean(probability_NxE, axis=0))
    if active > 1:
        weight_NxA /= jnp.sum(weight_NxA, axis=1, keepdims=True)
    return chosen_NxA, weight_NxA, balance
