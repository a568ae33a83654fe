"""State evolution of a convex learner of rules and facts, and its fixed point."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from jaxtyping import Float64
from scipy import optimize, special

from capacity.rules_and_facts.features import Features
from capacity.rules_and_facts.losses import Loss

TOLERANCE = 1e-9
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)
_REACH = 11.0  # standard deviations; beyond lies 1e-28 of a normal variable
_FIXED = np.array([-_REACH, -5.0, -2.0, 0.0, 2.0, 5.0, _REACH])
_FAR = 60.0  # in logarithms: what comes here has run away
_ROUNDS = 12
_STEPS = 25


@dataclass(frozen=True)
class State:
    """The order parameters of a learner.

    Attributes:
        m: overlap of its weights with the rule's, >= 0.
        s: q - m^2, > 0: the part of its field's variance q that is not of the rule.
        v: response of its field to a force on one training point, > 0.
    """

    m: float
    s: float
    v: float


@dataclass(frozen=True)
class FixedPoint:
    """Where the iteration ended.

    Attributes:
        state: the order parameters there.
        residual: the largest change of their logarithms at one more step.
        converged: whether that is below `TOLERANCE`.
    """

    state: State
    residual: float
    converged: bool


def normal_nodes(
    bends: npt.ArrayLike,
) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " n"]]:
    """Nodes and weights of the average over a normal variable of what is smooth between bends."""
    edges = np.union1d(_FIXED, np.clip(bends, -_REACH, _REACH))
    half = np.diff(edges)[:, None] / 2
    x = (edges[:-1, None] + half * (1 + _NODES)).ravel()
    weight = (half * _WEIGHTS).ravel() * np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    return x, weight


def conjugates(
    loss: Loss, alpha: float, epsilon: float, state: State
) -> tuple[float, float, float]:
    """The conjugates of m, q and V, of a loss and a state.

    With xi normal, a = m / sqrt(s), and W(xi) = 1 + (1 - epsilon) erf(a xi / sqrt 2), twice the
    probability that a point of field xi y is labelled y:
    mh = alpha (1 - epsilon) sqrt(2/pi) E g(sqrt(s) xi), qh = alpha E[W g(sqrt(q) xi)^2],
    vh = -alpha E[W g'(sqrt(q) xi)].
    """
    root_s, root_q = math.sqrt(state.s), math.hypot(state.m, math.sqrt(state.s))
    bends = loss.bends(state.v)
    width = root_s / state.m if state.m else _REACH  # of the step of W
    x, weight = normal_nodes([*(bends / root_q), -6 * width, -2 * width, 2 * width, 6 * width])
    g, slope = loss.response(root_q * x, state.v)
    weight = weight * (1 + (1 - epsilon) * special.erf(x / (width * math.sqrt(2))) * (state.m > 0))
    # far from the fixed point the loss may be flat everywhere
    qh, vh = alpha * float(weight @ g**2), max(alpha * float(weight @ slope), 1e-50)
    if epsilon == 1:
        return 0.0, qh, vh
    x, weight = normal_nodes(bends / root_s)
    g, _ = loss.response(root_s * x, state.v)
    return alpha * (1 - epsilon) * math.sqrt(2 / math.pi) * float(weight @ g), qh, vh


def fixed_point(
    loss: Loss,
    features: Features,
    alpha: float,
    epsilon: float,
    ridge: float,
    start: State | None = None,
) -> FixedPoint:
    """Iterate overlaps(conjugates(state)) to its fixed point, which convexity makes unique.

    Works in the logarithms of v, s and, where there is a rule, m: first Powell's hybrid method if
    there is a start, then rounds of damped steps, each followed by that method.
    """
    size = 2 if epsilon == 1 else 3

    def step(logs: npt.NDArray) -> npt.NDArray:
        v, s, *m = np.exp(np.clip(logs, -_FAR, _FAR)).tolist()
        state = State(m[0] if m else 0.0, s, v)
        new = features.overlaps(*conjugates(loss, alpha, epsilon, state), ridge)
        m, s, v = (max(abs(value), 1e-300) for value in new)
        return np.log([v, s, m])[:size]

    logs = np.array([0.0, 0.0, -1.0])[:size]
    if start is not None:
        logs = np.log([start.v, start.s, max(start.m, 1e-300)])[:size]
        logs = _polish(step, logs)
    best, damping = logs, 0.7
    for _ in range(_ROUNDS):
        last = math.inf
        for _ in range(_STEPS):
            move = step(logs) - logs
            residual = float(np.max(np.abs(move)))
            if residual < TOLERANCE:
                break
            damping = max(0.2, 0.7 * damping) if residual > last else min(1.0, 1.1 * damping)
            logs, last = np.clip(logs + damping * move, -_FAR, _FAR), residual
        best = _polish(step, logs)
        if _residual(step, best) < TOLERANCE:
            break
    v, s, *m = np.exp(best).tolist()
    residual = _residual(step, best)
    inside = bool(np.all(np.abs(best) < _FAR - 1))
    return FixedPoint(State(m[0] if m else 0.0, s, v), residual, inside and residual < TOLERANCE)


def _residual(step: Callable, logs: npt.NDArray) -> float:
    return float(np.max(np.abs(step(logs) - logs)))


def _polish(step: Callable, logs: npt.NDArray) -> npt.NDArray:
    """The root of step(logs) - logs that the hybrid method finds, if it is better."""
    found = optimize.root(
        lambda x: step(x) - x, logs, method="hybr", options={"xtol": 1e-13, "maxfev": 120}
    ).x
    if not np.all(np.abs(found) < _FAR):
        return logs
    return found if _residual(step, found) < _residual(step, logs) else logs
