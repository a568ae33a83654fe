"""How and when to select in a training: the configuration."""

import math
from dataclasses import dataclass

from factcap.synth.errors import require
from factcap.synth.selection.budget import SETTLED, check_given_budget
from factcap.synth.selection.schemes import SCHEMES, check_scheme

SCHEDULES = ("once", "repeatedly", "continuously")
_REPEATED = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
_CONTINUOUS = 40


@dataclass(frozen=True)
class SelectConfig:
    """How to select.

    Attributes:
        scheme: a name in `factcap.synth.selection.SCHEMES`.
        budget_bits: entropy of the facts to keep; 0 where it follows from the stored bits, which
            it does not for random subsampling and influence.
        schedule: `once`, at `first`; `repeatedly`, then again at each tenth of the training up to
            eight tenths; `continuously`, at each fortieth.
        first: share of the training after which it is selected first, in (0, 0.8].
        counted: whether `worth` may count how often a fact occurs; else it takes it from the losses
            at the first selection, up to which facts are drawn by their frequency.

    Raises:
        BadInput: for a value out of range.
    """

    scheme: str
    budget_bits: float = 0.0
    schedule: str = "repeatedly"
    first: float = 0.05
    counted: bool = True

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

    @property
    def starts_equal(self) -> bool:
        """Whether facts are drawn equally often up to the first selection."""
        return SCHEMES[self.scheme].starts_equal and self.counted

    def shares(self) -> tuple[float, ...]:
        """Shares of the training after which it is selected.

        >>> SelectConfig("loss_h", schedule="once", first=0.1).shares()
        (0.1,)
        >>> SelectConfig("loss_h", first=0.55).shares()
        (0.55, 0.6, 0.7, 0.8)
        """
        if not SCHEMES[self.scheme].keeps_budget:
            return ()
        if self.schedule == "once":
            return (self.first,)
        later = _REPEATED
        if self.schedule == "continuously":
            later = [k / _CONTINUOUS for k in range(1, math.floor(SETTLED * _CONTINUOUS) + 1)]
        return (self.first, *(share for share in later if share > self.first + 1e-9))
