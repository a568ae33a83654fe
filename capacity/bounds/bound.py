"""What the bounds share: their result, and the check of their arguments."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from jaxtyping import Float64


@dataclass(frozen=True)
class Bound:
    """How well the facts of a set can be recalled within a budget.

    Attributes:
        recall: probability that each fact is recalled exactly.
        accuracy: sum over facts of weight times recall.
    """

    recall: Float64[np.ndarray, " facts"]
    accuracy: float


class Problem(NamedTuple):
    """Checked arguments of a bound.

    Attributes:
        weights: of each fact, finite and >= 0.
        choices: of each fact, finite and >= 1.
        entropy_bits: log2 of the choices.
        budget_bits: at least 0, perhaps infinite.
    """

    weights: Float64[np.ndarray, " facts"]
    choices: Float64[np.ndarray, " facts"]
    entropy_bits: Float64[np.ndarray, " facts"]
    budget_bits: float

    @property
    def everything_fits(self) -> bool:
        """Whether the budget covers the entropy of all facts."""
        return bool(self.budget_bits >= self.entropy_bits.sum())

    def bound(self, recall: Float64[np.ndarray, " facts"]) -> Bound:
        """The result with this recall."""
        return Bound(recall, float(self.weights @ recall))

    def all_known(self) -> Bound:
        """The result where everything fits."""
        return self.bound(np.ones(len(self.weights)))


def check(weights: npt.ArrayLike, choices: npt.ArrayLike, budget_bits: float) -> Problem:
    """Arguments of a bound as arrays; choices may be one number for all facts.

    Raises:
        ValueError: naming the argument that is out of range, and the range.
    """
    weight = np.asarray(weights, np.float64)
    choice = np.asarray(choices, np.float64)
    if weight.ndim != 1 or len(weight) == 0:
        raise ValueError(f"weights must be one number a fact, at least one; shape {weight.shape}")
    if choice.shape not in ((), weight.shape):
        raise ValueError(
            f"choices must be one number or one a fact ({len(weight)}); shape {choice.shape}"
        )
    for name, array, least in (("weights", weight, 0), ("choices", choice, 1)):
        wrong = ~(np.isfinite(array) & (array >= least))
        if wrong.any():
            found = array[wrong].flat[0]
            raise ValueError(f"{name} must be finite and >= {least}; found {found:g}")
    with np.errstate(over="ignore"):
        if not np.isfinite(weight.sum()):
            raise ValueError("weights must have a finite sum; scale them")
    if not budget_bits >= 0:
        raise ValueError(f"budget_bits must be >= 0, not {budget_bits}")
    choice = np.broadcast_to(choice, weight.shape)
    return Problem(weight, choice, np.log2(choice), float(budget_bits))
