"""Selection where what is trained on is not what is scored: documents, by the facts they tell."""

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Float64

from factcap.synth.corpus import Grouping
from factcap.synth.selection.as_text import packed, unpacked
from factcap.synth.selection.budget import most_bits
from factcap.synth.selection.config import SelectConfig
from factcap.synth.selection.offered import Items
from factcap.synth.selection.schemes import SCHEMES, Scheme
from factcap.synth.selection.selection import ScoredModel, with_rest
from factcap.synth.selection.selector import SCORING, Selector

# Of all loss, what the groups hold that have lost the largest shares of theirs.
_QUICKEST = 0.05
# Losses of documents that nothing more is learned of vary by less than this share.
_BY_CHANCE = 0.1


@dataclass
class GroupSelector:
    """A `Selector` of groups, and the weights of the documents that follow from those of groups.

    A group's loss is that of its facts, a fact's the mean over the places at which it is scored
    (see `Grouping`); its frequency is the sum over its documents, and a document's weight is that
    of its group times its share of the group's frequency.

    What documents have in common is learned before what each of them tells. Where a budget is kept,
    documents are therefore drawn by their frequency up to the first selection. And a budget that
    sets itself has a clock that starts at a first scoring, at half of the share after which it is
    selected first; nothing is chosen then. (A training so short that it ends before the check after
    that one selects nothing.) Groups that were dropped come back when what is kept has been learned
    and more would fit.

    Where the entropy of a group is not known, its loss at the first scoring is the most that can be
    stored of it, and not all of that can: which template and which filler follow cannot be
    foreseen. What can is taken to be one share of each group's loss, that of the groups that have
    lost the largest shares and hold a twentieth of all loss; while it is below a tenth, nothing is
    chosen, since losses also vary by chance. Early it is too small, and the budget generous.
    Documents share text, an entity's name say, whose bits are counted in each of them. So what the
    parameters can store is no bound here, but the least that a budget is. `worth` then reads how
    often something is told off the losses. A budget that is told is in bits of the losses at the
    first scoring, all of them.

    Attributes:
        grouping: the groups.
        documents: frequency of each document; sums to 1.
        config: how to select.
        parameters: of the model; infinite: they say nothing of a budget.
        draws: documents that the training may draw, those that scoring costs included.
        seed: of the counts, and of what a scheme draws.
        losses: of the groups when they were scored first; None before.
        start: share of the training after which that was.
        latest: loss of each group when it was last kept; None before the first.
        last: share of the training after which they were scored last.
        storable: share of `losses` that can be stored, where entropies are not known.
    """

    grouping: Grouping[Any]
    documents: Float64[np.ndarray, " documents"]
    config: SelectConfig
    parameters: float
    draws: float
    seed: int
    weights: Float64[np.ndarray, " documents"] = field(init=False)
    losses: Float64[np.ndarray, " groups"] | None = None
    start: float = 0.0
    latest: Float64[np.ndarray, " groups"] | None = None
    last: float = 0.0
    storable: float = 1.0

    def __post_init__(self):
        if not self._marked and self.config.scheme == "worth":
            self.config = replace(self.config, counted=False)
        free = self._marked or math.isinf(self.parameters)
        self._inner = Selector(
            self._items(),
            self.config,
            self.parameters if self._marked else math.inf,
            self.draws,
            self.seed,
            least_bits=0.0 if free else most_bits(self.parameters, 0.0),
            by_frequency=self._scheme.keeps_budget,
            narrowing=False,
        )
        self._weigh()

    @property
    def _scheme(self) -> Scheme:
        return SCHEMES[self.config.scheme]

    @property
    def _marked(self) -> bool:
        return self.grouping.entropies is not None

    @property
    def _told(self) -> bool:
        return self.config.budget_bits > 0

    @property
    def _begins_by_scoring(self) -> bool:
        """Whether nothing is chosen at the first scoring."""
        return not self._told or (self._scheme.reads_losses and not self._marked)

    def _items(self) -> Items:
        entropies = self.grouping.entropies
        if entropies is None:
            # Before the first scoring, entropies that are not known are not read either.
            nothing = np.zeros(len(self.grouping))
            entropies = nothing if self.losses is None else self.storable * self.losses
        return Items(entropies, self.grouping.frequency(self.documents))

    def _weigh(self) -> None:
        self.weights = self.grouping.document_weights(self._inner.weights, self.documents)

    def _shares(self) -> tuple[float, ...]:
        shares = self.config.shares()
        if shares and self._begins_by_scoring:
            return (shares[0] / 2, *shares)
        return shares

    @property
    def history(self) -> list[tuple[float, float]]:
        """(share of the training, stored bits of the groups that were kept) of the selections."""
        return [
            (self.start + (1 - self.start) * share, bits) for share, bits in self._inner.history
        ]

    @property
    def drawn_by(self) -> Float64[np.ndarray, " documents"]:
        """See `factcap.synth.selection.selection.Selection.drawn_by`."""
        return with_rest(self.weights, self.documents, self.config.rest)

    @property
    def bits_kept(self) -> float:
        """Entropy in bits of the groups that are kept now."""
        return self._inner.bits_kept

    def planned_draws(self) -> float:
        """What all scoring will cost at the most, in documents drawn.

        A forward pass over the rows costs a third of a draw for each, whether a row is a whole
        document or the part of one up to a value.
        """
        if self._told and self._marked and not self._scheme.reads_losses:
            return 0.0
        return len(self._shares()) * SCORING * len(self.grouping.rows)

    def due(self, done: int, steps: int) -> bool:
        """Whether it is to be scored before the next step.

        Where the first scoring and the first selection fall between two moments at which this is
        asked, the selection comes at the moment after.
        """
        now = done / steps
        if self.losses is not None and not self._inner.history:
            return self.last < now and self.config.shares()[0] <= now
        return any(self.last < share <= now for share in self._shares())

    def reselect(self, share: float, model: ScoredModel) -> bool:
        """`look` at the losses that a model has of the rows of the groups.

        Args:
            share: of the training, in (0, 1].
            model: as it is after this share.
        """
        return self.look(share, model.losses_of(self.grouping.rows))

    def look(self, share: float, row_bits: np.ndarray) -> bool:
        """Select after this share of the training; whether the weights changed.

        Args:
            share: of the training, in (0, 1].
            row_bits: loss of each row of `grouping.rows`.
        """
        losses, self.last = self.grouping.losses(row_bits.astype(np.float64)), share
        present = self._inner.weights > 0
        losses = losses if self.latest is None else np.where(present, losses, self.latest)
        self.latest = losses
        if self.losses is None:
            self.losses = losses
            self._inner.facts = self._items()
            if self._begins_by_scoring:
                self.start = share
                return False
        clock = (share - self.start) / (1 - self.start)
        if not self._marked and not self._told:
            storable = largest_share_lost(self.losses[present], losses[present])
            if storable < _BY_CHANCE:
                stored = np.maximum(self.losses - losses, 0.0)[present].sum()
                self._inner.history.append((clock, float(stored)))
                return False
            self.storable = storable
            self._inner.facts = self._items()
            # What is left of that share, so that what is stored is what was lost.
            losses = np.maximum(losses - (1 - storable) * self.losses, 0.0)
        self._inner.latest = losses  # of the groups that were dropped too; its own are not read
        changed = self._inner.look(clock, losses)
        if changed:
            self._weigh()
        return changed

    def state(self) -> dict[str, Any]:
        """What going on after an interruption needs, as JSON values."""
        return {
            "groups": self._inner.state(),
            "losses": None if self.losses is None else packed(self.losses),
            "latest": None if self.latest is None else packed(self.latest),
            "start": self.start,
            "last": self.last,
            "storable": self.storable,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        self.losses = None if state["losses"] is None else unpacked(state["losses"])
        self.latest = None if state["latest"] is None else unpacked(state["latest"])
        self.start, self.last = float(state["start"]), float(state["last"])
        self.storable = float(state["storable"])
        self._inner.facts = self._items()
        self._inner.restore(state["groups"])
        self._weigh()


def largest_share_lost(
    first: Float64[np.ndarray, " groups"], now: Float64[np.ndarray, " groups"]
) -> float:
    """The share of their loss that those groups have lost that lost the largest shares.

    The groups are taken by that share, the largest first, until they hold a twentieth of all first
    losses; the share of the last of them. Documents that were known from the start hold next to
    nothing of it, and say nothing. 0 if nothing was lost.

    Args:
        first: loss of each group when it was scored first.
        now: loss of each.

    >>> largest_share_lost(np.array([0.0, 10.0, 10.0, 10.0]), np.array([0.0, 9.0, 4.0, 11.0]))
    0.6
    """
    if not first.any():
        return 0.0
    lost = np.where(first > 0, 1 - now / np.where(first > 0, first, 1.0), 0.0)
    order = np.argsort(-lost, kind="stable")
    held = np.cumsum(first[order])
    return max(float(lost[order[np.searchsorted(held, _QUICKEST * held[-1])]]), 0.0)
