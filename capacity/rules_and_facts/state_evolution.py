"""State evolution of a convex learner of rules and facts, and its fixed point."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from jaxtyping import Float64
from scipy import optimize, special

from factcap.capacity.rules_and_facts.features import Features
from factcap.capacity.rules_and_facts.losses import Loss

TOLERANCE = 1e-9
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)
_REACH = 11.0  # standard deviations; beyond lies 1e-28 of a normal variable
_FIXED = np.array([-_REACH, -5.0, -2.0, 0.0, 2.0, 5.0, _REACH])
_FAR = 50.0  # in logarithms: what comes here has run away
_ROUNDS = 3
_STEPS = 25

Logs = Float64[np.ndarray, " parameters"]
Step = Callable[[Logs], Logs]


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
    probability that a point of field xi y is labeled y:
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

    Works in the logarithms of v, s and, where there is a rule, m. First from the start, or from
    numbers of order 1; where that fails, by continuation in alpha. It begins with few points, or
    with many if the ridge is 0, since few can then be met exactly and have no state.
    """
    size = 2 if epsilon == 1 else 3

    def step_at(load: float) -> Step:
        def step(logs: Logs) -> Logs:
            v, s, *m = np.exp(np.clip(logs, -_FAR, _FAR)).tolist()
            state = State(m[0] if m else 0.0, s, v)
            new = features.overlaps(*conjugates(loss, load, epsilon, state), ridge)
            m, s, v = (max(abs(value), 1e-300) for value in new)
            return np.log([v, s, m])[:size]

        return step

    step, cold = step_at(alpha), np.array([0.0, 0.0, -1.0])[:size]
    logs = cold
    if start is not None:
        logs = np.log([start.v, start.s, max(start.m, 1e-300)])[:size]
    logs = _iterate(step, logs)
    if not _residual(step, logs) < TOLERANCE:
        load = max(64.0, 8 * alpha) if ridge == 0 else min(0.05, alpha / 8)
        logs = _continue(step_at, load, alpha, cold)
    residual = _residual(step, logs)
    v, s, *m = np.exp(logs).tolist()
    inside = bool(np.all(np.abs(logs) < _FAR - 1))
    return FixedPoint(State(m[0] if m else 0.0, s, v), residual, inside and residual < TOLERANCE)


def _iterate(step: Step, logs: Logs) -> Logs:
    """Powell's hybrid method, then rounds of damped steps, each followed by it."""
    logs, damping = _polish(step, logs), 0.7
    for _ in range(_ROUNDS):
        last = math.inf
        for _ in range(_STEPS):
            move = step(logs) - logs
            residual = float(np.max(np.abs(move)))
            if residual < TOLERANCE:
                return logs
            damping = max(0.2, 0.7 * damping) if residual > last else min(1.0, 1.1 * damping)
            logs, last = np.clip(logs + damping * move, -_FAR, _FAR), residual
        logs = _polish(step, logs)
    return logs


def _continue(step_at: Callable[[float], Step], load: float, alpha: float, logs: Logs) -> Logs:
    """From a load to alpha, each point extrapolated from the two before; halved where it fails."""
    logs = _iterate(step_at(load), logs)
    stride, slope = math.log(alpha / load) / 8, np.zeros_like(logs)
    while load != alpha and abs(stride) > 1e-5:
        last = abs(math.log(alpha / load)) <= abs(stride) * (1 + 1e-9)
        new = alpha if last else load * math.exp(stride)
        step = step_at(new)
        found = _polish(step, logs + slope * math.log(new / load))
        if _residual(step, found) < TOLERANCE:
            slope, stride = (found - logs) / math.log(new / load), 1.5 * stride
            load, logs = new, found
        else:
            stride /= 2
    return logs


def _residual(step: Step, logs: Logs) -> float:
    return float(np.max(np.abs(step(logs) - logs)))


def _polish(step: Step, logs: Logs) -> Logs:
    """The root of step(logs) - logs that the hybrid method finds, if it is better."""
    found = optimize.root(
        lambda x: step(x) - x, logs, method="hybr", options={"xtol": 1e-13, "maxfev": 120}
    ).x
    if not np.all(np.abs(found) < _FAR):
        return logs
    return found if _residual(step, found) < _residual(step, logs) else logs
