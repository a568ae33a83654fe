"""What a scheme chooses by: losses, weights, entropies, a budget, and what else is known."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from factcap.synth.errors import BadInput, require

# Sums in another order differ by less than this share.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Evidence:
    """What is known of N facts when it is chosen what to train on.

    Attributes:
        losses: of each fact given its key, in bits, finite and >= 0.
        weights: current sampling weights, finite and >= 0; a fact of weight 0 is not chosen. Their
            scale does not matter.
        entropies: of each fact, in bits, finite and >= 0.
        budget_bits: entropy of the facts to keep, at the most; positive, perhaps infinite.
        frequency: how often each fact occurs, at any scale; None: not known. A small count says
            less than it seems to: see `factcap.synth.selection.frequencies.shrunk_counts`.
        scores: first-order influence of each fact (see
            `factcap.models.training.selection.influence`); None: not known.
        seed: of what a scheme draws.

    Raises:
        BadInput: if an array has another length or a value that is out of range.
    """

    losses: Float64[np.ndarray, " facts"]
    weights: Float64[np.ndarray, " facts"]
    entropies: Float64[np.ndarray, " facts"]
    budget_bits: float
    frequency: Float64[np.ndarray, " facts"] | None = None
    scores: Float64[np.ndarray, " facts"] | None = None
    seed: int = 0

    def __post_init__(self):
        facts = len(self.losses)
        require(facts > 0, "there is nothing to select from; give at least one fact")
        for name in ("losses", "weights", "entropies", "frequency", "scores"):
            array = getattr(self, name)
            if array is not None:
                check_numbers(array, name, facts, least=-np.inf if name == "scores" else 0.0)
        check_budget(self.budget_bits)
        require(bool(self.weights.any()), "all weights are 0; at least one must be positive")

    @property
    def present(self) -> np.ndarray:
        """Which facts have not been dropped."""
        return self.weights > 0

    @property
    def all_fit(self) -> bool:
        """Whether the facts that have not been dropped fit the budget, rounding aside."""
        return bool(self.entropies[self.present].sum() <= self.budget_bits * (1 + ROUNDING))


def check_budget(budget_bits: float) -> None:
    """Raise `BadInput` unless a budget in bits is positive."""
    require(bool(budget_bits > 0), f"the budget must be positive, in bits, not {budget_bits:g}")


def check_numbers(array: np.ndarray, name: str, facts: int, *, least: float = 0.0) -> None:
    """Raise `BadInput` unless an array holds one finite number >= `least` a fact."""
    require(
        array.shape == (facts,),
        f"{name} must be one number for each of the {facts} facts; shape {array.shape}",
    )
    wrong = ~(np.isfinite(array) & (array >= least))
    if wrong.any():
        row = int(np.argmax(wrong))
        bound = f" and >= {least:g}" if np.isfinite(least) else ""
        raise BadInput(f"{name} must be finite{bound}; fact {row} has {array[row]:g}")
