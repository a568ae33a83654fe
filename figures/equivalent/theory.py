"""What theory says of the equivalent size, from the bits that ordinary training stores.

Of N equally frequent facts of b bits a small model that holds C0 bits knows K = C0 / b by
selection: N / L of them at load L = N b / C0. An ordinary model that stores S bits of all N knows
about as many as if they were spread evenly, or more, and no more than if facts were stored whole:

    N 2^(S/N - b)  <=  facts known  <=  S / b    (and N at the most).

The left side is K where S = N (b - log2 L), a little less than all N b bits. So the equivalent size
is at most the one at which ordinary training stores that much. With c bits a parameter at that size
and c0 for the small model, it is

    m <= L (1 - log2(L) / b) c0 / c,

3.6 at load 4 and 6.9 at load 8 of 21 bits where c = c0: selection cannot be worth more than the
load, since an ordinary model knows everything once everything fits. It is worth more only as far as
larger models store fewer bits a parameter. With equal data they draw a fact L times less often than
selection draws those that it keeps, and with equal FLOP less often still.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from jaxtyping import Float64

from factcap.capacity import all_or_nothing_bound, even_spreading
from factcap.capacity.bounds.inverse import smallest_budget
from factcap.figures.equivalent.read_off import crossing


@dataclass(frozen=True)
class Asked:
    """What counts in a set of facts.

    Attributes:
        weights: of each fact; 1 / N each where facts are counted, their frequencies where queries
            are.
        choices: equally likely values of each.
    """

    weights: Float64[np.ndarray, " facts"]
    choices: Float64[np.ndarray, " facts"]

    @property
    def entropy_bits(self) -> float:
        """Of all facts."""
        return float(np.log2(self.choices).sum())


def allowed(asked: Asked, stored_bits: float) -> tuple[float, float]:
    """(least, most) accuracy by so many stored bits: spread evenly, and in whole facts.

    >>> asked = Asked(np.full(100, 0.01), np.full(100, 16.0))
    >>> low, high = allowed(asked, 300.0)
    >>> round(low, 3), round(high, 3)  # 2^-1; 75 facts, and 25 guessed with 1/16
    (0.5, 0.766)
    """
    bits = max(stored_bits, 0.0)
    evenly = even_spreading(asked.weights, asked.choices, bits).accuracy
    return evenly, all_or_nothing_bound(asked.weights, asked.choices, bits).accuracy


def bits_enough(asked: Asked, accuracy: float) -> float:
    """The stored bits from which on an accuracy is reached, however evenly they are spread.

    >>> asked = Asked(np.full(100, 0.01), np.full(100, 16.0))
    >>> round(bits_enough(asked, 0.25), 6)  # N (b - log2 L) = 100 (4 - 2)
    200.0
    """
    return smallest_budget(asked.weights, asked.choices, accuracy, kind="even_spreading")


def largest_equivalent(
    asked: Asked,
    accuracy: float,
    parameters: Sequence[float],
    stored_bits: npt.ArrayLike,
) -> float:
    """The size at which ordinary training stores `bits_enough`, in parameters.

    Between two sizes the stored bits are linear in the logarithm of the parameters.

    Args:
        asked: the facts.
        accuracy: that the small model has.
        parameters: of the models, rising.
        stored_bits: by ordinary training of each.

    Returns:
        Parameters; 0 where the smallest stores as much, infinite where none does.
    """
    return crossing(parameters, stored_bits, bits_enough(asked, accuracy))


def all_fit(asked: Asked, parameters: Sequence[float], stored_bits: npt.ArrayLike) -> float:
    """The size at which all facts fit, N b / c, in parameters.

    c is the most bits a parameter that any of the sizes stores.
    """
    most = np.max(np.asarray(stored_bits, float) / np.asarray(parameters, float))
    return asked.entropy_bits / float(most) if most > 0 else float("inf")
