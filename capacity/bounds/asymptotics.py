"""What the bounds on power-law facts tend to as their number grows: the exponents and constants."""

import math

import numpy as np
from scipy import special

from factcap.capacity.arguments import require_choices
from factcap.capacity.bounds.rates import equal_choices, rates_at


def deficit_exponent(exponent: float) -> float:
    """How fast the missing accuracy falls with the facts stored, $s - 1$, for $s > 1$.

    1 - accuracy is proportional to $n^-(s-1)$ for n facts stored of $N -> infinity$, for
    all-or-nothing and for rate-distortion alike.

    Raises:
        ValueError: if the exponent is not above 1.

    >>> deficit_exponent(1.5)
    0.5
    """
    _above_one(exponent)
    return exponent - 1


def all_or_nothing_deficit(stored: float, choices: float, exponent: float) -> float:
    """Missing weighted accuracy with n facts stored of infinitely many, $s > 1$.

    $(1 - 1/K) n^-(s-1) / ((s-1) zeta(s))$, to leading order in n.

    Args:
        stored: n, the budget over the entropy of a fact; at least 1.
        choices: K, at least 1.
        exponent: $s > 1$.

    Raises:
        ValueError: for an argument out of range.
    """
    _above_one(exponent)
    _at_least_one("stored", stored)
    _at_least_one("choices", choices)
    return (
        (1 - 1 / choices)
        * stored ** (1 - exponent)
        / ((exponent - 1) * float(special.zeta(exponent)))
    )


def captured_mass(stored: float, facts: float, exponent: float) -> float:
    """Share of the frequency that the n most frequent of N facts have, to leading order.

    $s < 1$: $(n/N)^(1-s)$. $s = 1$: $ln n / ln N$. $s > 1$: $1 - n^-(s-1) / ((s-1) zeta(s))$.

    Args:
        stored: n, 1 to N.
        facts: N, at least 1.
        exponent: $s >= 0$.

    Raises:
        ValueError: for an argument out of range.
    """
    _at_least_one("facts", facts)
    if not math.isfinite(facts):
        raise ValueError("facts must be finite")
    if not 1 <= stored <= facts:
        raise ValueError(f"stored must lie in [1, facts = {facts:g}], not {stored}")
    if not exponent >= 0:
        raise ValueError(f"exponent must be >= 0, not {exponent}")
    if exponent < 1:
        return (stored / facts) ** (1 - exponent)
    if exponent == 1:
        return math.log(stored) / math.log(facts) if facts > 1 else 1.0
    return 1 - all_or_nothing_deficit(stored, math.inf, exponent)


def joint_coding_multiplier(choices: float, exponent: float) -> float:
    """How many times the budget of rate-distortion all-or-nothing needs to reach as far.

    For $s > 1$ in the limit of infinitely many facts, many of them stored. Rank $i = r i_0$ has
    $x = r^-s$, and with the integrals $I = int R(a(x(r))) dr$ and $J = int (1 - a(x(r))) x(r) dr$
    the budget is $C = i_0 I$ and the deficit $i_0^(1-s) J / zeta(s)$. All-or-nothing has that
    deficit at the budget m C: $m = (H / I) ((s-1) J / (1 - 1/K))^(1/(1-s))$, which is free of
    $i_0$.

    Args:
        choices: K, at least 2.
        exponent: $s > 1$.

    Returns:
        m, at least 1.

    Raises:
        ValueError: for an argument out of range.

    >>> [round(joint_coding_multiplier(choices, 1.5), 3) for choices in (10, 100, 1e4)]
    [1.15, 1.057, 1.014]
    """
    _above_one(exponent)
    require_choices(choices, least=2)
    log_k, log_others = math.log(choices), math.log(choices - 1)
    # Gauss-Legendre in ln x: from an x so small that facts are guessed to one so large that they
    # are known, in panels over which a and R are smooth.
    low, high = 1e-12, log_k + 60
    edges = np.log(np.concatenate([np.geomspace(low, 1, 56), np.arange(2, high, 2), [high]]))
    half = np.diff(edges)[:, None] / 2
    nodes, weights = np.polynomial.legendre.leggauss(16)
    x = np.exp((edges[:-1, None] + half + half * nodes).ravel())
    # r = x^(-1/s), so dr = x^(-1/s) d(ln x) / s
    step = (half * weights).ravel() * x ** (-1 / exponent) / exponent
    rates = rates_at(equal_choices(x, choices, step), 0.0)
    # Above `high` R = ln K on all of r < high^(-1/s); below `low` a = 1/K.
    spent = rates.nats + log_k * high ** (-1 / exponent)
    missed = float((step * x) @ special.expit(log_others - x))
    missed += (1 - 1 / choices) * low ** (1 - 1 / exponent) / (exponent - 1)
    deficit = (exponent - 1) * missed / (1 - 1 / choices)
    return float(log_k / spent * deficit ** (1 / (1 - exponent)))


def _above_one(exponent: float) -> None:
    if not (exponent > 1 and math.isfinite(exponent)):
        raise ValueError(f"exponent must be finite and > 1 here, not {exponent}")


def _at_least_one(name: str, value: float) -> None:
    if not value >= 1:
        raise ValueError(f"{name} must be >= 1, not {value}")
