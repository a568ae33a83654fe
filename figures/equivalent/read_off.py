"""Reading off a curve: the size at which ordinary training knows as much as a small model."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from jaxtyping import Float

from factcap.figures.intervals import mean_and_half
from factcap.synth.errors import require

Curves = Float[np.ndarray, "seeds sizes"]


@dataclass(frozen=True)
class Equivalent:
    """A size, as a multiple of the smallest one.

    Attributes:
        times: the size; 0 where the smallest model knows as much already, infinite where the
            largest does not.
        low: lower end of its interval over seeds; 0 where it is open.
        high: upper end; infinite where it is open.
        largest: the largest size that was trained, as a multiple of the smallest.
    """

    times: float
    low: float
    high: float
    largest: float

    @property
    def said(self) -> str:
        """The size in words.

        >>> Equivalent(2.84, 2.5, 3.2, 16.2).said, Equivalent(np.inf, 9.0, np.inf, 16.2).said
        ('2.8 (2.5 to 3.2)', 'more than 16.2 (9.0 to more)')
        >>> Equivalent(0.0, 0.0, 0.0, 16.2).said
        'less than 1'
        """
        if self.low == self.high:
            return self._one(self.times)
        low = "less" if self.low == 0 else f"{self.low:.1f}"
        high = "more" if math.isinf(self.high) else f"{self.high:.1f}"
        return f"{self._one(self.times)} ({low} to {high})"

    def _one(self, times: float) -> str:
        if times == 0:
            return "less than 1"
        return f"more than {self.largest:.1f}" if math.isinf(times) else f"{times:.1f}"


def crossing(parameters: Sequence[float], known: npt.ArrayLike, target: float) -> float:
    """The smallest size at which a curve reaches a target.

    Between two sizes the curve is linear in the logarithm of the parameters.

    Args:
        parameters: of the models, rising.
        known: what each knows.
        target: what is to be reached.

    Returns:
        Parameters; 0 where the smallest model reaches it, infinite where none does.

    Raises:
        BadInput: if sizes do not rise, or numbers are missing.

    >>> round(crossing([100, 400], [0, 10], 5), 9), crossing([100, 400], [0, 10], 11)
    (200.0, inf)
    """
    sizes, values = np.asarray(parameters, float), np.asarray(known, float)
    require(
        len(sizes) == len(values) > 0,
        f"each size needs what is known there; there are {len(sizes)} and {len(values)}",
    )
    rising = (sizes > 0).all() and (np.diff(sizes) > 0).all()
    require(bool(rising), "sizes must be positive and rise")
    require(
        bool(np.isfinite(values).all() and np.isfinite(target)), "what is known must be a number"
    )
    reached = np.flatnonzero(values >= target)
    if not len(reached):
        return math.inf
    after = int(reached[0])
    if after == 0:
        return 0.0
    share = (target - values[after - 1]) / (values[after] - values[after - 1])
    low, high = np.log(sizes[after - 1 : after + 1])
    return float(np.exp(low + share * (high - low)))


def equivalent(
    parameters: Sequence[float], known_RxS: Curves, targets: npt.ArrayLike
) -> Equivalent:
    """The size at which each seed's curve reaches its target, over seeds.

    Where every seed's is between the smallest and the largest size: the geometric mean, with the
    95 % interval of the mean of the logarithms (Student's t). Else the median, from the least to
    the most, since a mean of what is only known to be larger is none.

    Args:
        parameters: of the models, rising.
        known_RxS: what each knows, a row a seed.
        targets: what the small model with selection knows, one a seed.

    Raises:
        BadInput: as `crossing`, or if seeds do not match.
    """
    each = np.atleast_1d(np.asarray(targets, float))
    require(
        len(known_RxS) == len(each) > 0,
        f"each seed needs a target; there are {len(known_RxS)} and {len(each)}",
    )
    found = np.array(
        [
            crossing(parameters, known, float(target))
            for known, target in zip(known_RxS, each, strict=True)
        ]
    )
    found, largest = found / parameters[0], parameters[-1] / parameters[0]
    if ((found > 0) & np.isfinite(found)).all():
        mean, half = mean_and_half(np.log(found))
        low, middle, high = np.exp([mean - half, mean, mean + half])
        return Equivalent(float(middle), float(low), float(high), float(largest))
    # Of an even number the greater of the two in the middle: a mean with infinity says nothing.
    middle = float(np.sort(found)[len(found) // 2])
    return Equivalent(middle, float(found.min()), float(found.max()), float(largest))
