"""What theory says of each fact by itself: three constants and no effect of a relation.

Bits go where they help most. At a price of theta for a bit, rate-distortion theory gives a fact of
worth w and K equally likely answers the recall (`factcap.capacity.rate_distortion_bound`)

    log2 odds(a) = w / theta - log2(K - 1).

A model that meets a fact n times acquires bits that saturate in n, so that the worth is taken as
the logarithm of the exposures. All-or-nothing storage knows a fact above a threshold of exposures;
the noise of acquisition blurs it to a probit. A right answer is known or guessed, the guess being a
share gamma of how common the answer is in its relation:

    rate-distortion:  k = A/(A + K - 1),  A = ((1 + n)/n_0)^(1/theta)
    all-or-nothing:   k = Phi((log2(1 + n) - threshold)/blur)
    P = e + (1 - e) [k + (1 - k) gamma share]

K is 2^entropy where the entropy of the answers is given, else one number for all facts, which n_0
absorbs: taken from the answers that each relation was seen to have, it makes predictions of public
models worse. e is near 1 where the object's name stands in the subject's.
Of several models, n is multiplied by (P/P_mid)^size: capacity buys what exposures buy.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from jaxtyping import Float64
from scipy import optimize, special, stats

from factcap.capacity.retention.facts import CountedFacts
from factcap.capacity.retention.guess import Shares

Kind = Literal["rate_distortion", "all_or_nothing"]
# log2 of the exposures at which the line of the search has its level.
_MIDDLE = 10.0
# The search: level, ln slope, logit of gamma, size; first point, and the least and the most.
_START = (-2.0, -1.5, -3.0, 1.0)
_BOUNDS = ((-30.0, 30.0), (-8.0, 3.0), (-12.0, 6.0), (-1.0, 4.0))
# Before data, capacity counts like exposures: 1, give or take a half.
_SIZE_MEAN, _SIZE_DEVIATION = 1.0, 0.5
_SMALLEST = 1e-9
_FEWEST_OTHERS = 1e-3


@dataclass(frozen=True)
class AllocationLaw:
    """A law of theory, fitted.

    Attributes:
        kind: how bits are allocated.
        level: log odds of knowing, in nats, or probit, at 1,023 documents.
        slope: what a doubling of the documents adds to it.
        guess: gamma.
        size: the power of the model's size that counts like documents.
        echo: e, where the object's name stands in the subject's.
        shares: of the answers.
        middle_size: geometric mean of the models' sizes; NaN where one is not known.
    """

    kind: Kind
    level: float
    slope: float
    guess: float
    size: float
    echo: float
    shares: Shares
    middle_size: float

    @property
    def constants(self) -> dict[str, float]:
        """The constants of the formulas, by name; theta in doublings of the exposures for a bit."""
        middle = _MIDDLE - self.level / self.slope
        if self.kind == "all_or_nothing":
            return {"threshold": middle, "blur": 1 / self.slope, "guess": self.guess}
        price = float(np.log(2) / self.slope)
        return {"price": price, "log2_exposures": middle, "guess": self.guess}

    def predict(self, facts: CountedFacts) -> Float64[np.ndarray, " facts"]:
        """Chance of a right answer for each fact."""
        values = _values([facts], self.shares, self.middle_size)
        line = _line(values, self.level, self.slope, self.size)
        free = values.standing * self.echo
        known = _known(self.kind, line, values)[0]
        return free + (1 - free) * (known + (1 - known) * self.guess * values.share)


def fit_allocation(training: Sequence[CountedFacts], kind: Kind) -> AllocationLaw:
    """Fit a law of theory by maximum likelihood of the shares of right answers.

    Args:
        training: facts with accuracies, an item a model.
        kind: "rate_distortion" or "all_or_nothing".

    Raises:
        ValueError: where there is no fact.
    """
    training = [facts for facts in training if len(facts)]
    if not training:
        raise ValueError("the law needs one fact at least")
    sizes = np.array([facts.size for facts in training])
    middle = float(np.exp(np.log(sizes).mean()))
    shares = Shares(training)
    values = _values(training, shares, middle)
    accuracy = np.concatenate([facts.accuracy for facts in training])
    echo = float((accuracy @ values.standing + 0.5) / (values.standing.sum() + 1))
    free = values.standing * echo

    def loss(point: npt.NDArray) -> tuple[float, npt.NDArray]:
        level, slope, size = point[0], np.exp(point[1]), point[3]
        gamma = special.expit(point[2])
        line = _line(values, level, slope, size)
        known, by_line = _known(kind, line, values)
        p = free + (1 - free) * (known + (1 - known) * gamma * values.share)
        p = np.clip(p, _SMALLEST, 1 - _SMALLEST)
        away = (size - _SIZE_MEAN) / _SIZE_DEVIATION
        value = -(accuracy * np.log(p) + (1 - accuracy) * np.log1p(-p)).sum() + away**2 / 2
        by_p = (p - accuracy) / (p * (1 - p)) * (1 - free)
        by_line = by_p * (1 - gamma * values.share) * by_line
        told = 1 - np.exp2(-values.exposures(size))
        gradient = [
            by_line.sum(),
            by_line @ (line - level),
            (by_p * (1 - known) * values.share).sum() * gamma * (1 - gamma),
            slope * (by_line * told) @ values.log2_size + away / _SIZE_DEVIATION,
        ]
        return float(value), np.array(gradient)

    found = optimize.minimize(loss, np.array(_START), jac=True, method="L-BFGS-B", bounds=_BOUNDS)
    level, log_slope, guess, size = map(float, found.x)
    slope, gamma = float(np.exp(log_slope)), float(special.expit(guess))
    return AllocationLaw(kind, level, slope, gamma, size, echo, shares, middle)


def allocation_predictor(
    kind: Kind,
) -> Callable[[Sequence[CountedFacts]], Callable[[CountedFacts], npt.NDArray]]:
    """A law of theory as cross-validation takes it."""

    def fit(training: Sequence[CountedFacts]) -> Callable[[CountedFacts], npt.NDArray]:
        return fit_allocation(training, kind).predict

    return fit


@dataclass(frozen=True)
class _Values:
    """What the laws take of each fact: n, K - 1, share, standing (0 or 1), log2(P/P_mid)."""

    count: npt.NDArray
    others: npt.NDArray
    share: npt.NDArray
    standing: npt.NDArray
    log2_size: npt.NDArray

    def exposures(self, size: float) -> npt.NDArray:
        """log2(1 + n (P/P_mid)^size)."""
        return np.log2(1 + self.count * np.exp2(size * self.log2_size))


def _values(several: Sequence[CountedFacts], shares: Shares, middle: float) -> _Values:
    def joined(of: Callable[[CountedFacts], npt.NDArray]) -> npt.NDArray:
        return np.concatenate([of(facts) for facts in several])

    def log2_size(facts: CountedFacts) -> npt.NDArray:
        return np.full(len(facts), np.nan_to_num(np.log2(facts.size / middle)))

    return _Values(
        count=joined(lambda facts: facts.pair_count),
        others=joined(_others),
        share=joined(shares.of),
        standing=joined(_standing),
        log2_size=joined(log2_size),
    )


def _others(facts: CountedFacts) -> npt.NDArray:
    if facts.entropy_bits is None:
        return np.ones(len(facts))
    return np.maximum(np.exp2(facts.entropy_bits) - 1, _FEWEST_OTHERS)


def _standing(facts: CountedFacts) -> npt.NDArray:
    return np.zeros(len(facts)) if facts.names is None else facts.names.standing.astype(float)


def _line(values: _Values, level: float, slope: float, size: float) -> npt.NDArray:
    return level + slope * (values.exposures(size) - _MIDDLE)


def _known(kind: Kind, line: npt.NDArray, values: _Values) -> tuple[npt.NDArray, npt.NDArray]:
    """k, and its derivative by the line."""
    if kind == "all_or_nothing":
        return special.ndtr(line), stats.norm.pdf(line)
    known = special.expit(line - np.log(values.others))
    return known, known * (1 - known)
