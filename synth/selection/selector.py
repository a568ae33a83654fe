"""A scheme at work in a training: when it selects, by what budget, at what cost."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float64

from factcap.synth.selection.as_text import packed, unpacked
from factcap.synth.selection.budget import LATE_EXPONENT, STEEPEST, most_bits, running_budget
from factcap.synth.selection.config import SelectConfig
from factcap.synth.selection.evidence import Evidence
from factcap.synth.selection.frequencies import exposures_from_losses, shrunk_counts
from factcap.synth.selection.offered import Offered
from factcap.synth.selection.schemes import SCHEMES, select
from factcap.synth.selection.selection import ScoredModel, with_rest

# What is kept where all facts would be drawn equally often is drawn by this power of its count: the
# facts that count most then are learned first and surely.
_SKEW = 0.15
# Of what is known already that little is drawn while what is kept shrinks.
_LEAST_THINNED = 0.03
# A look counts so much less than the one after it.
_FADING = 0.8
# A forward pass costs a third of a forward and a backward pass.
SCORING = 1 / 3
# Facts drawn for the mean gradient of `influence`.
HELD_OUT = 512


@dataclass
class Selector:
    """What is trained on, as a training goes on; all of it on the host.

    Counts: ordinary training would read a corpus of `draws` facts drawn by frequency. A scheme that
    reads counts counts that corpus, a draw from the frequencies by the seed; that costs no
    training. The scheme `frequency`, an oracle, reads the frequencies themselves; `loss_hf` uses
    them to draw equally often what it keeps.

    Attributes:
        facts: all of them.
        config: how to select.
        parameters: of the model, which bound the budget; infinite: they do not.
        draws: facts that the training may draw, those that scoring costs included.
        seed: of the counts, and of what a scheme draws.
        least_bits: that a budget which sets itself keeps at least.
        by_frequency: whether facts are drawn by their frequency up to the first selection, also
            where the scheme would draw them equally often.
        narrowing: whether what is kept shrinks little by little where losses alone decide, and
            what was dropped stays dropped; else what is too much is dropped at once, and comes back
            when a later budget allows it.
        late: the power of time with which stored bits grow late: see `late_exponent`.
        weights: of what was kept, 0 where a fact was dropped.
        history: (share of the training, stored bits of what was kept) of the selections so far.
        exposures: of each fact, as the losses suggest, of documents those at the first selection;
            None where they are counted, or nothing was selected yet.
        seen_loss: share of its entropy that the loss of each fact was, summed over the looks so
            far, of which each counts less than the one after it; None before the first.
        looks: what such a sum would be of facts that are not known at all.
        drawn: share of all draws that each fact has had, where it shrinks to a budget that sets
            itself; None before the first look, and elsewhere.
        latest: loss of each fact when it was last kept, where what was dropped may come back;
            None before the first look.
    """

    facts: Offered
    config: SelectConfig
    parameters: float
    draws: float
    seed: int
    least_bits: float = 0.0
    by_frequency: bool = False
    narrowing: bool = True
    late: float = LATE_EXPONENT
    weights: Float64[np.ndarray, " facts"] = field(init=False)
    history: list[tuple[float, float]] = field(default_factory=list)
    exposures: Float64[np.ndarray, " facts"] | None = None
    seen_loss: Float64[np.ndarray, " facts"] | None = None
    looks: float = 0.0
    drawn: Float64[np.ndarray, " facts"] | None = None
    latest: Float64[np.ndarray, " facts"] | None = None

    def __post_init__(self):
        self.weights = self.facts.frequency.copy()
        if self.by_frequency or not self.config.starts_equal:
            return
        self.weights = (self.facts.frequency > 0).astype(np.float64)
        if SCHEMES[self.config.scheme].keeps_budget:
            # Nothing is learned yet: a loss is the entropy, and what is counted can be cut at once.
            self.weights = self._chosen(self.facts.entropy_bits, self.most_bits, None)

    @property
    def _narrows(self) -> bool:
        return self.narrowing and self.config.narrows

    def _shares(self) -> tuple[float, ...]:
        return self.config.shares(narrowing=self._narrows)

    @property
    def drawn_by(self) -> Float64[np.ndarray, " facts"]:
        """See `factcap.synth.selection.selection.Selection.drawn_by`."""
        return with_rest(self.weights, self.facts.frequency, self.config.rest)

    @property
    def bits_kept(self) -> float:
        """Entropy in bits of what is kept now."""
        return float(self.facts.entropy_bits[self.weights > 0].sum())

    @property
    def most_bits(self) -> float:
        """That the model might store, or those it was told to keep."""
        bits_drawn = self.draws * float(self.facts.entropy_bits.mean())
        return self.config.budget_bits or most_bits(self.parameters, bits_drawn)

    def planned_draws(self) -> float:
        """What all scoring will cost at the most, in facts drawn.

        A pass reads the facts that are left and costs a third of a draw for each. Influence costs a
        forward-mode pass more, and the gradient of the held-out facts. That dropped facts are
        measured too, to show how many are known, counts no more than any other check.
        """
        passes, left = len(self._shares()), int((self.weights > 0).sum())
        scheme = SCHEMES[self.config.scheme]
        if self._reads_scores:
            return passes * (2 * SCORING * left + HELD_OUT)
        if scheme.reads_losses or self.config.budget_bits == 0:
            return passes * SCORING * left
        return 0.0

    def due(self, done: int, steps: int) -> bool:
        """Whether it is to be selected before the next step.

        Selections that fall between two moments at which this is asked are one.
        """
        last, now = self.history[-1][0] if self.history else 0.0, done / steps
        return any(last < share <= now for share in self._shares())

    def reselect(self, share: float, model: ScoredModel) -> bool:
        """`look` at what a model knows of the facts, and at their influence if the scheme reads it.

        Args:
            share: of the training, in (0, 1].
            model: as it is after this share.
        """
        scores = model.influence_scores(self.held_out()) if self._reads_scores else None
        return self.look(share, model.nll_bits, scores)

    @property
    def _reads_scores(self) -> bool:
        return SCHEMES[self.config.scheme].needs == "scores"

    def held_out(self) -> np.ndarray:
        """Facts drawn by frequency for the mean gradient of `influence`."""
        rng = np.random.default_rng([self.seed, len(self.history)])
        return rng.choice(len(self.facts), HELD_OUT, p=self.facts.frequency)

    def look(
        self,
        share: float,
        nll_bits: np.ndarray,
        scores: np.ndarray | None = None,
    ) -> bool:
        """Select after this share of the training; whether the weights changed.

        Where losses alone decide, what is kept shrinks from all that is offered to the budget
        (`SelectConfig.surplus`), by the mean of the losses so far: one loss says little of a fact
        that was hardly seen. Meanwhile facts are drawn by their frequency, and by `loss_hf` and
        `worth` in proportion to what is still to be learned of each: what is known already says
        nothing more. What is not narrowed is chosen anew from everything, by the loss that each
        fact had when it was last kept: what was dropped too early comes back.

        Args:
            share: of the training, in (0, 1].
            nll_bits: loss of each fact; those of dropped facts are not read.
            scores: of `influence_scores`, where the scheme needs them.
        """
        present, entropy = self.weights > 0, self.facts.entropy_bits
        losses = np.where(present, nll_bits, entropy).astype(np.float64)
        stored = np.maximum(entropy - losses, 0.0)
        budget = self.config.budget_bits or self._running_budget(share, stored[present])
        before, judged = self.weights, self._judged(losses, present)
        # A model that has learned nothing yet tells nothing.
        if budget > 0 and budget >= float(entropy[present].max()):
            offered = float(entropy[self.facts.frequency > 0].sum())
            surplus = self.config.surplus(share) if self._narrows else 0.0
            keep = budget * max(offered / budget, 1.0) ** surplus
            self.weights = self._chosen(judged, keep, scores)
            if self._narrows and offered > budget:
                self.weights = self._drawn(self.weights > 0, losses, narrowed=surplus == 0)
        self.history.append((share, float(stored[self.weights > 0].sum())))
        return not np.array_equal(before, self.weights)

    def _running_budget(self, share: float, stored: Float64[np.ndarray, " present"]) -> float:
        """Bits to keep; facts that shared the draws with others will grow the more without them."""
        bits, had = float(stored.sum()), None
        if self._narrows:
            since = share - (self.history[-1][0] if self.history else 0.0)
            drawn = since * self.drawn_by / self.drawn_by.sum()
            drawn += 0.0 if self.drawn is None else self.drawn
            self.drawn = drawn
            # They will have all draws but `rest`: as if they had had so much more, and had all.
            had = float(drawn[self.weights > 0].sum()) / (1 - self.config.rest)
        steepest = self._steepest()
        rest = (self.most_bits, steepest, had, self.late)
        budget = running_budget(self.history, share, bits, *rest)
        return max(budget, self.least_bits)

    def _steepest(self) -> float:
        """The largest exponent of growth: a late one once something was dropped and may come back.

        What is left then grows by leaps, which foretell nothing.
        """
        dropped = bool(((self.weights == 0) & (self.facts.frequency > 0)).any())
        return LATE_EXPONENT if dropped and not self.narrowing else STEEPEST

    def _judged(self, losses: np.ndarray, present: np.ndarray) -> Float64[np.ndarray, " facts"]:
        """The losses by which it is chosen: the latest of each, the mean so far, or these."""
        if not self.narrowing:
            self.latest = losses if self.latest is None else np.where(present, losses, self.latest)
            return self.latest
        return self._mean_loss(losses) if self._narrows else losses

    def _mean_loss(self, losses: np.ndarray) -> Float64[np.ndarray, " facts"]:
        """Of the looks so far, the late ones above all."""
        entropy = self.facts.entropy_bits
        share = np.divide(losses, entropy, out=np.zeros(len(losses)), where=entropy > 0)
        before = 0.0 if self.seen_loss is None else self.seen_loss
        self.seen_loss, self.looks = _FADING * before + share, _FADING * self.looks + 1
        return self.seen_loss / self.looks * entropy

    def _drawn(
        self, kept: np.ndarray, losses: np.ndarray, *, narrowed: bool
    ) -> Float64[np.ndarray, " facts"]:
        """How what is kept is drawn while it shrinks, and when it has shrunk."""
        weights = np.where(kept, self.facts.frequency, 0.0)
        if self.config.scheme == "loss_h":
            return weights
        if narrowed:
            return kept.astype(np.float64)
        entropy = self.facts.entropy_bits
        left = np.divide(losses, entropy, out=np.ones(len(losses)), where=entropy > 0)
        return weights * np.clip(left, _LEAST_THINNED, 1.0)

    def state(self) -> dict[str, Any]:
        """What going on after an interruption needs, as JSON values."""
        return {
            "weights": packed(self.weights),
            "history": list(self.history),
            "exposures": None if self.exposures is None else packed(self.exposures),
            "seen_loss": None if self.seen_loss is None else packed(self.seen_loss),
            "looks": self.looks,
            "drawn": None if self.drawn is None else packed(self.drawn),
            "latest": None if self.latest is None else packed(self.latest),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        self.weights = unpacked(state["weights"])
        self.exposures = None if state["exposures"] is None else unpacked(state["exposures"])
        self.seen_loss = None if state["seen_loss"] is None else unpacked(state["seen_loss"])
        self.looks = float(state["looks"])
        drawn = state.get("drawn")  # states before 2026-11 have none
        self.drawn = None if drawn is None else unpacked(drawn)
        self.latest = None if state["latest"] is None else unpacked(state["latest"])
        self.history = [(float(share), float(bits)) for share, bits in state["history"]]

    def _chosen(
        self, losses: np.ndarray, budget: float, scores: np.ndarray | None
    ) -> Float64[np.ndarray, " facts"]:
        scheme, frequency = self.config.scheme, self._frequency(losses)
        weights = self.weights
        if self._narrows:  # not as they were thinned
            weights = np.where(weights > 0, self.facts.frequency, 0.0)
        if not self.narrowing:  # what was dropped may come back
            weights = self.facts.frequency
        evidence = Evidence(
            losses=losses,
            weights=weights,
            entropies=self.facts.entropy_bits,
            budget_bits=budget,
            frequency=frequency,
            scores=None if scores is None else scores.astype(np.float64),
            seed=self.seed,
        )
        weights = select(scheme, evidence)
        if self.config.starts_equal and frequency is not None:
            return np.where(weights > 0, np.maximum(frequency, 1e-300) ** _SKEW, 0.0)
        return weights

    def _frequency(self, losses: np.ndarray) -> Float64[np.ndarray, " facts"] | None:
        if self.config.scheme in ("frequency", "loss_hf"):
            return self.facts.frequency
        if self.config.scheme != "worth":
            return None
        if not self.config.counted:
            if self.exposures is None or self._narrows:
                self.exposures = exposures_from_losses(losses, self.facts.entropy_bits)
            return self.exposures
        rng = np.random.default_rng([self.seed, 0xC0])
        counts = rng.multinomial(round(self.draws), self.facts.frequency)
        return shrunk_counts(counts.astype(np.float64))
