"""The cut of a ranked stream: exact, in memory that does not grow with the stream.

A float64 as an unsigned integer keeps its order once the sign is folded in, so that the cut is
found digit by digit, 16 bits at a time, as in a radix sort: four passes over the stream, each
with a histogram of 65,536 bins. No sketch is involved, so the result is that of sorting all rows.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, UInt64

_DIGIT = 16
_TOP = np.uint64(1 << 63)

# Batches of (key, bits) of the rows, in their order.
Ranked = Callable[[], Iterator[tuple[Float64[np.ndarray, " rows"], Float64[np.ndarray, " rows"]]]]


@dataclass(frozen=True)
class Cut:
    """Where a stream is cut.

    Attributes:
        key: rows with a lower key are kept whole, those with a higher one dropped.
        bits_left: of the budget, for the rows with this very key, in their order.
    """

    key: float
    bits_left: float

    def keeper(
        self,
    ) -> Callable[
        [Float64[np.ndarray, " rows"], Float64[np.ndarray, " rows"]], Bool[np.ndarray, " rows"]
    ]:
        """What tells, batch after batch of (key, bits) from the first on, which rows are kept."""
        spent = 0.0

        def kept(
            key: Float64[np.ndarray, " rows"], bits: Float64[np.ndarray, " rows"]
        ) -> Bool[np.ndarray, " rows"]:
            nonlocal spent
            held, at = key < self.key, np.flatnonzero(key == self.key)
            running = spent + np.cumsum(bits[at])
            held[at] = running <= self.bits_left
            if len(at):
                spent = float(running[-1])
            return held

        return kept


def find_cut(ranked: Ranked, budget_bits: float) -> Cut:
    """The cut that keeps rows whole, of lowest key first, up to the first that does not fit.

    Args:
        ranked: starts the stream anew; the bits of all rows together exceed the budget.
        budget_bits: of the kept rows, at the most.
    """
    prefix, left = np.uint64(0), budget_bits
    for digit in range(64 // _DIGIT):
        shift = np.uint64(64 - _DIGIT * (digit + 1))
        above = shift + np.uint64(_DIGIT)
        sums, rows = np.zeros(1 << _DIGIT), 0
        for key, bits in ranked():
            code = sortable(key)
            if digit > 0:
                inside = code >> above == prefix
                code, bits = code[inside], bits[inside]
            place = (code >> shift).astype(np.int64) & ((1 << _DIGIT) - 1)
            sums += np.bincount(place, bits, minlength=1 << _DIGIT)
            rows += len(place)
        running = np.cumsum(sums)
        # The first bin that does not fit whole; rounding may leave none.
        full = np.flatnonzero(running > left)
        bin_ = int(full[0]) if len(full) else int(np.flatnonzero(sums)[-1])
        left -= float(running[bin_] - sums[bin_])
        prefix = prefix << np.uint64(_DIGIT) | np.uint64(bin_)
    return Cut(float(unsorted(np.array([prefix]))[0]), left)


def sortable(key: Float64[np.ndarray, " rows"]) -> UInt64[np.ndarray, " rows"]:
    """Unsigned integers in the order of the numbers; 0 and -0 are one.

    >>> codes = sortable(np.array([-2.0, -1e-300, 0.0, 3.0, np.inf]))
    >>> bool(np.all(np.diff(codes.astype(object)) > 0))
    True
    """
    code = (key + 0.0).view(np.uint64)
    # All bits of a negative number are turned, of another one the sign only.
    return code ^ np.where(code & _TOP, np.uint64(2**64 - 1), _TOP)


def unsorted(code: UInt64[np.ndarray, " rows"]) -> Float64[np.ndarray, " rows"]:
    """The numbers again.

    >>> unsorted(sortable(np.array([-2.5, 0.0, 3.0]))).tolist()
    [-2.5, 0.0, 3.0]
    """
    return (code ^ np.where(code & _TOP, _TOP, np.uint64(2**64 - 1))).view(np.float64)
