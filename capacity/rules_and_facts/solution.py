"""What a learner of rules and facts ends with: its errors, from the fixed point."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import special

from factcap.capacity.arguments import require_positive
from factcap.capacity.rules_and_facts.features import Features
from factcap.capacity.rules_and_facts.losses import HARD, LOSSES, Loss, LossName
from factcap.capacity.rules_and_facts.optimum import require_epsilon, separability_threshold
from factcap.capacity.rules_and_facts.state_evolution import FixedPoint, State, fixed_point


class ConvergenceWarning(UserWarning):
    """The solver did not converge; its numbers are marked and not to be trusted."""


@dataclass(frozen=True)
class Solution:
    """The state of a learner at $d -> infinity$.

    Attributes:
        generalization_error: against the rule, without noise, on a new input.
        memorization_error: on the training points that are facts.
        rule_training_error: on the training points that follow the rule.
        m: overlap with the rule, $E[f nu]$ for the rule's field $nu = w*.x / sqrt d$.
        q: $E f^2$ on a new input.
        v: response of f at a training point; infinite where a vanishing ridge meets every label.
        residual: of the last step, in logarithms; 0 for a closed form.
        converged: whether the residual is below 1e-9.
        state: what a next point can start from.
    """

    generalization_error: float
    memorization_error: float
    rule_training_error: float
    m: float
    q: float
    v: float
    residual: float
    converged: bool
    state: State


def solve(
    *,
    loss: LossName,
    alpha: float,
    epsilon: float,
    ridge: float,
    mu1: float = 1.0,
    mu_star: float = 0.0,
    width: float = math.inf,
    start: Solution | None = None,
) -> Solution:
    """The errors of the learner that minimizes $sum l(y f(x)) + (ridge/2) |w|^2$.

    Replica-symmetric, which is exact for convex losses. The square loss of a linear or kernel
    learner is solved in closed form, the rest by state evolution. Ridge 0 is the limit from above:
    where all labels can be met, the interpolation of least norm (square), or the largest margin
    (hinge, and logistic in direction: m and q are those of margin 1).

    Warns (`ConvergenceWarning`) if the fixed point was not found, which happens next to the load
    where ridge 0 stops meeting all labels, since q diverges there.

    Args:
        loss: $l(z)$ is $(1 - z)^2 / 2$, $max(0, 1 - z)$ or $ln(1 + e^-z)$.
        alpha: training points a dimension, > 0.
        epsilon: share of facts, 0 to 1.
        ridge: >= 0; of the sum of the losses, not their mean.
        mu1: linear coefficient of the kernel or activation, > 0; 1 for a linear learner.
        mu_star: its nonlinear coefficient, >= 0; 0 for a linear learner.
        width: random features a dimension, > 0; infinite for a linear learner or a kernel.
        start: solution of a near point.

    Raises:
        ValueError: for an argument out of range.

    >>> found = solve(loss="square", alpha=2.0, epsilon=0.2, ridge=0.5)
    >>> round(found.generalization_error, 4), round(found.memorization_error, 4), found.converged
    (0.2527, 0.1955, True)
    """
    _check(loss, alpha, epsilon, ridge, mu1, mu_star, width)
    features = Features(mu1, mu_star, width)
    chosen = start.state if start is not None and start.converged else None
    if loss == "square" and width == math.inf:
        hard = ridge == 0 and (mu_star > 0 or alpha < 1)
        return _solution(_closed_form(features, alpha, epsilon, ridge, hard), LOSSES[loss], hard)
    hard = False if ridge else _meets_all(loss, alpha, epsilon, features)
    if hard is None:  # no formula: where labels cannot all be met, the largest margin has no state
        found = fixed_point(HARD[loss], features, alpha, epsilon, 1.0, chosen)
        hard = found.converged
        if not hard:
            found = fixed_point(LOSSES[loss], features, alpha, epsilon, 0.0, chosen)
    else:
        rule, strength = (HARD[loss], 1.0) if hard else (LOSSES[loss], ridge)
        found = fixed_point(rule, features, alpha, epsilon, strength, chosen)
    if not found.converged:
        warnings.warn(
            f"no fixed point for loss {loss}, alpha {alpha:g}, epsilon {epsilon:g}, ridge "
            f"{ridge:g}: residual {found.residual:.1e}",
            ConvergenceWarning,
            stacklevel=2,
        )
    return _solution(found, LOSSES[loss], hard)


def solve_curve(
    *,
    loss: LossName,
    alpha: Sequence[float],
    epsilon: float,
    ridge: float,
    mu1: float = 1.0,
    mu_star: float = 0.0,
    width: float = math.inf,
) -> list[Solution]:
    """`solve` for each alpha in the order given, each from the last: a continuation.

    Raises:
        ValueError: as `solve`.
    """
    found: list[Solution] = []
    for load in alpha:
        found.append(
            solve(
                loss=loss,
                alpha=float(load),
                epsilon=epsilon,
                ridge=ridge,
                mu1=mu1,
                mu_star=mu_star,
                width=width,
                start=found[-1] if found else None,
            )
        )
    return found


def _meets_all(loss: str, alpha: float, epsilon: float, features: Features) -> bool | None:
    """Whether the learner can meet all labels; None where no formula says so."""
    if features.width == math.inf:
        return features.mu_star > 0 or alpha < separability_threshold(epsilon)
    return alpha < features.rank() if loss == "square" else None


def _closed_form(
    features: Features, alpha: float, epsilon: float, ridge: float, hard: bool
) -> FixedPoint:
    """The square loss of a linear or kernel learner.

    With g = (1 - omega) / (u + v), u = 1 (0 for interpolation), the conjugates are
    vh = alpha / (u + v), mh = c vh, qh = alpha (1 - 2 c m + q) / (u + v)^2,
    c = sqrt(2/pi) (1 - epsilon). So V solves (V - noise) (ridge / mu1^2 + vh) = 1, a quadratic.
    """
    u = 0.0 if hard else 1.0
    if hard:
        ridge = 1.0
    scaled = ridge / features.mu1**2
    noise = features.mu_star**2 / ridge if features.mu_star else 0.0
    c = math.sqrt(2 / math.pi) * (1 - epsilon)
    if scaled == 0:  # alpha >= 1, and no noise
        v = u / (alpha - 1) if alpha > 1 else math.inf
        gain = 1 / alpha
    else:
        # scaled V^2 - half V - last = 0
        half = 1 + noise * scaled - alpha - u * scaled
        last = u + noise * (u * scaled + alpha)
        root = math.sqrt(half**2 + 4 * scaled * last)
        v = (half + root) / (2 * scaled) if half > 0 else 2 * last / (root - half)
        gain = (v - noise) / (u + v)
    m = c * alpha * gain
    k = alpha * gain**2
    s = k * (1 - 2 * c * m + m**2) / (1 - k) if k < 1 else math.inf
    return FixedPoint(State(m, s, v), 0.0, True)


def _solution(found: FixedPoint, loss: Loss, hard: bool) -> Solution:
    """The errors at a state.

    A trained point has f y = prox(omega y) < 0 where omega y < -v |l'(0)|. Its omega y is normal
    for a fact; for a point that follows the rule its density is 2 Phi(a x) phi(x),
    a = m / sqrt(s), in units of sqrt(q), so that it lies below x with probability
    Phi(x) - 2 T(x, a), T Owen's function.
    """
    m, s, v = found.state.m, found.state.s, found.state.v
    q = m**2 + s
    lost = 0.0, 0.0
    if not (hard or v == math.inf):
        x = -v * loss.slope / math.sqrt(q)
        fact = float(special.ndtr(x))
        lost = fact, max(0.0, fact - 2 * float(special.owens_t(x, m / math.sqrt(s))))
    return Solution(
        generalization_error=math.atan2(math.sqrt(s), m) / math.pi,
        memorization_error=lost[0],
        rule_training_error=lost[1],
        m=m,
        q=q,
        v=math.inf if hard else v,
        residual=found.residual,
        converged=found.converged,
        state=found.state,
    )


def _check(
    loss: str,
    alpha: float,
    epsilon: float,
    ridge: float,
    mu1: float,
    mu_star: float,
    width: float,
) -> None:
    if loss not in LOSSES:
        raise ValueError(f"loss must be one of {', '.join(LOSSES)}, not {loss!r}")
    require_positive("alpha", alpha)
    require_epsilon(epsilon)
    for name, value in (("ridge", ridge), ("mu_star", mu_star)):
        if not 0 <= value < math.inf:
            raise ValueError(f"{name} must be finite and >= 0, not {value}")
    require_positive("mu1", mu1)
    if not width > 0:
        raise ValueError(f"width must be > 0, not {width}")
