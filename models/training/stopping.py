"""When a training ends: nothing is left to learn, or the stored bits no longer grow."""

import math
from collections.abc import Sequence

from factcap.models.training.config import SCAN_STEPS

# Nothing is left to learn when every fact is recalled and this share of the entropy is stored.
_FULL = 0.999
# Stored bits no longer grow when they grew by no more than this share while the steps grew by
# half, and are some at all: a model first learns next to nothing for a while.
_GROWTH, _STEPS_RATIO, _SOME = 0.02, 1.5, 0.1


def check_steps(facts: int, batch: int) -> int:
    """Steps between two checks of all facts: 500, and four draws of each fact at least.

    A check then costs less than a tenth of the training between.

    >>> check_steps(1000, 64), check_steps(1_000_000, 256)
    (500, 15700)
    """
    return math.ceil(max(500, 4 * facts / batch) / SCAN_STEPS) * SCAN_STEPS


def is_full(stored_bits: float, entropy_bits: float, known: int, facts: int) -> bool:
    """Whether nothing is left to learn: all facts recalled, 99.9 % of the entropy stored."""
    return known == facts and stored_bits > _FULL * entropy_bits


def can_grow(stored_bits: float, entropy_bits: float) -> bool:
    """Whether more bits remain to be learned than those by which stored bits are said to grow."""
    return entropy_bits > (1 + _GROWTH) * stored_bits


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
