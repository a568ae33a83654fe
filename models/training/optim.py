"""The optimizers, by name."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.sharding import Mesh
from jax.typing import ArrayLike
from jaxtyping import Array, Float
from optax import contrib

from factcap.models.training.devices.mesh import gathered, spread
from factcap.synth.errors import require

# Root mean square of an update of Muon over that of its learning rate, as AdamW's is: one learning
# rate then serves both (Liu et al. 2025, 2502.16982).
_CONSISTENT_RMS = 0.2

OPTIMIZERS = ("adamw", "muon", "schedule-free-adamw", "schedule-free-muon")

# What Schedule-Free evaluates lies this much nearer to the average than to the last iterate.
_AVERAGED = 0.9


def check_optimizer(name: str) -> None:
    """Raise `BadInput`, with the names that there are, unless this is one of them."""
    require(
        name in OPTIMIZERS, f"no optimizer is called {name!r}; there are {', '.join(OPTIMIZERS)}"
    )


def is_schedule_free(name: str) -> bool:
    """Whether an optimizer averages its iterates instead of lowering its learning rate."""
    return name.startswith("schedule-free-")


def make_optimizer(
    name: str,
    rate: Callable[[ArrayLike], Float[Array, ""]],
    *,
    beta2: float | Array,
    weight_decay: float | Array,
    mesh: Mesh | None = None,
) -> optax.GradientTransformation:
    """The optimizer of a name.

    Args:
        name: `adamw`; or `muon`, which orthogonalizes the updates of the matrices within the
            blocks (Jordan 2024) and leaves embedding, readout and norms to AdamW with Nesterov's
            momentum; or `schedule-free-` and one of these, which averages the iterates instead of
            using momentum and a falling learning rate (Defazio et al. 2024, 2405.15682).
        rate: learning rate of a step.
        beta2: decay of AdamW's second moment.
        weight_decay: decoupled, for all parameters.
        mesh: over which the parameters are divided: each device then makes whole matrices
            orthogonal.

    Raises:
        BadInput: for an unknown name.
    """
    check_optimizer(name)
    averaged = is_schedule_free(name)
    base = name.removeprefix("schedule-free-")
    momentum = 0.0 if averaged else None  # averaging takes its place
    if base == "adamw":
        optimizer = optax.adamw(
            rate, b1=0.9 if momentum is None else momentum, b2=beta2, weight_decay=weight_decay
        )
    else:
        hidden: Any = _hidden_matrices
        optimizer = _with_blocks_stacked(
            contrib.muon(
                rate,
                weight_decay=weight_decay,
                beta=0.95 if momentum is None else momentum,
                nesterov=not averaged,
                adam_b1=0.9 if momentum is None else momentum,
                adam_b2=beta2,
                adam_weight_decay=weight_decay,
                muon_weight_dimension_numbers=hidden,
                consistent_rms=_CONSISTENT_RMS,
            ),
            mesh,
        )
    if averaged:
        return contrib.schedule_free(optimizer, rate, b1=_AVERAGED)
    return optimizer


def evaluated(name: str, optimizer: optax.OptState, params: Any) -> Any:
    """The parameters to measure: those trained, or of Schedule-Free the average it keeps."""
    if not is_schedule_free(name):
        return params
    return contrib.schedule_free_eval_params(optimizer, params)


def _with_blocks_stacked(optimizer: Any, mesh: Mesh | None) -> optax.GradientTransformation:
    """The optimizer on trees whose blocks are one, their matrices stacked along a first axis.

    Muon then makes the equal matrices of all blocks orthogonal in one loop; on a mesh each device
    some of them, whole.
    """

    def stacked(tree: Any) -> Any:
        return tree | {
            "blocks": jax.tree.map(lambda *all_: jnp.stack(all_), *tree["blocks"].values())
        }

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        update_ = optimizer.update if mesh is None else partial(_update_spread, optimizer, mesh)
        found, state = update_(stacked(updates), state, stacked(params))
        blocks = {
            key: jax.tree.map(lambda leaf, number=number: leaf[number], found["blocks"])
            for number, key in enumerate(updates["blocks"])
        }
        return found | {"blocks": blocks}, state

    return optax.GradientTransformation(lambda params: optimizer.init(stacked(params)), update)


def _update_spread(
    optimizer: Any, mesh: Mesh, updates: Any, state: Any, params: Any
) -> tuple[Any, Any]:
    """The update of stacks that are divided over a mesh, with whole matrices on each device.

    It is written twice: from parts of matrices, which gives the new state and what is not stacked,
    and from whole ones, which gives the update of the stacks. What nobody asks for of either, as
    the orthogonalization of parts, the compiler leaves out.
    """

    def moved(tree: Any) -> Any:
        return jax.tree.map(lambda leaf: spread(mesh, leaf) if leaf.ndim == 3 else leaf, tree)

    found, new_state = optimizer.update(updates, state, params)
    whole, _ = optimizer.update(moved(updates), moved(state), moved(params))
    blocks = jax.tree.map(
        lambda leaf, old: gathered(mesh, leaf, len(old)) if leaf.ndim == 3 else old,
        whole["blocks"],
        found["blocks"],
    )
    return found | {"blocks": blocks}, new_state


def _hidden_matrices(params: Any) -> Any:
    """Which axes of each parameter are matrices of blocks; None for all other parameters."""

    def numbers(path: tuple, leaf: Array) -> contrib.MuonDimensionNumbers | None:
        inside = any(getattr(key, "key", None) == "blocks" for key in path)
        # Before the matrix come the blocks, and the experts where there are some.
        last = leaf.ndim - 1
        return contrib.MuonDimensionNumbers(last - 1, last) if inside and last >= 2 else None

    return jax.tree_util.tree_map_with_path(numbers, params)
