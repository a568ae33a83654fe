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
    """Which facts are drawn, as a training goes on; `Selector` and `GroupSelector` are such.

    Attributes:
        weights: by which facts are drawn now, 0 where one was dropped; a new array whenever they
            change.
    """

    weights: Float64[np.ndarray, " facts"]

    @property
    def history(self) -> list[tuple[float, float]]:
        """(share of the training, stored bits of what was kept) of the selections so far."""
        ...

    @property
    def bits_kept(self) -> float:
        """Entropy in bits of what is trained on now."""
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
