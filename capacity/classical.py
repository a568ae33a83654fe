"""Classical capacities: Cover's count of dichotomies, Gardner's volume, and the converse beyond."""

import math
from typing import Any

import numpy as np
from scipy import optimize, special

from factcap.capacity.arguments import require_whole

# Patterns a binary weight of a perceptron can store: Krauth and Mezard 1989; the lower bound is
# proved (Ding and Sun 2019), the value itself a conjecture.
BINARY_WEIGHT_CAPACITY = 0.833

_LN2 = math.log(2)
_MOST_POINTS = 10**9
_TERMS = 2_000_000
_SERIES_FROM = 25.0
_QUADRATIC_FROM = 1e9


def log2_dichotomies(points: int, dimension: int) -> float:
    """log2 of $C(n, d)$, the dichotomies of n points that a hyperplane through 0 can make.

        $C(n, d) = 2 sum_{k<d} binom(n-1, k)$

    for points in general position (Cover 1965, IEEE Trans.
    Electronic Computers 14, 326). In the log domain.

    Args:
        points: n, 1 to 1e9.
        dimension: d, at least 1.

    Raises:
        ValueError: for an argument out of range.

    >>> round(2 ** log2_dichotomies(4, 2))
    8
    """
    points, dimension = _check_points(points, dimension)
    if 2 * dimension > points:
        return points + math.log2(separable_probability(points, dimension))
    # log binom(n-1, k) by its ratios (n-1-k)/(k+1). They rise with k here, so that terms far below
    # the last do not count; the first that does is taken from log-factorials.
    trials, first = points - 1, max(0, dimension - _TERMS)
    k = np.arange(first, dimension - 1, dtype=float)
    start = float(
        special.gammaln(trials + 1)
        - special.gammaln(first + 1)
        - special.gammaln(trials - first + 1)
        if first
        else 0.0
    )
    logs = start + np.concatenate([[0.0], np.cumsum(np.log((trials - k) / (k + 1)))])
    return 1 + float(np.asarray(special.logsumexp(logs))) / _LN2


def separable_probability(points: int, dimension: int) -> float:
    """P(separable) = C(n, d) / 2^n: the chance that random labels can be cut by a hyperplane.

    That is $P(Bin(n-1, 1/2) <= d-1) = I_{1/2}(n-d, d)$, the incomplete beta function; exactly 1/2
    at $n = 2d$.

    Args:
        points: n, in general position, 1 to 1e9.
        dimension: d, at least 1.

    Raises:
        ValueError: for an argument out of range.

    >>> separable_probability(2000, 1000)
    0.5
    >>> separable_probability(5, 5)
    1.0
    """
    points, dimension = _check_points(points, dimension)
    if dimension >= points:
        return 1.0
    if points == 2 * dimension:
        return 0.5  # by symmetry of the binomial; the beta function misses it in the last digit
    return float(special.betainc(points - dimension, dimension, 0.5))


def log2_separable_probability(points: int, dimension: int) -> float:
    """log2 of `separable_probability`, where that is too small for a double.

    Raises:
        ValueError: for an argument out of range.

    >>> log2_separable_probability(10_000, 1)  # 2 of 2^10000
    -9999.0
    """
    direct = separable_probability(points, dimension)
    return math.log2(direct) if direct > 1e-250 else log2_dichotomies(points, dimension) - points


def gardner_overlap(margin: float) -> float:
    """$J(kappa) = E[(z + kappa)_+^2] = (1 + kappa^2) Phi(kappa) + kappa phi(kappa)$, z normal.

    The fraction $1/J$ is Gardner's capacity (1988, J. Phys. A 21, 257). Far below 0 the two terms
    cancel and the asymptotic series is used: $phi(x) (2/x^3 - 12/x^5 + 90/x^7 ...)$, $x = -kappa$.

    Raises:
        ValueError: if the margin is not finite.

    >>> gardner_overlap(0.0)
    0.5
    """
    return math.exp(log_gardner_overlap(margin))


def log_gardner_overlap(margin: float) -> float:
    """The logarithm of J(kappa); finite where J is too small or too large for a double.

    Raises:
        ValueError: if the margin is not finite.
    """
    if not math.isfinite(margin):
        raise ValueError(f"margin must be finite, not {margin}")
    if margin > _QUADRATIC_FROM:
        return 2 * math.log(margin)  # J = kappa^2 + 1 to the last digit
    log_density = -(margin * margin) / 2 - math.log(2 * math.pi) / 2
    x = -margin
    if x > _QUADRATIC_FROM:
        return log_density + math.log(2) - 3 * math.log(x)
    if x > _SERIES_FROM:
        # (1 + x^2) M(x) - x with the asymptotic series of M: 1/x - 1/x^3 + 3/x^5 - 15/x^7 ...
        terms = ((2, 3), (-12, 5), (90, 7), (-840, 9), (9450, 11), (-124740, 13))
        return log_density + math.log(sum(factor * x**-power for factor, power in terms))
    # Phi(-x) = phi(x) M(x) with Mills's ratio M, which erfcx gives without underflow.
    mills = math.sqrt(math.pi / 2) * float(special.erfcx(x / math.sqrt(2)))
    if x > 0:
        return log_density + math.log((1 + x * x) * mills - x)
    phi = math.exp(log_density)
    return math.log((1 + x * x) * float(special.ndtr(margin)) + margin * phi)


def gardner_capacity(margin: float = 0.0, positive_fraction: float = 0.5) -> float:
    """Patterns a weight of a perceptron can store: $alpha_c$, for random inputs.

        $1 / alpha_c = min_b [f J(kappa - b) + (1-f) J(kappa + b)]$

    with P(label +) = f and a free threshold b (derived for this project; Gardner 1988 for
    $f = 1/2$, where $b = 0$). For a margin below 0 the value is replica-symmetric and only an upper
    bound.

    Args:
        margin: kappa, in units of the length of the weights.
        positive_fraction: f, 0 to 1.

    Returns:
        $alpha_c$; infinite where the labels are all alike or J underflows.

    Raises:
        ValueError: for an argument out of range.

    >>> gardner_capacity()
    2.0
    >>> round(gardner_capacity(margin=1.0), 4)
    0.5196
    """
    log_cost = _log_cost(margin, positive_fraction)
    return math.exp(-log_cost) if log_cost > -709 else math.inf


def gardner_bits(margin: float = 0.0, positive_fraction: float = 0.5) -> float:
    """Bits of labels a weight can store: $alpha_c h2(f)$.

    Raises:
        ValueError: as `gardner_capacity`.

    >>> gardner_bits()
    2.0
    """
    entropy = binary_entropy(positive_fraction)
    return 0.0 if entropy == 0 else gardner_capacity(margin, positive_fraction) * entropy


def _log_cost(margin: float, positive_fraction: float) -> float:
    """The logarithm of 1/alpha_c."""
    if not math.isfinite(margin):
        raise ValueError(f"margin must be finite, not {margin}")
    if not 0 <= positive_fraction <= 1:
        raise ValueError(f"positive_fraction must lie in [0, 1], not {positive_fraction}")
    if positive_fraction == 0.5:
        return log_gardner_overlap(margin)
    if positive_fraction in (0, 1):
        return -math.inf  # the threshold alone says it all

    def cost(shift: float) -> float:
        return float(
            np.logaddexp(
                math.log(positive_fraction) + log_gardner_overlap(margin - shift),
                math.log1p(-positive_fraction) + log_gardner_overlap(margin + shift),
            )
        )

    # J is convex, so the cost is; its log has one minimum as well.
    reach = 1.0
    while cost(reach) < cost(reach / 2) or cost(-reach) < cost(-reach / 2):
        reach *= 2
    found: Any = optimize.minimize_scalar(
        cost, bounds=(-reach, reach), method="bounded", options={"xatol": 1e-10}
    )
    return float(found.fun)


def binary_entropy(share: float) -> float:
    """$h2(p) = -p log2 p - (1-p) log2(1-p)$, in bits.

    Raises:
        ValueError: if the share is not in [0, 1].

    >>> binary_entropy(0.5), binary_entropy(0.0)
    (1.0, 0.0)
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share must lie in [0, 1], not {share}")
    return float(special.entr(share) + special.entr(1 - share)) / _LN2


def error_floor(load_bits: float, capacity_bits: float) -> float:
    """The smallest share of wrong binary labels that any learner can have beyond its capacity.

    n fair labels are n bits; a learner that holds C bits has $n (1 - h2(D)) <= C$ (the converse of
    rate-distortion theory), so $D >= h2^-1(1 - C/n)$. Per weight,
    $alpha (1 - h2(D))$ is at most the bits per weight.

    Args:
        load_bits: n, or alpha where the capacity is per weight; > 0.
        capacity_bits: C, >= 0.

    Returns:
        D, from 0 where the labels fit to 1/2 where nothing is held.

    Raises:
        ValueError: for an argument out of range.

    >>> error_floor(100, 100), error_floor(100, 0), round(error_floor(100, 50), 4)
    (0.0, 0.5, 0.11)
    """
    if not (load_bits > 0 and math.isfinite(load_bits)):
        raise ValueError(f"load_bits must be finite and > 0, not {load_bits}")
    if not capacity_bits >= 0:
        raise ValueError(f"capacity_bits must be >= 0, not {capacity_bits}")
    missing = (load_bits - capacity_bits) / load_bits
    if missing <= 0:
        return 0.0
    if capacity_bits == 0:
        return 0.5
    # In ln D, since D is tiny for little that is missing: h2(D) ~ D log2(e/D).
    low, high = math.log(missing) - 50, math.log(0.5)
    found = optimize.brentq(
        lambda log_share: binary_entropy(math.exp(log_share)) - missing, low, high, xtol=1e-15
    )
    return math.exp(float(np.asarray(found)))


def _check_points(points: int, dimension: int) -> tuple[int, int]:
    return require_whole("points", points, most=_MOST_POINTS), require_whole("dimension", dimension)
