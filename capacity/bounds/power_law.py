"""The bounds for power-law frequencies without an array of the facts, up to 1e12 of them."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from jaxtyping import Float64

from factcap.capacity.arguments import require_choices
from factcap.capacity.bounds.harmonic import generalized_harmonic
from factcap.capacity.bounds.rate_distortion import rate_distortion_bound
from factcap.capacity.bounds.rates import SMALLEST, Facts, equal_choices, rates_at, solve
from factcap.capacity.bounds.summation import power_law_nodes

KINDS = ("rate_distortion", "all_or_nothing", "even_spreading")
OBJECTIVES = ("weighted", "accuracy")
MOST_FACTS = 10**12
MOST_EXPONENT = 4.0


@dataclass(frozen=True)
class PowerLawBound:
    """How well facts with power-law frequencies can be recalled within a budget.

    Attributes:
        accuracy: sum over facts of weight times recall.
        recall: gives the recall of the facts of these ranks, whole numbers from 1 to N; raises
            `ValueError` for others.
    """

    accuracy: float
    recall: Callable[[npt.ArrayLike], Float64[np.ndarray, "..."]]

    def __float__(self) -> float:
        return self.accuracy


def power_law_bound(
    facts: float,
    choices: float,
    exponent: float,
    budget_bits: float,
    *,
    kind: str = "rate_distortion",
    objective: str = "weighted",
) -> PowerLawBound:
    """A bound on the recall of N facts of K choices each, frequencies $p_i = i^-s / H_{N,s}$.

    The same numbers as `all_or_nothing_bound`, `rate_distortion_bound` and `even_spreading` on
    arrays, in milliseconds at any N: sums over the frequent facts are taken one by one, those
    over the smooth tail by integration (`power_law_nodes`).

    Args:
        facts: N, 1 to 1e12.
        choices: K, at least 1: how many values were equally likely for each fact.
        exponent: s, 0 to 4.
        budget_bits: what can be stored, in bits, >= 0.
        kind: which bound: `rate_distortion`, `all_or_nothing` or `even_spreading`.
        objective: `weighted` maximizes $sum p_i a_i$, `accuracy` the plain mean of $a_i$, which
            does not depend on the exponent.

    Raises:
        ValueError: for an argument out of range, naming it and the range.

    >>> round(power_law_bound(10**12, 1e6, 1.2, 1e9).accuracy, 6)
    0.977735
    >>> power_law_bound(100, 16, 1.0, 100, kind="all_or_nothing").recall([1, 25, 26])
    array([1.    , 1.    , 0.0625])
    """
    _check(facts, choices, exponent, budget_bits, kind, objective)
    facts, entropy = int(facts), math.log2(choices)
    if budget_bits >= facts * entropy:
        return _level(facts, 1.0)
    share = budget_bits / facts
    if kind == "even_spreading":
        return _level(facts, 2.0 ** (share - entropy))  # a = 2^(C/N - H)
    # Below 1e-15 the frequencies of all facts are one in doubles.
    flat = exponent < 1e-15 or objective == "accuracy"
    if flat and kind == "all_or_nothing":
        return _level(facts, share / entropy + (1 - share / entropy) / choices)
    if flat:
        return _level(facts, rate_distortion_bound([1.0], choices, share).accuracy)
    if kind == "all_or_nothing":
        return _all_or_nothing(facts, choices, exponent, budget_bits / entropy)
    return _rate_distortion(facts, choices, exponent, budget_bits * math.log(2))


def _check(facts, choices, exponent, budget_bits, kind, objective) -> None:
    if not (1 <= facts <= MOST_FACTS and facts == int(facts)):
        raise ValueError(f"facts must be a whole number from 1 to 1e12, not {facts}")
    require_choices(choices)
    if not 0 <= exponent <= MOST_EXPONENT:
        raise ValueError(f"exponent must lie in [0, {MOST_EXPONENT:g}], not {exponent}")
    if not budget_bits >= 0:
        raise ValueError(f"budget_bits must be >= 0, not {budget_bits}")
    for name, value, known in (("kind", kind, KINDS), ("objective", objective, OBJECTIVES)):
        if value not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}, not {value!r}")


def _level(facts: int, recall: float) -> PowerLawBound:
    """The bound where all facts have one recall."""
    return PowerLawBound(recall, lambda ranks: np.full(_ranks(ranks, facts).shape, recall))


def _ranks(ranks: npt.ArrayLike, facts: int) -> Float64[np.ndarray, "..."]:
    array = np.asarray(ranks, float)
    if not np.all((array >= 1) & (array <= facts) & (array == np.floor(array))):
        raise ValueError(f"ranks must be whole numbers from 1 to {facts}")
    return array


def _all_or_nothing(facts: int, choices: float, exponent: float, stored: float) -> PowerLawBound:
    """The `stored` most frequent facts whole, the last in part, the others guessed."""
    whole = math.floor(stored)
    held = generalized_harmonic(whole, exponent) + (stored - whole) * (whole + 1) ** -exponent
    share = held / generalized_harmonic(facts, exponent)

    def recall(ranks: npt.ArrayLike) -> Float64[np.ndarray, "..."]:
        held = np.clip(stored - (_ranks(ranks, facts) - 1), 0, 1)
        return np.asarray(held + (1 - held) / choices)

    return PowerLawBound(share + (1 - share) / choices, recall)


def _rate_distortion(facts: int, choices: float, exponent: float, budget: float) -> PowerLawBound:
    if budget < SMALLEST:
        return _level(facts, 1 / choices)
    log_k = math.log(choices)

    def tail(log_scale: float) -> Facts:
        # a and R change over 1 in x up to x = ln K, and are constant far above it.
        ranks, count = power_law_nodes(
            facts, exponent, log_scale, finest=4.0, constant_from=log_k + 40
        )
        return equal_choices(ranks**-exponent, choices, count)

    # The last fact that all-or-nothing stores stands near a = 1/2, at x = ln K.
    guess = math.log(log_k) + exponent * math.log(max(1.0, budget / log_k))
    log_scale = solve(
        lambda log_scale: rates_at(tail(log_scale), log_scale),
        budget,
        generalized_harmonic(facts, 2 * exponent),
        guess,
    )
    nodes = tail(log_scale)
    total = generalized_harmonic(facts, exponent)
    accuracy = float((nodes.copies * nodes.weight) @ rates_at(nodes, log_scale).recall) / total

    def recall(ranks: npt.ArrayLike) -> Float64[np.ndarray, "..."]:
        array = _ranks(ranks, facts)
        weight = array.ravel() ** -exponent
        found = rates_at(equal_choices(weight, choices), log_scale).recall
        return found.reshape(array.shape)

    return PowerLawBound(min(accuracy, 1.0), recall)
