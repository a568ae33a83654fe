"""What a training needs of a selection, and a selection of the model that is trained."""

from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Float64, Int


@runtime_checkable
class ScoredModel(Protocol):
    """A model as it is now, whatever engine trains it: what a selection may ask of it."""

    @property
    def nll_bits(self) -> Float[np.ndarray, " facts"]:
        """Loss of each fact it is trained on, in bits; those of dropped facts are not read."""
        ...

    def influence_scores(self, held_out: Int[np.ndarray, " held"]) -> Float[np.ndarray, " facts"]:
        """First-order influence of each fact on some held-out ones, given by their numbers."""
        ...

    def losses_of(self, rows: Any) -> Float[np.ndarray, " rows"]:
        """Loss of each row of a `Grouping`, in bits; those of dropped groups are not read."""
        ...


@runtime_checkable
class Selection(Protocol):
    """What is kept and how it is drawn, as a training goes on.

    `Selector` and `GroupSelector` are such.

    Attributes:
        weights: of what was kept, 0 where a fact was dropped.
    """

    weights: Float64[np.ndarray, " facts"]

    @property
    def drawn_by(self) -> Float64[np.ndarray, " facts"]:
        """By which facts are drawn: `with_rest` of the weights."""
        ...

    @property
    def history(self) -> list[tuple[float, float]]:
        """(share of the training, stored bits of what was kept) of the selections so far."""
        ...

    @property
    def bits_kept(self) -> float:
        """Entropy in bits of what is kept now."""
        ...

    def planned_draws(self) -> float:
        """What all scoring will cost at the most, in facts drawn."""
        ...

    def due(self, done: int, steps: int) -> bool:
        """Whether it is to be selected before the next step."""
        ...

    def reselect(self, share: float, model: ScoredModel) -> bool:
        """Select by what a model knows after this share of the training; whether weights change."""
        ...

    def state(self) -> dict[str, Any]:
        """What going on after an interruption needs, as JSON values."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        ...


def with_rest(
    weights: Float64[np.ndarray, " facts"], frequency: Float64[np.ndarray, " facts"], rest: float
) -> Float64[np.ndarray, " facts"]:
    """By which facts are drawn where a share of the draws is left to what was dropped.

    Args:
        weights: of what was kept, 0 where a fact was dropped; not all 0.
        frequency: of each fact; what was dropped is drawn by it.
        rest: that share, in [0, 1).

    Returns:
        The weights as they are where there is no such share, or nothing was dropped.

    >>> with_rest(np.array([1.0, 1.0, 0.0]), np.full(3, 1 / 3), 0.25).tolist()
    [0.375, 0.375, 0.25]
    """
    dropped = np.where(weights > 0, 0.0, frequency)
    if rest == 0 or not dropped.any():
        return weights
    return (1 - rest) * weights / weights.sum() + rest * dropped / dropped.sum()
