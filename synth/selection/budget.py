"""A budget that sets itself: how many bits to keep, from the bits stored so far."""

import math
from collections.abc import Sequence

from factcap.synth.errors import require

# Bits a parameter stores at the most, which bounds the first budgets; the stored bits then tell
# what this training reaches. Muon reached 2.6 at 200 exposures, and 2.93 at 7,060, where a model of
# 8,272 parameters was told to keep 1,190 facts of 21 bits and drew 8.4 million.
_BITS_PER_PARAMETER, _AT_EXPOSURES, _BITS_A_DOUBLING = 2.6, 200.0, 0.064
# Stored bits grow with the share t of a training as t^a: measured, a is between 0.9 and 0.6 early.
# From a third on, the fall of the learning rate included, it is 0.5 to 0.7 for two blocks, 0.7 to
# 0.9 for four, 1.1 for six and 1.4 for eight, at widths of 16 to 128.
LATE_EXPONENT, _A_BLOCK, _BLOCKS, _LATE = 0.5, 0.15, 2, 0.35
# An exponent that is measured early is cut at this; it is taken where none can be measured.
STEEPEST = 1.0
# An exponent is measured between two checks of which the first is no later than this share.
_APART = 0.76
# Budgets are generous at first: a fact of a fact set that was dropped is lost, one dropped late
# costs little. A quarter more at the start, nothing more from four fifths on.
_SLACK, SETTLED = 0.25, 0.8


def most_bits(parameters: float, bits_drawn: float) -> float:
    """The bits that a model might store at the end of a training: a bound for its budgets.

    P (c + 0.064 max(0, log2(n / 200))), with c = 2.6 bits a parameter and n the exposures that
    facts of c P bits would get: measured here, with Muon.

    Args:
        parameters: P, of the model; infinite: there is no bound.
        bits_drawn: facts drawn, times their mean entropy.

    >>> most_bits(1000, 200 * 2600.0), round(most_bits(1000, 7060 * 2600.0))
    (2600.0, 2929)
    """
    held = _BITS_PER_PARAMETER * parameters
    doublings = math.log2(max(bits_drawn / held, _AT_EXPOSURES) / _AT_EXPOSURES)
    return held + _BITS_A_DOUBLING * doublings * parameters if doublings else held


def late_exponent(depth: int) -> float:
    """The power of time with which stored bits grow from a third of a training on.

    a = 0.5 + 0.15 max(0, L - 2) for L blocks: measured here, with Muon, for uniform facts of 1.2
    times what fits, L of 1 to 8, and widths of 16 to 128. The default learning rate does
    not fall with L, and a deeper model learns more while it falls in time.

    >>> [round(late_exponent(depth), 2) for depth in (1, 2, 4, 12)]
    [0.5, 0.5, 0.8, 2.0]
    """
    return LATE_EXPONENT + _A_BLOCK * max(0, depth - _BLOCKS)


def expected_bits(
    history: Sequence[tuple[float, float]],
    share: float,
    stored: float,
    steepest: float = STEEPEST,
    drawn: float | None = None,
    late: float = LATE_EXPONENT,
) -> float:
    """Bits that will be stored at the end of a training.

    S(1) = S(t) ((d + 1 - t) / d)^a with S(t) the bits stored now and d the share of all draws that
    these facts have had; from now on they get all. a is `late_exponent` late (an empirical law of a
    learning rate that is constant and then falls linearly). Early it is the growth with t since a
    check before, or the steepest where there is none, and no less than late.

    Args:
        history: (share, stored bits) of the checks before, in order.
        share: t, of the training, in (0, 1].
        stored: bits now, of the same facts.
        steepest: the largest a that is measured, at least 1/2.
        drawn: d, in (0, t]; None: t, nothing else was drawn.
        late: the exponent late: see `late_exponent`.

    >>> expected_bits([], 0.5, 1000.0), expected_bits([], 0.5, 1000.0, drawn=0.25)
    (1414.213562373095, 1732.0508075688772)
    >>> round(expected_bits([(0.1, 100.0)], 0.2, 170.0), 3)  # a = log2(1.7) = 0.766
    582.82
    """
    before = [(at, bits) for at, bits in history if at <= _APART * share and bits > 0]
    exponent = steepest
    if share > _LATE:
        exponent = late
    elif before and stored > 0:
        at, bits = before[-1]
        exponent = min(math.log(stored / bits) / math.log(share / at), steepest)
    had = share if drawn is None else drawn
    return stored * ((had + 1 - share) / had) ** max(exponent, late)


def running_budget(
    history: Sequence[tuple[float, float]],
    share: float,
    stored: float,
    most: float,
    steepest: float = STEEPEST,
    drawn: float | None = None,
    late: float = LATE_EXPONENT,
) -> float:
    """The bits to keep on training on after this share: `expected_bits`, generous at first.

    B = min(most, S(1) (1 + max(0, 1 - t / 0.8) / 4)).

    Args:
        history: (share, stored bits) of the checks before, in order.
        share: of the training, in (0, 1].
        stored: bits now, of the same facts.
        most: bits that the model might store: see `most_bits`.
        steepest: see `expected_bits`.
        drawn: the same.
        late: the same.

    >>> running_budget([], 0.8, 1000.0, 5000.0)
    1118.033988749895
    >>> running_budget([], 0.1, 1000.0, 5000.0)
    5000.0
    """
    slack = 1 + _SLACK * max(0.0, 1 - share / SETTLED)
    return min(most, slack * expected_bits(history, share, stored, steepest, drawn, late))


def check_given_budget(budget_bits: float) -> None:
    """Raise `BadInput` unless a budget is positive, or 0 for one that sets itself."""
    require(
        math.isfinite(budget_bits) and budget_bits >= 0,
        f"the budget must be positive, or 0 to set itself, in bits, not {budget_bits:g}",
    )
