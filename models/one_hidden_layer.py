"""A network of one hidden layer, trained on the points of rules and facts until it fits them."""

import math
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float

from factcap.models.compiler import fast_options
from factcap.synth import RulesAndFacts
from factcap.synth.errors import require


class Network(nnx.Module):
    """Rectified linear units and a linear readout, with biases, started as Flax does.

    Args:
        dimension: of the inputs.
        hidden: number of units.
        rngs: what to draw the weights with.
    """

    def __init__(self, dimension: int, hidden: int, *, rngs: nnx.Rngs):
        self.units = nnx.Linear(dimension, hidden, rngs=rngs)
        self.readout = nnx.Linear(hidden, 1, rngs=rngs)

    def __call__(self, inputs: Float[Array, "points dimension"]) -> Float[Array, " points"]:
        """A number a point; its sign is the label."""
        return self.readout(nnx.relu(self.units(inputs)))[:, 0]


def fit_network(
    drawn: RulesAndFacts,
    *,
    hidden: int,
    steps: int = 2000,
    learning_rate: float = 0.003,
    seed: int = 0,
) -> Network:
    """Train on the logistic loss of all points at once, by Adam; no weight decay.

    The learning rate falls as a cosine, to 0 at the last step.

    Args:
        drawn: the points.
        hidden: number of units, at least 1.
        steps: at least 1.
        learning_rate: the first.
        seed: of the weights at the start.

    Raises:
        BadInput: for an argument out of range.
        FloatingPointError: if the weights are not finite at the end.
    """
    require(hidden >= 1, f"hidden must be at least 1, not {hidden}")
    require(steps >= 1, f"steps must be at least 1, not {steps}")
    require(
        math.isfinite(learning_rate) and learning_rate > 0,
        f"learning_rate must be positive and finite, not {learning_rate}",
    )
    network = Network(len(drawn.teacher), hidden, rngs=nnx.Rngs(seed))
    graph, params = nnx.split(network, nnx.Param)
    points = (jnp.asarray(drawn.inputs, jnp.float32), jnp.asarray(drawn.labels, jnp.float32))
    params = _compiled_fit()(graph, steps, params, points, learning_rate)
    if not all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves(params)):
        raise FloatingPointError(
            f"the weights are not finite; try a smaller learning rate than {learning_rate:g}"
        )
    return nnx.merge(graph, params)


@cache
def _compiled_fit() -> Any:
    def fit(graph: Any, steps: int, params: Any, points: Any, learning_rate: ArrayLike) -> Any:
        inputs, labels = points
        optimizer = optax.adam(optax.cosine_decay_schedule(learning_rate, steps))

        def loss(params: Any) -> Float[Array, ""]:
            # ln(1 + exp(-y z)), the mean over points
            return jnp.mean(jax.nn.softplus(-labels * nnx.merge(graph, params)(inputs)))

        def step(state: Any, _: None) -> tuple[Any, None]:
            params, moments = state
            update, moments = optimizer.update(jax.grad(loss)(params), moments, params)
            return (optax.apply_updates(params, update), moments), None

        start = (params, optimizer.init(params))
        return jax.lax.scan(step, start, length=steps)[0][0]

    return jax.jit(fit, static_argnums=(0, 1), compiler_options=dict(fast_options()))


def labels_wrongly(
    network: Network, inputs: Float[np.ndarray, "points d"], labels: Float[np.ndarray, " points"]
) -> Bool[np.ndarray, " points"]:
    """Whether the network's label of each point is another one."""
    return np.asarray(network(jnp.asarray(inputs, jnp.float32))) * labels <= 0
