"""Sums over the facts of a power law: the frequent ones each, the smooth tail by integration."""

import math

import numpy as np
from jaxtyping import Float64

# Gregory's coefficients: a sum over integers is the integral plus these times end differences.
_GREGORY = (1 / 2, 1 / 12, 1 / 24, 19 / 720, 3 / 160, 863 / 60480, 275 / 24192)
_END = np.array(
    [
        (-1) ** j * sum(g * math.comb(k, j) for k, g in enumerate(_GREGORY))
        for j in range(len(_GREGORY))
    ]
)
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)


def power_law_nodes(
    facts: int, exponent: float, log_scale: float, *, finest: float, constant_from: float
) -> tuple[Float64[np.ndarray, " nodes"], Float64[np.ndarray, " nodes"]]:
    """Ranks and counts by which a sum of f(x_i), x_i = i^-s exp(log_scale), i = 1 .. N is taken.

    sum_i f(x_i) = sum over nodes of count times f(x(rank)), to about 1e-12 of the sum of |f|. The
    first facts stand for themselves; the others are integrated over ln i by Gauss and Legendre's
    rule, with Gregory's end corrections from integral to sum.

    Args:
        facts: N.
        exponent: s > 0.
        log_scale: of x.
        finest: f must be smooth over this distance in x (poles farther than about half of it).
        constant_from: from this x on f is constant, to the accuracy wanted.
    """
    # Between two facts of the tail x changes by less than a fortieth of that distance.
    direct = math.ceil(max(2048, 160 / finest * exponent * constant_from))
    if facts <= direct + 2 * len(_END):
        return np.arange(1.0, facts + 1), np.ones(facts)
    low, high = math.log(direct), math.log(facts)
    level = math.floor(min(constant_from, math.exp(min(log_scale - exponent * low, 700))) / finest)
    breaks = (log_scale - np.log(finest * np.arange(1, level + 1))) / exponent
    even = np.linspace(low, high, math.ceil(high - low) + 1)
    edges = np.union1d(even, breaks[(breaks > low) & (breaks < high)])
    half = np.diff(edges)[:, None] / 2
    log_ranks = (edges[:-1, None] + half + half * _NODES).ravel()
    inner = np.exp(log_ranks)
    ends = np.arange(len(_END), dtype=float)
    ranks = [np.arange(1.0, direct), inner, direct + ends, facts - ends]
    counts = [np.ones(direct - 1), (half * _WEIGHTS).ravel() * inner, _END, _END]
    return np.concatenate(ranks), np.concatenate(counts)
