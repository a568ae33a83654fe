"""Which facts a training will know, from frequency and entropy alone.

A training draws fact i about n_i times. Of its entropy H_i it stores a share that grows with n_i as
rate-distortion theory has it: at a price of n_C exposures, log odds in proportion to log n_i. The
capacity sets the price,

    share_i = x_i^(1/theta) / (1 + x_i^(1/theta)),   x_i = n_i / n_C,   sum_i H_i share_i = C.

A fact is recalled once enough of it is stored, which takes a multiple of the price, and once it was
met often enough to be acquired at all, however much room there is:

    n_0^2 = (needed n_C)^2 + acquisition^2,   odds of recall = (n_i / n_0)^(1/blur).

As theta goes to 0 this is all-or-nothing storage: the most frequent facts are stored whole.

Where facts differ in entropy, each bit above their mean divides the odds by 2^per_bit. In theory
it divides them by 2: an answer out of K has log2 odds of w / theta - log2(K - 1). And where facts
are of several relations, those of a relation may need more exposures than others, or fewer, by a
factor; the factors are shrunk toward 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from jaxtyping import Float64
from scipy import optimize, special

# The search, in logarithms: bits a parameter, theta, needed, acquisition, blur, a bit.
_STARTS = ((1.5, 0.9, 0.5, 60.0, 0.25, 1.0), (2.3, 0.3, 1.0, 10.0, 0.2, 1.0))
# The constants' usual values and, in powers of e, how far from these they are believed to lie.
_USUAL, _FACTOR = (2.0, 0.5, 1.0, 30.0, 0.25, 1.0), (0.5, 1.0, 1.0, 1.5, 1.0, 0.5)
# The same of what a relation needs, which is usually what the others need.
_RELATIONS = 1.0
# ln of a price: between nothing and more exposures than any training has.
_LEAST, _MOST = -40.0, 40.0
# Step of the differences from which the search takes its gradient.
_STEP = 1e-4


@dataclass(frozen=True)
class Training:
    """What is known of a training before it begins.

    Attributes:
        exposures: how often each fact will be drawn, on average.
        entropy_bits: of each fact.
        parameters: of the model.
        relations: the name of each fact's relation; none where all facts are of one kind.
    """

    exposures: Float64[np.ndarray, " facts"]
    entropy_bits: Float64[np.ndarray, " facts"]
    parameters: int
    relations: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExposureLaw:
    """The law with its constants.

    Attributes:
        bits_per_parameter: C over the parameters.
        theta: how far storage is spread over facts of different frequency.
        needed: exposures that recall takes, over the price.
        acquisition: exposures that recall takes where there is room for everything.
        blur: how much trainings and facts of equal frequency differ.
        per_bit: log2 of what a bit of entropy divides the odds by.
        relations: ln of how many times the exposures of others the facts of a relation need; 0 for
            one that is not here.
    """

    bits_per_parameter: float
    theta: float
    needed: float
    acquisition: float
    blur: float
    per_bit: float = 1.0
    relations: Mapping[str, float] = field(default_factory=dict)

    def price(self, training: Training) -> float:
        """$n_C$, in exposures; 0 where everything fits."""
        capacity = self.bits_per_parameter * training.parameters
        if training.entropy_bits.sum() <= capacity:
            return 0.0
        log_exposures = np.log(training.exposures)

        def beyond(log_price: float) -> float:
            share = special.expit((log_exposures - log_price) / self.theta)
            return float(share @ training.entropy_bits) - capacity

        if beyond(_LEAST) <= 0:
            return 0.0
        log_price: Any = optimize.brentq(beyond, _LEAST, _MOST, xtol=1e-10)
        return float(np.exp(log_price))

    def predict(self, training: Training) -> Float64[np.ndarray, " facts"]:
        """The probability that each fact will be recalled.

        Args:
            training: its exposures positive.
        """
        enough = np.hypot(self.needed * self.price(training), self.acquisition)
        log_needed = np.log(enough) + np.array(
            [self.relations.get(name, 0.0) for name in training.relations] or 0.0
        )
        bits = training.entropy_bits - training.entropy_bits.mean()
        log_odds = (np.log(training.exposures) - log_needed) / self.blur
        return special.expit(log_odds - np.log(2) * self.per_bit * bits)


def fit_exposure_law(
    trainings: Sequence[tuple[Training, Float64[np.ndarray, "_"]]],
) -> ExposureLaw:
    """The constants of trainings that were made: maximum likelihood, with weak beliefs before.

    Args:
        trainings: each with the share of its runs that recalled each fact.

    Raises:
        ValueError: without a training.
    """
    if not trainings:
        raise ValueError("the law needs one training at least")

    names = sorted({name for training, _ in trainings for name in training.relations})

    def law_at(point: npt.NDArray[np.float64]) -> ExposureLaw:
        constants, relations = np.split(point, [len(_USUAL)])
        effects = dict(zip(names, relations.tolist(), strict=True))
        return ExposureLaw(*np.exp(constants).tolist(), relations=effects)

    usual = np.concatenate([np.log(_USUAL), np.zeros(len(names))])
    spread = np.concatenate([_FACTOR, np.full(len(names), _RELATIONS)])

    def loss(point: npt.NDArray[np.float64]) -> float:
        law = law_at(point)
        away = (point - usual) / spread
        total = float(away @ away) / 2
        for training, recall in trainings:
            known = np.clip(law.predict(training), 1e-6, 1 - 1e-6)
            total -= float(recall @ np.log(known) + (1 - recall) @ np.log1p(-known))
        return total

    options = {"eps": _STEP}
    found = [
        optimize.minimize(
            loss,
            np.concatenate([np.log(start), np.zeros(len(names))]),
            method="L-BFGS-B",
            options=options,
        )
        for start in _STARTS
    ]
    return law_at(min(found, key=lambda one: one.fun).x)
