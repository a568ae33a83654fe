"""What is selected from: entropies and frequencies."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64


@runtime_checkable
class Offered(Protocol):
    """What is selected from: a `FactSet`, or anything else with these."""

    def __len__(self) -> int:
        """How many there are."""
        ...

    @property
    def entropy_bits(self) -> Float64[np.ndarray, " facts"]:
        """Of each, in bits."""
        ...

    @property
    def frequency(self) -> Float64[np.ndarray, " facts"]:
        """Of each; sums to 1."""
        ...


@dataclass(frozen=True)
class Items:
    """What is selected from, as two arrays.

    Attributes:
        entropy_bits: of each.
        frequency: of each; sums to 1.
    """

    entropy_bits: Float64[np.ndarray, " items"]
    frequency: Float64[np.ndarray, " items"]

    def __len__(self) -> int:
        return len(self.entropy_bits)
