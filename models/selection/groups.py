"""Selection where what is trained on is not what is scored: documents, by the facts they tell."""

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Float64

from models.selection.config import SelectConfig
from models.selection.selector import Selector, packed, unpacked
from synth.corpus import Grouping
from synth.selection import SCHEMES

# The groups that lost the largest share of their loss: the last twentieth.
_QUICKEST = 0.95
_LEAST_BITS = 1e-6


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

    What documents have in common is learned before what each of them tells. Documents are therefore
    drawn by their frequency up to the first selection. And a budget that sets itself reads the
    stored bits from a first scoring on, at half of the share after which it is selected first: that
    is when its clock starts, and nothing is chosen then.

    Where the entropy of a group is not known, a loss at the first scoring is the most that can be
    stored of it, and not all of that can: which template and which filler follow cannot be
    foreseen. What can is taken to be the same share of each group's loss, the share that the
    twentieth of groups that lost the largest have lost so far. It grows with the training, so that
    a budget is generous at first. The model's size then bounds no budget, since documents share
    text, an entity's name say, whose bits are counted in each of them. Nobody counted what such
    documents have in common either, and `worth` reads frequency off losses. A budget that is told
    is in bits of the losses at the first scoring.

    Attributes:
        grouping: the groups.
        documents: frequency of each document; sums to 1.
        config: how to select.
        parameters: of the model.
        draws: documents that the training may draw, those that scoring costs included.
        seed: of the counts, and of what a scheme draws.
        losses: of the groups when they were scored first; None before.
        start: share of the training after which that was.
        last: share of the training after which they were scored last.
        storable: share of `losses` that can be stored, where entropies are not known.
    """

    grouping: Grouping
    documents: Float64[np.ndarray, " documents"]
    config: SelectConfig
    parameters: int
    draws: float
    seed: int
    weights: Float64[np.ndarray, " documents"] = field(init=False)
    losses: Float64[np.ndarray, " groups"] | None = None
    start: float = 0.0
    last: float = 0.0
    storable: float = 1.0

    def __post_init__(self):
        if not self._marked and self.config.scheme == "worth":
            self.config = replace(self.config, counted=False)
        parameters = self.parameters if self._marked else math.inf
        by_frequency = SCHEMES[self.config.scheme].keeps_budget
        rest = (self.config, parameters, self.draws, self.seed, by_frequency)
        self._inner = Selector(self._items(), *rest)
        self._weigh()

    @property
    def _marked(self) -> bool:
        return self.grouping.entropies is not None

    def _items(self) -> Items:
        entropies = self.grouping.entropies
        if entropies is None:
            # Before the first scoring, entropies that are not known are not read either.
            ones = np.ones(len(self.grouping))
            entropies = ones if self.losses is None else self.storable * self.losses
        return Items(entropies, self.grouping.frequency(self.documents))

    def _weigh(self) -> None:
        self.weights = self.grouping.document_weights(self._inner.weights, self.documents)

    def _shares(self) -> tuple[float, ...]:
        shares = self.config.shares()
        if self.config.budget_bits or not shares:
            return shares
        return (shares[0] / 2, *shares)

    @property
    def history(self) -> list[tuple[float, float]]:
        """(share of the training, stored bits of the groups that were kept) of the selections."""
        return [
            (self.start + (1 - self.start) * share, bits) for share, bits in self._inner.history
        ]

    @property
    def bits_kept(self) -> float:
        """Entropy in bits of the groups that are trained on now."""
        return self._inner.bits_kept

    @property
    def needs_scores(self) -> bool:
        """Whether `look` needs scores of influence; it has none of groups."""
        return self._inner.needs_scores

    def planned_draws(self) -> float:
        """What all scoring will cost at the most, in documents drawn: all rows count as whole."""
        selections = len(self.config.shares())
        if selections == 0:
            return 0.0
        rows_per_group = len(self.grouping.rows) / len(self.grouping)
        passes = len(self._shares()) / selections
        return self._inner.planned_draws() * rows_per_group * passes

    def due(self, done: int, steps: int) -> bool:
        """Whether it is to be scored before the next step.

        Where the first scoring and the first selection fall between two moments at which this is
        asked, the selection comes at the moment after.
        """
        now = done / steps
        if self.losses is not None and not self._inner.history:
            return self.config.shares()[0] <= now
        return any(self.last < share <= now for share in self._shares())

    def look(self, share: float, row_bits: np.ndarray) -> bool:
        """Select after this share of the training; whether the weights changed.

        Args:
            share: of the training, in (0, 1].
            row_bits: loss of each row of `grouping.rows`.
        """
        losses, self.last = self.grouping.losses(row_bits.astype(np.float64)), share
        told = self.config.budget_bits > 0
        if self.losses is None:
            self.losses = losses
            # The clock of a budget that is told has nothing to tell: it stays at 0.
            self.start = 0.0 if told else share
            self._inner.facts = self._items()
            if not told:
                return False
        if not self._marked and not told:
            lost = 1 - losses / np.maximum(self.losses, _LEAST_BITS)
            most = float(np.quantile(lost[self._inner.weights > 0], _QUICKEST))
            self.storable = min(max(most, _LEAST_BITS), 1.0)
            self._inner.facts = self._items()
            # What is left of that share, so that what is stored is what was lost.
            losses = np.maximum(losses - (1 - self.storable) * self.losses, 0.0)
        changed = self._inner.look((share - self.start) / (1 - self.start), losses)
        if changed:
            self._weigh()
        return changed

    def state(self) -> dict[str, Any]:
        """What going on after an interruption needs, as JSON values."""
        return {
            "groups": self._inner.state(),
            "losses": None if self.losses is None else packed(self.losses),
            "start": self.start,
            "last": self.last,
            "storable": self.storable,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        self.losses = None if state["losses"] is None else unpacked(state["losses"])
        self.start, self.last = float(state["start"]), float(state["last"])
        self.storable = float(state["storable"])
        self._inner.facts = self._items()
        self._inner.restore(state["groups"])
        self._weigh()
