"""What a training needs of a selection, and which of the two kinds serves which facts."""

from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64

from factcap.models.training.config import TrainConfig, total_steps
from factcap.models.training.selection.checked import CheckedModel
from factcap.models.training.selection.groups import GroupSelector
from factcap.models.training.selection.selector import Selector
from factcap.synth import FactSet
from factcap.synth.corpus import Grouping


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

    def reselect(self, share: float, model: CheckedModel) -> bool:
        """Select by what a model knows after this share of the training; whether weights change."""
        ...

    def state(self) -> dict[str, Any]:
        """What going on after an interruption needs, as JSON values."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        ...


def make_selection(
    facts: FactSet, training: TrainConfig, parameters: int, grouping: Grouping | None = None
) -> Selection | None:
    """The selection that a configuration asks for, as it is before the first step.

    Args:
        facts: what is learned.
        training: how, its defaults filled in.
        parameters: of the model.
        grouping: where the facts are documents, what is scored instead of them.

    Returns:
        The selection; None where all facts are trained on.
    """
    if training.select is None:
        return None
    draws = total_steps(training, len(facts)) * training.batch
    rest = (training.select, parameters, draws, training.seed)
    if grouping is None:
        return Selector(facts, *rest)
    return GroupSelector(grouping, facts.frequency, *rest)
