"""A budget that sets itself: how many bits to keep, from the bits stored so far."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from synth.errors import require

# Stored bits grow with the share t of a training as t^a: measured, a is between 0.9 and 0.6 early
# and 1/2 from a third on, the fall of the learning rate included.
_LATE_EXPONENT, _LATE = 0.5, 0.35
# An exponent is measured between two checks of which the first is no later than this share.
_APART = 0.76
# The first budgets are generous, for a fact that was dropped is lost, and one that is dropped late
# costs little: half as much again at the start, nothing more from four fifths on.
_SLACK, _SETTLED = 0.5, 0.8


@dataclass(frozen=True)
class Check:
    """What a model knew at one time.

    Attributes:
        share: of the training, in (0, 1].
        stored_bits: of each fact, entropy less loss, at least 0.
    """

    share: float
    stored_bits: Float64[np.ndarray, " facts"]


def expected_bits(checks: list[Check], present: Bool[np.ndarray, " facts"]) -> float:
    """Bits that will be stored at the end, if these facts are trained on.

    S(1) = S(t) t^-a with S(t) the bits stored now: a is 1/2 late (an empirical law of a learning
    rate that is constant and then falls linearly), and early the growth since a check before,
    clipped to [1/2, 1]; 1 where there is none.

    >>> some = np.array([True, True])
    >>> expected_bits([Check(0.25, np.array([3.0, 5.0])), Check(0.5, np.array([4.0, 8.0]))], some)
    16.970562748477143
    """
    last = checks[-1]
    stored = float(last.stored_bits[present].sum())
    exponent = _LATE_EXPONENT
    if last.share <= _LATE:
        before = [check for check in checks if check.share <= _APART * last.share]
        then = float(before[-1].stored_bits[present].sum()) if before else 0.0
        exponent = 1.0
        if then > 0 and stored > 0:
            measured = np.log(stored / then) / np.log(last.share / before[-1].share)
            exponent = float(np.clip(measured, _LATE_EXPONENT, 1.0))
    return stored * last.share**-exponent


@dataclass
class Budget:
    """The bits to keep: given, or from the running stored bits of the training itself.

    Attributes:
        given_bits: to keep; 0 where they are to be found.
        checks: so far.
    """

    given_bits: float
    checks: list[Check]

    def __init__(self, given_bits: float = 0.0):
        require(
            bool(np.isfinite(given_bits)) and given_bits >= 0,
            f"the budget must be positive, or 0 to set itself, in bits, not {given_bits:g}",
        )
        self.given_bits = given_bits
        self.checks = []

    def at(
        self,
        share: float,
        losses: Float64[np.ndarray, " facts"],
        entropies: Float64[np.ndarray, " facts"],
        present: Bool[np.ndarray, " facts"],
    ) -> float:
        """The budget after this share of the training, in bits.

        Args:
            share: in (0, 1].
            losses: in bits; those of facts that are not present are not read.
            entropies: in bits.
            present: facts that have not been dropped.
        """
        stored = np.where(present, np.maximum(entropies - losses, 0.0), 0.0)
        self.checks.append(Check(share, stored))
        if self.given_bits > 0:
            return self.given_bits
        slack = 1 + _SLACK * max(0.0, 1 - share / _SETTLED)
        return max(slack * expected_bits(self.checks, present), np.finfo(float).tiny)
