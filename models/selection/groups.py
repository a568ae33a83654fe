"""Selection where what is trained on is not what is scored: documents, by the facts they tell."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Float64

from models.selection.config import SelectConfig
from models.selection.selector import Selector, packed, unpacked
from synth.corpus import Grouping


@dataclass(frozen=True)
class Items:
    """What a selector reads of the groups.

    Attributes:
        entropy_bits: of each.
        frequency: of each; sums to 1.
    """

    entropy_bits: Float64[np.ndarray, " groups"]
    frequency: Float64[np.ndarray, " groups"]

    def __len__(self) -> int:
        return len(self.entropy_bits)


@dataclass
class GroupSelector:
    """A `Selector` of groups, and the weights of the documents that follow from those of groups.

    A group's loss is that of its facts, a fact's the mean over the places at which it is scored
    (see `Grouping`); its frequency is the sum over its documents, and a document's weight is that
    of its group times its share of the group's frequency.

    Where the entropy of a group is not known, its loss at the first scoring is taken. The first
    scoring then chooses nothing, since nothing has been stored by that measure yet; and `worth`
    reads frequency off losses, since nobody counted what documents have in common.

    Attributes:
        grouping: the groups.
        documents: frequency of each document; sums to 1.
        config: how to select.
        parameters: of the model.
        draws: documents that the training may draw, those that scoring costs included.
        seed: of the counts, and of what a scheme draws.
        entropies: of the groups, once they are known.
    """

    grouping: Grouping
    documents: Float64[np.ndarray, " documents"]
    config: SelectConfig
    parameters: int
    draws: float
    seed: int
    entropies: Float64[np.ndarray, " groups"] | None = field(init=False)
    weights: Float64[np.ndarray, " documents"] = field(init=False)

    def __post_init__(self):
        self.entropies = self.grouping.entropies
        if self.entropies is None:
            self.config = replace(self.config, counted=False)
        self._inner = self._selector()
        self._weigh()

    def _selector(self) -> Selector:
        # Before the first scoring, entropies that are not known are not read either.
        entropies = np.ones(len(self.grouping)) if self.entropies is None else self.entropies
        items = Items(entropies, self.grouping.frequency(self.documents))
        return Selector(items, self.config, self.parameters, self.draws, self.seed)

    def _weigh(self) -> None:
        self.weights = self.grouping.document_weights(self._inner.weights, self.documents)

    @property
    def history(self) -> list[tuple[float, float]]:
        """(share of the training, stored bits of the groups that were kept) of the selections."""
        return self._inner.history

    @property
    def needs_scores(self) -> bool:
        """Whether `look` needs scores of influence; it has none of groups."""
        return self._inner.needs_scores

    def planned_draws(self) -> float:
        """What all scoring will cost at the most, in documents drawn: all rows count as whole."""
        rows_per_group = len(self.grouping.rows) / len(self.grouping)
        return self._inner.planned_draws() * rows_per_group

    def due(self, done: int, steps: int) -> bool:
        """Whether it is to be selected before the next step."""
        return self._inner.due(done, steps)

    def look(self, share: float, row_bits: np.ndarray) -> bool:
        """Select after this share of the training; whether the weights changed.

        Args:
            share: of the training, in (0, 1].
            row_bits: loss of each row of `grouping.rows`.
        """
        losses = self.grouping.losses(row_bits.astype(np.float64))
        if self.entropies is None:
            self.entropies = losses
            self._inner = self._selector()
        changed = self._inner.look(share, losses)
        if changed:
            self._weigh()
        return changed

    def state(self) -> dict[str, Any]:
        """What going on after an interruption needs, as JSON values."""
        entropies = None if self.entropies is None else packed(self.entropies)
        return {"groups": self._inner.state(), "entropies": entropies}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        if state["entropies"] is not None:
            self.entropies = unpacked(state["entropies"])
        self._inner = self._selector()
        self._inner.restore(state["groups"])
        self._weigh()
