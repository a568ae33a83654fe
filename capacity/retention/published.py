"""The predictors of Jiang et al. 2025: co-occurrence, mutual information, and SMI with the size.

"Beyond Scaling" (2502.04066) with its public code: facts are scored by a count or by the mutual
information of subject and object, put into bins, and a line is fitted to the means of the bins.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from jaxtyping import Float64, Int64

from factcap.capacity.retention.facts import CountedFacts

Kind = Literal["cooccurrence", "mi", "smi"]
# The published predictors: co-occurrence, mutual information, and this with the model's size.
KINDS: tuple[Kind, ...] = ("cooccurrence", "mi", "smi")
_BINS_A_DOUBLING = 5


def mutual_information(
    pair_count: npt.ArrayLike,
    subject_count: npt.ArrayLike,
    object_count: npt.ArrayLike,
    documents: float,
) -> Float64[np.ndarray, "..."]:
    """$p_so log2(p_so / (p_s p_o))$, in bits: how much the pair tells beyond its parts.

    The p are shares of the documents. It is 0 where subject and object never meet, and negative
    where they meet less often than by chance.

    Args:
        pair_count: documents that hold both.
        subject_count: documents that hold the subject.
        object_count: documents that hold the object.
        documents: documents in the corpus, > 0.

    Raises:
        ValueError: if there are no documents.

    >>> float(mutual_information(4, 8, 16, 64))
    0.0625
    """
    if not documents > 0:
        raise ValueError(f"documents must be > 0, not {documents}")
    pair = np.asarray(pair_count, float) / documents
    apart = np.asarray(subject_count, float) / documents * (np.asarray(object_count) / documents)
    ratio = np.divide(pair, apart, out=np.ones(np.broadcast(pair, apart).shape), where=pair > 0)
    return np.asarray(pair * np.log2(ratio))


def truncated_log(score: npt.ArrayLike) -> Float64[np.ndarray, "..."]:
    """$trunc(5 log2 score) / 5$, towards zero: the name of a fact's bin.

    Args:
        score: > 0.

    >>> truncated_log([0.9, 0.2, 3.0]).tolist()
    [-0.0, -2.2, 1.4]
    """
    return np.trunc(_BINS_A_DOUBLING * np.log2(np.asarray(score, float))) / _BINS_A_DOUBLING


@dataclass(frozen=True)
class PublishedFit:
    """A line through the means of bins, as published.

    Attributes:
        kind: which predictor.
        slope: a of accuracy = a x + b, x from 0 to 1.
        intercept: b.
        r2: $R^2$ of the line over the means of the bins, each bin counted once.
        mse: mean over bins of the mean squared error of the facts within.
        bins: how many there are.
        lowest: of the truncated log, which becomes $x = 0$.
        highest: of the truncated log, which becomes $x = 1$.
    """

    kind: Kind
    slope: float
    intercept: float
    r2: float
    mse: float
    bins: int
    lowest: float
    highest: float

    @property
    def upper_bound(self) -> float:
        """$A + b$: the accuracy that the line gives the most frequent fact."""
        return self.slope + self.intercept

    def predict(self, facts: CountedFacts) -> Float64[np.ndarray, " facts"]:
        """The line's accuracy for each fact, kept within [0, 1].

        What the published fit leaves out, facts of MI <= 0, gets $x = 0$.
        """
        score, used = _score(self.kind, facts)
        x = np.zeros(len(facts))
        x[used] = self._place(truncated_log(score[used]), facts.size)
        return np.clip(self.slope * x + self.intercept, 0.0, 1.0)

    def _place(self, log: npt.NDArray, size: float) -> npt.NDArray:
        scaled = np.clip((log - self.lowest) / ((self.highest - self.lowest) or 1.0), 0.0, 1.0)
        return scaled ** _exponent(self.kind, size)


def fit_published(training: CountedFacts | Sequence[CountedFacts], kind: Kind) -> PublishedFit:
    """Fit a published predictor to the facts of one model, or of several at once.

    1. Facts of MI <= 0 are left out, whatever the predictor.
    2. The score is MI; for co-occurrence, the number of documents with both.
    3. $x = trunc(5 log2 score) / 5$, scaled so that the smallest is 0 and the largest 1.
    4. For SMI, $x^(1 + 1/Phi)$, with Phi = log2 of the model's parameters.
    5. Facts of one x are a bin; accuracy = a x + b by least squares on the means of the bins, each
       counted once, however many facts it holds.

    Args:
        training: facts with accuracies. Of several models a bin is one x of one model.
        kind: "cooccurrence", "mi" or "smi".

    Raises:
        ValueError: for SMI without a size, or where fewer than two bins are left.
    """
    several = [training] if isinstance(training, CountedFacts) else list(training)
    logs, accuracies = [], []
    for facts in several:
        if kind == "smi" and not facts.size > 1:
            raise ValueError(f"SMI needs the number of parameters of {facts.model}")
        score, used = _score(kind, facts)
        logs.append(truncated_log(score[used]))
        accuracies.append(facts.accuracy[used])
    every = np.concatenate(logs)
    if len(np.unique(every)) < 2:
        raise ValueError(f"{kind} needs facts of two different bins of MI > 0 at least")
    lowest, highest = float(every.min()), float(every.max())
    x, y, squares = [], [], []
    bins: list[tuple[npt.NDArray, npt.NDArray, npt.NDArray]] = []
    for facts, log, accuracy in zip(several, logs, accuracies, strict=True):
        place = ((log - lowest) / (highest - lowest)) ** _exponent(kind, facts.size)
        centers, member = np.unique(place, return_inverse=True)
        bins.append((centers, member, accuracy))
        x.append(centers)
        y.append(_bin_means(member, accuracy))
    slope, intercept = map(float, np.polyfit(np.concatenate(x), np.concatenate(y), 1))
    for centers, member, accuracy in bins:
        error = accuracy - (slope * centers[member] + intercept)
        squares.append(_bin_means(member, error**2))
    mean = np.concatenate(y)
    rest = mean - (slope * np.concatenate(x) + intercept)
    spread = float(np.square(mean - mean.mean()).sum())
    return PublishedFit(
        kind=kind,
        slope=slope,
        intercept=intercept,
        r2=1 - float(rest @ rest) / spread if spread > 0 else 0.0,
        mse=float(np.concatenate(squares).mean()),
        bins=len(mean),
        lowest=lowest,
        highest=highest,
    )


def published_bins(facts: CountedFacts) -> Int64[np.ndarray, " facts"]:
    """The number of each fact's bin of truncated log MI; -1 for those of MI <= 0, in no bin."""
    score, used = _score("mi", facts)
    number = np.full(len(facts), -1)
    number[used] = np.unique(truncated_log(score[used]), return_inverse=True)[1]
    return number


def published_predictor(
    kind: Kind,
) -> Callable[[Sequence[CountedFacts]], Callable[[CountedFacts], npt.NDArray]]:
    """A published predictor as cross-validation takes it."""

    def fit(training: Sequence[CountedFacts]) -> Callable[[CountedFacts], npt.NDArray]:
        return fit_published(training, kind).predict

    return fit


def _bin_means(member: npt.NDArray, values: npt.NDArray) -> npt.NDArray:
    return np.bincount(member, values) / np.bincount(member)


def _exponent(kind: Kind, size: float) -> float:
    return 1 + 1 / math.log2(size) if kind == "smi" else 1.0


def _score(kind: Kind, facts: CountedFacts) -> tuple[npt.NDArray, npt.NDArray]:
    information = mutual_information(
        facts.pair_count, facts.subject_count, facts.object_count, facts.documents
    )
    return facts.pair_count if kind == "cooccurrence" else information, information > 0
