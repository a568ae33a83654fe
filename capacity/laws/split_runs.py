"""Runs of a split training: size, tokens of the trunk and of the branch, and the loss."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from jaxtyping import Float64


@dataclass(frozen=True)
class SplitRuns:
    """The runs of one domain.

    Attributes:
        parameters: N of each run, > 0.
        pretraining_tokens: D, which the trunk was trained on; 0 for a model from nothing.
        specialization_tokens: D', which the branch was trained on; 0 for the trunk itself.
        loss: on the domain, > 0.

    Raises:
        ValueError: for values out of range, or arrays of different lengths.
    """

    parameters: Float64[np.ndarray, " runs"]
    pretraining_tokens: Float64[np.ndarray, " runs"]
    specialization_tokens: Float64[np.ndarray, " runs"]
    loss: Float64[np.ndarray, " runs"]

    def __post_init__(self):
        least = {"parameters": False, "loss": False}
        least |= {"pretraining_tokens": True, "specialization_tokens": True}
        for name, zero in least.items():
            values = getattr(self, name)
            if values.shape != self.loss.shape or values.ndim != 1 or len(values) == 0:
                raise ValueError(f"{name} must be one number a run, at least one")
            if not np.all(np.isfinite(values) & ((values >= 0) if zero else (values > 0))):
                raise ValueError(f"{name} must be finite and {'>= 0' if zero else '> 0'}")
        if np.any(self.pretraining_tokens + self.specialization_tokens == 0):
            raise ValueError("a run must have pretraining or specialization tokens")

    def __len__(self) -> int:
        return len(self.loss)

    def take(self, which: npt.NDArray) -> "SplitRuns":
        """Some of the runs, by number or by truth value."""
        return SplitRuns(
            self.parameters[which],
            self.pretraining_tokens[which],
            self.specialization_tokens[which],
            self.loss[which],
        )

    def merged(self) -> "SplitRuns":
        """One run for all that differ in their loss alone, as seeds do: with the median loss."""
        places = np.stack([self.parameters, self.pretraining_tokens, self.specialization_tokens])
        different, which = np.unique(places, axis=1, return_inverse=True)
        which = which.ravel()
        loss = [np.exp(np.median(np.log(self.loss[which == i]))) for i in range(different.shape[1])]
        parameters, pretraining, specialization = different
        return SplitRuns(parameters, pretraining, specialization, np.array(loss))


@dataclass(frozen=True)
class Scale:
    """The middle of some runs, in whose units the forms are computed.

    Attributes:
        parameters: of the sizes.
        pretraining: of the positive numbers of pretraining tokens.
        specialization: the same.
        loss: the smallest.
        zeros: whether some run has no pretraining tokens, or no specialization tokens.
    """

    parameters: float
    pretraining: float
    specialization: float
    loss: float
    zeros: tuple[bool, bool]

    @classmethod
    def of(cls, runs: SplitRuns) -> "Scale":
        """The scale of these runs."""
        pretrained, special = runs.pretraining_tokens, runs.specialization_tokens
        return cls(
            parameters=_middle(runs.parameters),
            pretraining=_middle(pretrained),
            specialization=_middle(special),
            loss=float(runs.loss.min()),
            zeros=(bool(np.any(pretrained == 0)), bool(np.any(special == 0))),
        )


def _middle(values: npt.NDArray) -> float:
    """The geometric mean of the positive values; 1 without any."""
    positive = values[values > 0]
    return float(np.exp(np.log(positive).mean())) if len(positive) else 1.0


@dataclass(frozen=True)
class Place:
    """Where the loss is asked for: logarithms in the units of a scale, -inf for no tokens."""

    n: Float64[np.ndarray, " runs"]
    d: Float64[np.ndarray, " runs"]
    s: Float64[np.ndarray, " runs"]

    @classmethod
    def of(
        cls, scale: Scale, size: npt.ArrayLike, pretrained: npt.ArrayLike, special: npt.ArrayLike
    ) -> "Place":
        """The place of some N, D and D'."""
        n, d, s = np.broadcast_arrays(
            *(np.atleast_1d(np.asarray(each, float)) for each in (size, pretrained, special))
        )
        with np.errstate(divide="ignore"):
            return cls(
                np.log(n / scale.parameters),
                np.log(d / scale.pretraining),
                np.log(s / scale.specialization),
            )
