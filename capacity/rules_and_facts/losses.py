"""The losses of a margin, by what state evolution asks of them: the response to a field."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64
from scipy import special

Nodes = Float64[np.ndarray, " nodes"]
LossName = Literal["square", "hinge", "logistic"]


@dataclass(frozen=True)
class Loss:
    """A convex loss l of the margin z = y f(x).

    Attributes:
        slope: |l'(0)|.
        response: g(omega) = (prox(omega) - omega) / v and -g'(omega), of fields omega and of the
            response time v > 0, where prox(omega) = argmin_z (z - omega)^2 / (2 v) + l(z).
        bends: the fields between which g is smooth, for a v.
    """

    slope: float
    response: Callable[[Nodes, float], tuple[Nodes, Nodes]]
    bends: Callable[[float], Nodes]


def _square(omega: Nodes, v: float) -> tuple[Nodes, Nodes]:
    # l = (1 - z)^2 / 2: prox = (omega + v) / (1 + v)
    return (1 - omega) / (1 + v), np.full_like(omega, 1 / (1 + v))


def _hinge(omega: Nodes, v: float) -> tuple[Nodes, Nodes]:
    # l = max(0, 1 - z): prox = omega + v below 1 - v, 1 from there to 1, omega above
    g = np.clip((1 - omega) / v, 0.0, 1.0)
    return g, np.where((g > 0) & (g < 1), 1 / v, 0.0)


def _logistic(omega: Nodes, v: float) -> tuple[Nodes, Nodes]:
    """With l = ln(1 + e^-z), g = 1 / (1 + e^z) at the root z of F(z) = z - omega - v / (1 + e^z).

    F rises, is convex below 0 and concave above. Newton's steps from an end of the root's range,
    on the root's side of 0, run towards the root and never past it.
    """
    positive = omega + v / 2 > 0  # the root is: F(0) < 0
    z = np.where(positive, np.maximum(omega, 0.0), np.minimum(omega + v, 0.0))
    for _ in range(200):
        g = special.expit(-z)
        move = (z - omega - v * g) / (1 + v * g * (1 - g))
        z = z - move
        if np.all(np.abs(move) <= 1e-12 * (1 + np.abs(z))):
            break
    g = special.expit(-z)
    bend = g * special.expit(z)
    return g, bend / (1 + v * bend)


def _logistic_bends(v: float) -> Nodes:
    z = np.array([-16.0, -6.0, -2.0, 0.0, 2.0, 6.0, 16.0])
    return z - v * special.expit(-z)


def _nowhere(v: float) -> Nodes:
    return np.empty(0)


LOSSES: dict[LossName, Loss] = {
    "square": Loss(1.0, _square, _nowhere),
    "hinge": Loss(1.0, _hinge, lambda v: np.array([1 - v, 1.0])),
    "logistic": Loss(0.5, _logistic, _logistic_bends),
}


def _interpolate(omega: Nodes, v: float) -> tuple[Nodes, Nodes]:
    return (1 - omega) / v, np.full_like(omega, 1 / v)


def _separate(omega: Nodes, v: float) -> tuple[Nodes, Nodes]:
    return np.maximum(1 - omega, 0.0) / v, np.where(omega < 1, 1 / v, 0.0)


# Where the training data can be met exactly, a vanishing ridge leaves the least weights that do:
# z = 1 for the square loss, z >= 1 for the others (the largest margin). v and the conjugates are
# then in units of 1/ridge and ridge; |l'(0)| is infinite, no training point is wrong.
HARD: dict[LossName, Loss] = {
    "square": Loss(np.inf, _interpolate, _nowhere),
    "hinge": Loss(np.inf, _separate, lambda v: np.array([1.0])),
    "logistic": Loss(np.inf, _separate, lambda v: np.array([1.0])),
}
