"""What is best without a learner: the Bayes-optimal rule error, separability, the optimal ridge."""

import math

import numpy as np
from scipy import optimize, special

from factcap.capacity.arguments import require_positive

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(200)
_REACH = 16.0


def require_epsilon(epsilon: float) -> None:
    """Raise `ValueError` unless the share of facts lies in [0, 1]."""
    if not 0 <= epsilon <= 1:
        raise ValueError(f"epsilon must lie in [0, 1], not {epsilon}")


def bayes_optimal_error(alpha: float, epsilon: float) -> float:
    """The smallest error against the rule that any learner reaches.

    $arccos(sqrt q) / pi$ at $q = u / (1 + u)$, where q is the squared cosine between the rule and
    its posterior mean and, with $r = sqrt(q / (2 (1 + q)))$,

        $u = 4 (1-epsilon)^2 alpha / ((2 pi)^(3/2) sqrt(1 - q^2))
            int e^(-t^2/2) / (1 + (1-epsilon) erf(r t)) dt$

    Args:
        alpha: training points a dimension, > 0.
        epsilon: share of facts, 0 to 1.

    Raises:
        ValueError: for an argument out of range.

    >>> round(bayes_optimal_error(2.0, 0.0), 4), bayes_optimal_error(2.0, 1.0)
    (0.1745, 0.5)
    """
    require_positive("alpha", alpha)
    require_epsilon(epsilon)
    if epsilon == 1:
        return 0.5
    t, weight = _REACH * _NODES, _REACH * _WEIGHTS
    front = 4 * (1 - epsilon) ** 2 * alpha / (2 * math.pi) ** 1.5

    def excess(logit: float) -> float:
        """The difference ln u(q) - ln(q / (1 - q)), with q the logistic function of the logit."""
        q, rest = float(special.expit(logit)), float(special.expit(-logit))
        noisy = epsilon + (1 - epsilon) * special.erfc(-math.sqrt(q / (2 * (1 + q))) * t)
        integral = float(weight @ (np.exp(-(t**2) / 2) / noisy))
        return math.log(front * integral / math.sqrt(rest * (1 + q))) - logit

    logit = float(np.asarray(optimize.brentq(excess, -80, 80, xtol=1e-12)))
    # arccos(sqrt q) = arctan(sqrt((1 - q) / q))
    return math.atan(math.exp(-logit / 2)) / math.pi


def separability_threshold(epsilon: float) -> float:
    """$alpha_c$, the load up to which a hyperplane through 0 meets all labels.

        $1 / alpha_c = min_t (1 - epsilon/2) f(-t) + (epsilon/2) f(t)$

        $f(t) = E J(t |z|) = ((1 + t^2) (pi/2 + arctan t) + t) / pi$

    with J of `gardner_overlap` and z normal (Candes and Sur 2020, 1804.09753, for these labels).
    Its minimum turns into

        $(1 - epsilon) arctan(pi / ((1 - epsilon) alpha_c)) + epsilon pi/2 = pi / alpha_c$

    Args:
        epsilon: share of facts, 0 to 1.

    Returns:
        $alpha_c$, from infinity (epsilon 0) down to 2 (epsilon 1, Cover 1965).

    Raises:
        ValueError: if epsilon is out of range.

    >>> separability_threshold(1.0), round(separability_threshold(0.5), 4)
    (2.0, 2.2453)
    """
    require_epsilon(epsilon)
    if epsilon == 0:
        return math.inf
    if epsilon == 1:
        return 2.0
    rule = 1 - epsilon

    def excess(log_x: float) -> float:
        # x = pi / alpha_c: x - rule arctan(x / rule) = epsilon pi / 2, the left side without
        # cancellation for small x / rule
        x = math.exp(log_x)
        ratio = x / rule
        if ratio < 1e-2:
            left = rule * ratio**3 * (1 / 3 - ratio**2 / 5 + ratio**4 / 7 - ratio**6 / 9)
        else:
            left = x - rule * math.atan(ratio)
        return math.log(left) - math.log(epsilon * math.pi / 2)

    log_x = float(np.asarray(optimize.brentq(excess, -230, 1, xtol=1e-14)))
    return math.pi * math.exp(-log_x)


def optimal_ridge(epsilon: float, mu1: float = 1.0, mu_star: float = 0.0) -> float:
    """The ridge of kernel ridge regression with the least error against the rule, for any alpha.

    $mu1^2 (pi / (2 (1-epsilon)^2) - 1) - mu_star^2$, or 0 (the limit from above) where that is
    negative: the noise of the labels beyond the linear part of the rule, less what the kernel's
    nonlinear part regularizes by itself. Derived for this project.

    Args:
        epsilon: share of facts, 0 to 1; infinite at 1, where there is no rule.
        mu1: linear coefficient of the kernel, > 0.
        mu_star: its nonlinear coefficient, >= 0.

    Raises:
        ValueError: for an argument out of range.

    >>> round(optimal_ridge(0.0), 4), optimal_ridge(0.0, 1.0, 2.0)
    (0.5708, 0.0)
    """
    require_positive("mu1", mu1)
    if not 0 <= mu_star < math.inf:
        raise ValueError(f"mu_star must be finite and >= 0, not {mu_star}")
    return max(0.0, mu1**2 * coincidence_ratio(epsilon) - mu_star**2)


def coincidence_ratio(epsilon: float) -> float:
    """$mu_star^2 / mu1^2$ at which the interpolating kernel is the one that generalizes best.

    $pi / (2 (1-epsilon)^2) - 1$: there the optimal ridge reaches 0, so that all facts are memorized
    and the error against the rule is the least that kernel ridge regression has, for any alpha.

    Args:
        epsilon: share of facts, 0 to 1; infinite at 1.

    Raises:
        ValueError: if epsilon is out of range.

    >>> round(coincidence_ratio(0.0), 4)
    0.5708
    """
    require_epsilon(epsilon)
    return math.pi / (2 * (1 - epsilon) ** 2) - 1 if epsilon < 1 else math.inf
