"""The rate-distortion function of a value at a price, and the price at which a budget is spent."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

_LARGEST = 709.0  # exp of it is finite
SMALLEST = 1e-290  # below it a number of nats is as good as none
_SMALL = 1e-2  # below this x the rate is taken from its series


class Facts(NamedTuple):
    """What the optimum depends on, for each fact.

    Attributes:
        weight: relative to the largest weight.
        choices: K.
        log_k: ln K.
        log_others: ln(K - 1).
        copies: how many such facts there are; 1 where each stands for itself. The nodes by which
            the tail of a power law is integrated stand for many, and not for a whole number.
    """

    weight: Float64[np.ndarray, " facts"]
    choices: Float64[np.ndarray, " facts"]
    log_k: Float64[np.ndarray, " facts"]
    log_others: Float64[np.ndarray, " facts"]
    copies: Float64[np.ndarray, " facts"]


def equal_choices(
    weight: Float64[np.ndarray, " facts"],
    choices: float,
    copies: Float64[np.ndarray, " facts"] | None = None,
) -> Facts:
    """Facts of one number of choices; K may be 1, where there is nothing to know."""
    log_others = np.log(choices - 1) if choices > 1 else -np.inf
    each = np.ones(len(weight))
    return Facts(
        weight=weight,
        choices=each * choices,
        log_k=each * np.log(choices),
        log_others=each * log_others,
        copies=each if copies is None else copies,
    )


class Rates(NamedTuple):
    """At one price: the recall of each fact, all their rate in nats, and its slope in log_scale."""

    recall: Float64[np.ndarray, " facts"]
    nats: float
    slope: float


def rates_at(facts: Facts, log_scale: float) -> Rates:
    """The optimum at the price theta, where x_i = w_i ln 2 / theta = weight_i exp(log_scale).

    With z = x - ln(K - 1): a = e^x / (e^x + K - 1) = 1 / (1 + e^-z), and in nats
    R = a x - ln((e^x + K - 1) / K), each half of which is written so that it neither overflows
    nor cancels on its side of z = 0. Near x = 0 both cancel, and a series stands for them.
    """
    x = facts.weight * np.exp(log_scale)
    z = x - facts.log_others
    small = np.exp(-np.abs(z))
    minor = small / (1 + small)  # the smaller one of a and 1 - a
    known = z > 0
    recall = np.where(known, 1 - minor, minor)
    # z > 0: R = ln K - (1 - a) x - ln(1 + e^-z)
    # z <= 0: R = a x - ln(1 + (e^x - 1) / K)
    nats = np.where(
        known,
        facts.log_k - minor * x - np.log1p(small),
        minor * x - np.log1p(np.expm1(np.where(known, 0.0, x)) / facts.choices),
    )
    tiny = x < _SMALL
    if tiny.any():
        nats[tiny] = _small_rate(x[tiny], facts.choices[tiny])
    # dR/dx = x da/dx = x a (1 - a), so dR/d(ln x) = x^2 a (1 - a)
    slope = (x * minor) * (x * (1 - minor))
    return Rates(recall, float(facts.copies @ nats), float(facts.copies @ slope))


def _small_rate(
    x: Float64[np.ndarray, " facts"], choices: Float64[np.ndarray, " facts"]
) -> Float64[np.ndarray, " facts"]:
    """The rate in nats to sixth order: sum over n of kappa_n x^n (n - 1) / n!.

    kappa_n are the cumulants of a guess that is right with probability p = 1/K.
    """
    p = 1 / choices
    variance, skew = p * (1 - p), 1 - 2 * p
    sixth = 1 - 30 * variance + 120 * variance**2
    series = skew * (1 - 12 * variance) / 30 + x * sixth / 144
    series = 1 / 2 + x * (skew / 3 + x * ((1 - 6 * variance) / 8 + x * series))
    return variance * x**2 * series


def solve(
    rates: Callable[[float], Rates], budget: float, square_sum: float, guess: float | None = None
) -> float:
    """The log_scale at which the rates sum to the budget: Newton within a bracket.

    The unknown is taken against the log of the rate, where a power law is nearly a straight line.

    Args:
        rates: at a log_scale.
        budget: in nats, positive, less than the entropy of all facts.
        square_sum: sum of the squares of the weights, relative to the largest weight.
        guess: where to begin.
    """
    # dR/dx <= x / 4, so R <= x^2 / 8: at this scale the rates are at most the budget.
    low = 0.5 * float(np.log(8 * budget / square_sum))
    high = max(_LARGEST, low)
    point = low if guess is None else min(max(guess, low), high)
    for _ in range(200):
        found = rates(point)
        excess = np.log(found.nats / budget) if found.nats > SMALLEST * budget else -np.inf
        if abs(excess) < 1e-13:
            break
        low, high = (point, high) if excess < 0 else (low, point)
        if high - low < 1e-14 * max(1.0, abs(low)):
            break
        step = -excess * found.nats / found.slope if found.slope > SMALLEST else np.inf
        newton = point + step
        point = newton if low < newton < high else (low + high) / 2
    return point
