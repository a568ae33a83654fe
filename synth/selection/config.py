"""How and when to select in a training: the configuration."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from factcap.synth.errors import require
from factcap.synth.selection.budget import SETTLED, check_given_budget
from factcap.synth.selection.schemes import SCHEMES, check_scheme

SCHEDULES = ("once", "repeatedly", "continuously")
_REPEATED = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
_CONTINUOUS = 40
# Where losses alone decide, what is kept shrinks over this share of the training, and is looked at
# as often as this. Chosen on seeds 10 and 11 of facts of 21 bits. Of four times what fits, at
# s = 0.8, `loss_hf` reached 0.79 of the bound when what is too much was dropped at once, and 0.92,
# 0.93 and 0.93 when over 0.25, 0.35 and 0.45 of the training.
_NARROWING, _STEP, _BEND = 0.45, 0.05, 1.5


@dataclass(frozen=True)
class SelectConfig:
    """How to select.

    Attributes:
        scheme: a name in `factcap.synth.selection.SCHEMES`.
        budget_bits: entropy of the facts to keep; 0 where it follows from the stored bits, which
            it does not for random subsampling and influence.
        schedule: `once`, at `first`; `repeatedly`, then again at each tenth of the training up to
            eight tenths, and at each twentieth while what is kept shrinks; `continuously`, at each
            fortieth.
        first: share of the training after which it is selected first, in (0, 0.8].
        counted: whether `worth` may count how often a fact occurs; else it takes it from the losses
            so far, of documents from those at the first selection; up to the first selection
            facts are then drawn by their frequency.
        rest: share of the draws that goes to what was dropped, by its frequency, in [0, 1). Little
            of it is learned so, but a model stays unsure of it, and goes on reading text like it.

    Raises:
        BadInput: for a value out of range.
    """

    scheme: str
    budget_bits: float = 0.0
    schedule: str = "repeatedly"
    first: float = 0.05
    counted: bool = True
    rest: float = 0.0

    def __post_init__(self):
        check_scheme(self.scheme)
        check_given_budget(self.budget_bits)
        require(
            SCHEMES[self.scheme].sets_budget or self.budget_bits > 0,
            f"the scheme {self.scheme} must be told the budget, in bits",
        )
        require(
            self.schedule in SCHEDULES,
            f"no schedule is called {self.schedule!r}; there are {', '.join(SCHEDULES)}",
        )
        require(
            0 < self.first <= SETTLED,
            f"the first selection must come after a share in (0, {SETTLED}], not {self.first:g}",
        )
        require(
            0 <= self.rest < 1,
            f"the share of the draws for what was dropped must be in [0, 1), not {self.rest:g}",
        )
        require(
            self.rest == 0 or SCHEMES[self.scheme].keeps_budget,
            f"{self.scheme} drops nothing, so that no draws can go to what was dropped",
        )

    @property
    def starts_equal(self) -> bool:
        """Whether facts are drawn equally often up to the first selection."""
        return SCHEMES[self.scheme].starts_equal and self.counted

    @property
    def narrows(self) -> bool:
        """Whether what is kept of a fact set shrinks little by little, since losses alone decide.

        What is seldom seen has the loss of a guess at first; the fewer facts are left, the more is
        seen of each, and the better their losses tell them apart. Documents are not narrowed: they
        are selected first when what they have in common is learned, and waiting longer cost more
        than it told.
        """
        scheme = SCHEMES[self.scheme]
        return (
            self.schedule != "once"
            and scheme.reads_losses
            and scheme.needs is None
            and not self.starts_equal
        )

    def surplus(self, share: float) -> float:
        """How far from the budget what is kept still is, of a fact set that is narrowed.

        After the share t of the training f = ((e - t) / (e - first))^1.5, with e where the budget
        is reached: 0.45 after the first selection, and no later than 0.8. Of what is offered, N
        bits, and a budget of B bits, $B (N / B)^f$ bits are kept.

        >>> [round(SelectConfig("loss_h").surplus(share), 2) for share in (0.05, 0.2, 0.5)]
        [1.0, 0.54, 0.0]
        """
        end = self._narrowed
        left = (end - share) / (end - self.first) if end > self.first else 0.0
        return min(max(left, 0.0), 1.0) ** _BEND

    @property
    def _narrowed(self) -> float:
        return min(self.first + _NARROWING, SETTLED)

    def shares(self, *, narrowing: bool = False) -> tuple[float, ...]:
        """Shares of the training after which it is selected, more of them while it is narrowed.

        >>> SelectConfig("worth", schedule="once", first=0.1).shares()
        (0.1,)
        >>> SelectConfig("loss_h", first=0.55).shares()
        (0.55, 0.6, 0.7, 0.8)
        >>> SelectConfig("loss_h", first=0.3).shares(narrowing=True)
        (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8)
        """
        if not SCHEMES[self.scheme].keeps_budget:
            return ()
        if self.schedule == "once":
            return (self.first,)
        later: Sequence[float] = _REPEATED
        if narrowing:
            steps = round((self._narrowed - self.first) / _STEP)
            often = [round(self.first + _STEP * step, 9) for step in range(1, steps + 1)]
            later = [*often, *(share for share in _REPEATED if share > self._narrowed + 1e-9)]
        if self.schedule == "continuously":
            later = [k / _CONTINUOUS for k in range(1, math.floor(SETTLED * _CONTINUOUS) + 1)]
        return (self.first, *(share for share in later if share > self.first + 1e-9))
