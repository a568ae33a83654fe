"""When a training ends: nothing is left to learn, or the stored bits no longer grow."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from factcap.models.training.config import SCAN_STEPS, TrainConfig, total_steps

# Nothing is left to learn when every fact is recalled and this share of the entropy is stored.
_FULL = 0.999
# Stored bits no longer grow when they grew by no more than this share while the steps grew by
# half, and are some at all: a model first learns next to nothing for a while.
_GROWTH, _STEPS_RATIO, _SOME = 0.02, 1.5, 0.1
# Bits that a parameter might store at the most, when it is asked whether some are learned.
_MOST_BITS = 2.0


class Check(NamedTuple):
    """What a check of all facts found.

    Attributes:
        step: steps made before it.
        stored_bits: entropy minus NLL, summed over the facts, in bits.
        facts_known: how many are recalled.
    """

    step: int
    stored_bits: float
    facts_known: int


def check_steps(facts: int, batch: int) -> int:
    """Steps between two checks of all facts: 500, and four draws of each fact at least.

    A check then costs less than a tenth of the training between.

    >>> check_steps(1000, 64), check_steps(1_000_000, 256)
    (500, 15700)
    """
    return math.ceil(max(500, 4 * facts / batch) / SCAN_STEPS) * SCAN_STEPS


def stopped_growing(checks: Sequence[tuple[int, float]], most_bits: float) -> int | None:
    """The step at which stored bits were first found to grow no longer.

    They have stopped when they grew by at most 2 % since the last check at two thirds of the
    steps or fewer, and are a tenth of the most there could be.

    Args:
        checks: (step, stored bits) of the checks so far, in order.
        most_bits: of the facts, or some that the model might hold if that is less.

    >>> stopped_growing([(1000, 5.0), (2000, 60.0), (3000, 90.0), (4000, 91.0)], 100.0)
    >>> stopped_growing([(1000, 5.0), (2000, 90.0), (3000, 91.0), (4000, 91.0)], 100.0)
    3000
    """
    for number, (step, bits) in enumerate(checks):
        before = [old for at, old in checks[:number] if at * _STEPS_RATIO <= step]
        if before and bits > _SOME * most_bits and bits <= (1 + _GROWTH) * before[-1]:
            return step
    return None


def end_of_fall(step: int) -> int:
    """Steps in all when stored bits stopped to grow at this step: half as many again.

    >>> end_of_fall(2000)
    3000
    """
    return math.ceil(1.5 * step / SCAN_STEPS) * SCAN_STEPS


@dataclass(frozen=True)
class StoppingRule:
    """When one training is checked and when it ends: a function of the checks made so far.

    Attributes:
        training: its configuration, defaults filled in.
        facts: how many are learned.
        entropy_bits: of all of them.
        parameters: of the model.
        scoring_draws: what the scoring of a selection is charged, in facts drawn.
    """

    training: TrainConfig
    facts: int
    entropy_bits: float
    parameters: int
    scoring_draws: float = 0.0

    @property
    def most_steps(self) -> int:
        """Steps of a training that does not end early."""
        return total_steps(self.training, self.facts, self.scoring_draws)

    def falls_from(self, checks: Sequence[Check]) -> int | None:
        """The step from which the learning rate falls to an early end; None without such an end.

        It is the first at which stored bits were found to have stopped growing, or all facts to be
        recalled with nearly all bits stored. Once the rate falls as the configuration has it, it
        falls to the end.

        Args:
            checks: those made so far, in order.
        """
        if not self.training.saturate or self.training.select is not None:
            return None
        steps = self.most_steps
        before = [check for check in checks if check.step <= (1 - self.training.decay) * steps]
        known_all = [
            check.step
            for check in before
            if check.facts_known == self.facts and not self.can_grow(check)
        ]
        most_bits = min(self.entropy_bits, _MOST_BITS * self.parameters)
        stopped = stopped_growing([(step, bits) for step, bits, _ in before], most_bits)
        found = known_all if stopped is None else [*known_all, stopped]
        return None if not found or end_of_fall(min(found)) >= steps else min(found)

    def is_full(self, check: Check) -> bool:
        """Whether nothing is left to learn: all facts recalled, 99.9 % of the entropy stored."""
        return check.facts_known == self.facts and check.stored_bits > _FULL * self.entropy_bits

    def can_grow(self, check: Check) -> bool:
        """Whether more bits are left to learn than those by which stored bits are said to grow."""
        return self.entropy_bits > (1 + _GROWTH) * check.stored_bits

    def is_check_step(self, step: int) -> bool:
        """Whether all facts are checked after this many steps, where nothing is selected."""
        return step > 0 and step % check_steps(self.facts, self.training.batch) == 0
