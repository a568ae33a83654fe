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
_NAMES = {
    "rate_distortion": ("price", "exposures", "guess", "size"),
    "all_or_nothing": ("threshold", "blur", "guess", "size"),
}
# Search: first point, and the least and the most of each constant in its search coordinate.
_STARTS = {"rate_distortion": (0.0, 6.0, 0.0, 1.0), "all_or_nothing": (14.0, 1.0, 0.0, 1.0)}
_BOUNDS = {
    "rate_distortion": ((-4.0, 4.0), (-4.0, 25.0), (-12.0, 6.0), (-1.0, 4.0)),
    "all_or_nothing": ((-20.0, 60.0), (-3.0, 4.0), (-12.0, 6.0), (-1.0, 4.0)),
}
# Before data, capacity counts like exposures: 1, give or take a half.
_SIZE_MEAN, _SIZE_DEVIATION = 1.0, 0.5
_SMALLEST = 1e-9
_FEWEST_OTHERS = 1e-3


@dataclass(frozen=True)
class AllocationLaw:
    """A law of theory, fitted.

    Attributes:
        kind: how bits are allocated.
        constants: `price` (theta, doublings of the exposures for a bit of log odds) and `exposures`
            (n_0); or `threshold` and `blur` (log2
            of documents); then `guess` (gamma) and `size`.
        echo: e, where the object's name stands in the subject's.
        shares: of the answers.
        middle_size: geometric mean of the models' sizes; NaN where one is not known.
    """

    kind: Kind
    constants: dict[str, float]
    echo: float
    shares: Shares
    middle_size: float

    def predict(self, facts: CountedFacts) -> Float64[np.ndarray, " facts"]:
        """Chance of a right answer for each fact."""
        values = _values([facts], self.shares, self.middle_size)
        point = _to_search(self.kind, self.constants)
        return _mixed(values.free * self.echo, _parts(self.kind, point, values), point, values)


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
    standing = values.free > 0
    echo = float((accuracy[standing].sum() + 0.5) / (standing.sum() + 1))

    def loss(point: npt.NDArray) -> tuple[float, npt.NDArray]:
        known, slopes = _parts(kind, point, values)
        free, gamma = values.free * echo, special.expit(point[2])
        p = _mixed(free, (known, slopes), point, values)
        p = np.clip(p, _SMALLEST, 1 - _SMALLEST)
        away = point[3] - _SIZE_MEAN
        value = -(accuracy * np.log(p) + (1 - accuracy) * np.log1p(-p)).sum()
        by_p = -(accuracy - p) / (p * (1 - p)) * (1 - free)
        by_known = by_p * (1 - gamma * values.share)
        by_gamma = (by_p * (1 - known) * values.share).sum() * gamma * (1 - gamma)
        gradient = np.array(
            [by_known @ slopes[0], by_known @ slopes[1], by_gamma, by_known @ slopes[2]]
        )
        gradient[3] += away / _SIZE_DEVIATION**2
        return float(value + (away / _SIZE_DEVIATION) ** 2 / 2), gradient

    found = optimize.minimize(
        loss, np.array(_STARTS[kind]), jac=True, method="L-BFGS-B", bounds=_BOUNDS[kind]
    )
    return AllocationLaw(kind, _from_search(kind, found.x), echo, shares, middle)


def allocation_predictor(
    kind: Kind,
) -> Callable[[Sequence[CountedFacts]], Callable[[CountedFacts], npt.NDArray]]:
    """A law of theory as cross-validation takes it."""

    def fit(training: Sequence[CountedFacts]) -> Callable[[CountedFacts], npt.NDArray]:
        return fit_allocation(training, kind).predict

    return fit


@dataclass(frozen=True)
class _Values:
    """What the laws take of each fact: n, K - 1, the share, 1 for an echo, ln(P/P_mid)."""

    exposures: npt.NDArray
    others: npt.NDArray
    share: npt.NDArray
    free: npt.NDArray
    log_size: npt.NDArray


def _values(several: Sequence[CountedFacts], shares: Shares, middle: float) -> _Values:
    def joined(of: Callable[[CountedFacts], npt.NDArray]) -> npt.NDArray:
        return np.concatenate([of(facts) for facts in several])

    def log_size(facts: CountedFacts) -> npt.NDArray:
        return np.full(len(facts), np.nan_to_num(np.log(facts.size / middle)))

    def free(facts: CountedFacts) -> npt.NDArray:
        return np.zeros(len(facts)) if facts.names is None else facts.names.standing.astype(float)

    return _Values(
        exposures=joined(lambda facts: facts.pair_count),
        others=joined(_others),
        share=joined(shares.of),
        free=joined(free),
        log_size=joined(log_size),
    )


def _others(facts: CountedFacts) -> npt.NDArray:
    if facts.entropy_bits is None:
        return np.ones(len(facts))
    return np.maximum(np.exp2(facts.entropy_bits) - 1, _FEWEST_OTHERS)


def _parts(kind: Kind, point: npt.NDArray, values: _Values) -> tuple[npt.NDArray, npt.NDArray]:
    """k, and its derivatives by the first, the second and the last search coordinate."""
    times = values.exposures * np.exp(point[3] * values.log_size)
    if kind == "all_or_nothing":
        blur = np.exp(point[1])
        away = (np.log2(1 + times) - point[0]) / blur
        density = stats.norm.pdf(away)
        by_size = times / (1 + times) * values.log_size / np.log(2) / blur
        slopes = np.stack([-density / blur, -density * away, density * by_size])
        return special.ndtr(away), slopes
    inverse_price = np.exp(-point[0])
    worth = np.log1p(times) - point[1]
    known = special.expit(worth * inverse_price - np.log(values.others))
    by_log_a = known * (1 - known)
    by_worth = by_log_a * inverse_price
    by_size = by_worth * times / (1 + times) * values.log_size
    return known, np.stack([-by_worth * worth, -by_worth, by_size])


def _mixed(free, parts, point, values: _Values) -> npt.NDArray:
    known, gamma = parts[0], special.expit(point[2])
    return free + (1 - free) * (known + (1 - known) * gamma * values.share)


def _from_search(kind: Kind, point: npt.NDArray) -> dict[str, float]:
    first, second, guess, size = map(float, point)
    first = first if kind == "all_or_nothing" else np.exp(first)
    values = first, np.exp(second), special.expit(guess), size
    return dict(zip(_NAMES[kind], map(float, values), strict=True))


def _to_search(kind: Kind, constants: dict[str, float]) -> npt.NDArray:
    first, second, guess, size = constants.values()
    first = first if kind == "all_or_nothing" else np.log(first)
    return np.array([first, np.log(second), special.logit(guess), size])
