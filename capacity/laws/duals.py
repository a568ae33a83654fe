"""Numbers that carry their derivatives, for many sets of parameters at once."""

from dataclasses import dataclass
from typing import Union

import numpy as np
from jaxtyping import Float64

Number = Union["Dual", float, np.ndarray]


@dataclass(frozen=True)
class Dual:
    """A number for each set of parameters and each run, and its derivatives (forward mode).

    Attributes:
        value: the numbers; an axis has the length 1 where they do not depend on it.
        slope: their derivatives by each parameter.
    """

    value: Float64[np.ndarray, "#sets #runs"]
    slope: Float64[np.ndarray, "#sets #runs parameters"]

    # Else numpy would multiply a Dual from the left number by number.
    __array_ufunc__ = None

    def __add__(self, other: Number) -> "Dual":
        if isinstance(other, Dual):
            return Dual(self.value + other.value, self.slope + other.slope)
        value = self.value + other
        return Dual(value, self.slope)

    def __radd__(self, other: Number) -> "Dual":
        return self + other

    def __neg__(self) -> "Dual":
        return Dual(-self.value, -self.slope)

    def __sub__(self, other: Number) -> "Dual":
        return self + (-other)

    def __mul__(self, other: Number) -> "Dual":
        if isinstance(other, Dual):
            return Dual(
                self.value * other.value,
                self.slope * other.value[..., None] + other.slope * self.value[..., None],
            )
        factor = np.asarray(other, float)
        return Dual(self.value * factor, self.slope * factor[..., None])

    def __rmul__(self, other: Number) -> "Dual":
        return self * other

    def exp(self) -> "Dual":
        """E to this power; cut off where a double would end."""
        value = np.exp(np.clip(self.value, -700, 300))
        return Dual(value, self.slope * value[..., None])

    def log(self) -> "Dual":
        """The natural logarithm of a positive number."""
        return Dual(np.log(self.value), self.slope / self.value[..., None])

    def logaddexp(self, other: Number) -> "Dual":
        """The logarithm of e^self + e^other; -inf adds nothing."""
        second = (
            other if isinstance(other, Dual) else Dual(_rows(other), np.zeros(1)[:, None, None])
        )
        value = np.logaddexp(self.value, second.value)
        first_share = np.exp(self.value - value)[..., None]
        second_share = np.exp(second.value - value)[..., None]
        return Dual(value, self.slope * first_share + second.slope * second_share)


def _rows(number: float | np.ndarray) -> np.ndarray:
    return np.atleast_1d(np.asarray(number, float))[None, :]


def parameters(
    theta_SxP: Float64[np.ndarray, "sets parameters"],
) -> list[Dual]:
    """Each parameter as a number with derivative 1 by itself."""
    count = theta_SxP.shape[1]
    return [
        Dual(theta_SxP[:, number, None], np.eye(count)[number][None, None, :])
        for number in range(count)
    ]
