"""The optimizers, by name."""

from collections.abc import Callable
from typing import Any

import jax
import optax
from flax import nnx
from jax.typing import ArrayLike
from jaxtyping import Array, Float
from optax import contrib

from synth.errors import require

# Root mean square of an update of Muon over that of its learning rate, as AdamW's is: one learning
# rate then serves both (Liu et al. 2025, 2502.16982).
_CONSISTENT_RMS = 0.2

OPTIMIZERS = ("adamw", "muon")


def check_optimizer(name: str) -> None:
    """Raise `BadInput`, with the names that there are, unless this is one of them."""
    require(
        name in OPTIMIZERS, f"no optimizer is called {name!r}; there are {', '.join(OPTIMIZERS)}"
    )


def make_optimizer(
    name: str,
    rate: Callable[[ArrayLike], Float[Array, ""]],
    *,
    beta2: float | Array,
    weight_decay: float | Array,
) -> optax.GradientTransformation:
    """The optimizer of a name.

    Args:
        name: `adamw`; or `muon`, which orthogonalizes the updates of the matrices within the
            blocks (Jordan 2024) and leaves embedding, readout and norms to AdamW with Nesterov's
            momentum.
        rate: learning rate of a step.
        beta2: decay of AdamW's second moment.
        weight_decay: decoupled, for all parameters.

    Raises:
        BadInput: for an unknown name.
    """
    check_optimizer(name)
    if name == "adamw":
        return optax.adamw(rate, b2=beta2, weight_decay=weight_decay)
    hidden: Any = _hidden_matrices
    return contrib.muon(
        rate,
        weight_decay=weight_decay,
        adam_b2=beta2,
        adam_weight_decay=weight_decay,
        muon_weight_dimension_numbers=hidden,
        consistent_rms=_CONSISTENT_RMS,
    )


def _hidden_matrices(params: nnx.State) -> Any:
    """Which axes of each parameter are a matrix of a block; None for all other parameters."""

    def numbers(path: tuple, leaf: Array) -> contrib.MuonDimensionNumbers | None:
        inside = any(getattr(key, "key", None) == "blocks" for key in path)
        return contrib.MuonDimensionNumbers(0, 1) if inside and leaf.ndim == 2 else None

    return jax.tree_util.tree_map_with_path(numbers, params)
