"""Learners of labels from a Gram matrix, solved to a stated gap: what the theory is tested on."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from jaxtyping import Float64
from scipy import linalg, special

from factcap.capacity.rules_and_facts.losses import LOSSES

Gram = Float64[np.ndarray, "points points"]
Vector = Float64[np.ndarray, " points"]

TOLERANCE = 1e-8
_ITERATIONS = 100


@dataclass(frozen=True)
class Learned:
    """A learner $f(x) = sum_i c_i K(x, x_i)$ of the training points.

    Attributes:
        coefficients: c.
        margins: y f of the training points.
        gap: primal less dual objective, over the primal one: a bound on how far the objective is
            from the least. For the square loss, the largest residual of the linear equations.
        converged: whether the gap is at most 1e-8.
    """

    coefficients: Vector
    margins: Vector
    gap: float
    converged: bool


def fit(loss: str, gram: npt.ArrayLike, labels: npt.ArrayLike, ridge: float) -> Learned:
    """Minimize $sum l(y f) + (ridge/2) |f|^2$ over $f = K c$, with $|f|^2 = c.K c$.

    Square: (K + ridge) c = y, solved directly. Hinge: the dual quadratic program by an interior
    point method. Logistic: Newton's method with backtracking. All look at a matrix of points by
    points and take at most a few dozen factorizations of it.

    Args:
        loss: square, hinge or logistic, as for `solve`.
        gram: K, of inputs $(x.x' / d)$, of features or of a kernel; symmetric, no eigenvalue < 0.
        labels: -1 or 1 each.
        ridge: >= 0. At 0, the pseudo-inverse (square) or the largest margin (hinge), which is
            marked as not converged where the labels cannot be separated; logistic takes > 0.

    Raises:
        ValueError: for an argument of wrong shape or range, or with a value that is not finite.

    >>> one = fit("hinge", np.eye(2), np.array([1.0, -1.0]), 1e-3)
    >>> one.margins.round(4).tolist(), one.converged
    ([1.0, 1.0], True)
    """
    if loss not in LOSSES:
        raise ValueError(f"loss must be one of {', '.join(LOSSES)}, not {loss!r}")
    kernel, signs = np.asarray(gram, float), np.asarray(labels, float)
    if not (signs.ndim == 1 and len(signs) and np.all(np.abs(signs) == 1)):
        raise ValueError("labels must be a list of -1 and 1")
    if kernel.shape != (len(signs), len(signs)):
        raise ValueError(f"gram must be points by points, {len(signs)} each, not {kernel.shape}")
    if not np.all(np.isfinite(kernel)):
        raise ValueError("gram must be finite; it has a NaN or an infinity")
    if not (0 < ridge < math.inf or (ridge == 0 and loss != "logistic")):
        least = "> 0" if loss == "logistic" else ">= 0"
        raise ValueError(f"ridge must be finite and {least}, not {ridge}")
    return _FITS[loss](kernel, signs, ridge)


def _square(kernel: Gram, labels: Vector, ridge: float) -> Learned:
    if ridge:
        system = kernel + ridge * np.eye(len(labels))
        coefficients = linalg.solve(system, labels, assume_a="pos")
        rest = labels - system @ coefficients
    else:
        coefficients = linalg.pinvh(kernel, rtol=1e-10) @ labels
        rest = kernel @ (labels - kernel @ coefficients)  # of the normal equations
    gap = float(np.max(np.abs(rest)))
    return Learned(coefficients, labels * (kernel @ coefficients), gap, gap <= TOLERANCE)


def _logistic(kernel: Gram, labels: Vector, ridge: float) -> Learned:
    """Newton's method in u = y f; the dual variable of a point is a = -l'(u), in [0, 1].

    Gap: at w = K Y a / ridge the primal is sum ln(1 + e^-u) + Q, the dual sum h(a) - Q with
    h(a) = -a ln a - (1-a) ln(1-a) and Q = a.Y K Y a / (2 ridge).
    """
    signed = labels[:, None] * kernel * labels
    c = np.zeros(len(labels))  # u = signed c

    def objective(c: npt.NDArray, u: npt.NDArray) -> float:
        return float(np.logaddexp(0, -u).sum() + ridge / 2 * (c @ u))

    u, gap = signed @ c, math.inf
    for _ in range(_ITERATIONS):
        a = special.expit(-u)
        of_dual = signed @ a / ridge
        size = float(a @ of_dual) / 2
        primal = float(np.logaddexp(0, -of_dual).sum()) + size
        gap = 1 - float((special.entr(a) + special.entr(1 - a)).sum() - size) / primal
        if gap <= TOLERANCE:
            return Learned(labels * a / ridge, of_dual, gap, True)
        # ridge c = a at the optimum. Newton: (ridge + B S) dc = a - ridge c, B = a (1 - a),
        # with D = sqrt B in the symmetric form dc = (r - D (ridge + D S D)^-1 D S r) / ridge.
        rest, root = a - ridge * c, np.sqrt(a * (1 - a))
        system = root[:, None] * signed * root + ridge * np.eye(len(c))
        inner = linalg.solve(system, root * (signed @ rest), assume_a="pos")
        move = (rest - root * inner) / ridge
        along, now, step = signed @ move, objective(c, u), 1.0
        while objective(c + step * move, u + step * along) > now and step > 1e-6:
            step /= 2
        c, u = c + step * move, u + step * along
    return Learned(labels * c, u, gap, False)


def _hinge(kernel: Gram, labels: Vector, ridge: float) -> Learned:
    """The dual: max sum a - a.S a / (2 r), 0 <= a <= 1, S = Y K Y, r the ridge.

    At ridge 0 r = 1 and a has no upper bound. A primal-dual interior point method: Mehrotra's
    predictor and corrector for slacks s of a >= 0 and t of a <= 1.
    """
    hard = ridge == 0
    signed = labels[:, None] * kernel * labels / (ridge or 1.0)
    n = len(labels)
    a, s, t = np.full(n, 0.5), np.ones(n), np.zeros(n) if hard else np.ones(n)
    room = np.full(n, math.inf) if hard else 1 - a
    gap = math.inf
    for _ in range(_ITERATIONS):
        u = signed @ a
        if hard:  # the margin made 1 by scaling
            least = float(u.min())
            primal = float(a @ u) / (2 * least**2) if least > 0 else math.inf
        else:
            primal = float(a @ u) / 2 + float(np.maximum(1 - u, 0).sum())
        gap = 1 - (float(a.sum()) - float(a @ u) / 2) / primal
        if primal < math.inf and gap <= TOLERANCE:
            return Learned(labels * a / (ridge or 1.0), u, gap, True)
        if a.max() > 1e12:
            break  # not separable: the dual is unbounded
        system = signed + np.diag(s / a + t / room)
        try:
            factor = linalg.cho_factor(system, overwrite_a=True, check_finite=False)
        except linalg.LinAlgError:
            break  # the same, found on the way there
        rest = u - 1 - s + t
        mean = float(a @ s + (0 if hard else room @ t)) / (n if hard else 2 * n)

        # predictor: towards a s = room t = 0; corrector: towards what the predictor would leave
        newton = partial(_newton, factor, rest, s / a, t / room)
        da, ds, dt = newton(-s, -t)
        step = _reach((a, da), (s, ds), (room, -da), (t, dt))
        after = float((a + step * da) @ (s + step * ds))
        if not hard:
            after += float((room - step * da) @ (t + step * dt))
        aim = (after / (n if hard else 2 * n) / mean) ** 3 * mean
        da, ds, dt = newton((aim - da * ds) / a - s, (aim + da * dt) / room - t)
        step = 0.995 * _reach((a, da), (s, ds), (room, -da), (t, dt))
        a, s, t = a + step * da, s + step * ds, t + step * dt
        room = room if hard else room - step * da
    return Learned(labels * a / (ridge or 1.0), signed @ a, gap, False)


def _newton(
    factor: Any, rest: Vector, low_rate: Vector, high_rate: Vector, low: Vector, high: Vector
) -> tuple[Vector, Vector, Vector]:
    """Newton's moves of a, s and t, for the changes that s and t are to make where a stays."""
    move = linalg.cho_solve(factor, low - high - rest, check_finite=False)
    return move, low - low_rate * move, high + high_rate * move


def _reach(*pairs: tuple[npt.NDArray, npt.NDArray]) -> float:
    """The longest step, at most 1, that keeps each positive."""
    step = 1.0
    for value, move in pairs:
        down = move < 0
        if down.any():
            step = min(step, float(np.min(-value[down] / move[down])))
    return step


_FITS: dict[str, Callable[[Gram, Vector, float], Learned]] = {
    "square": _square,
    "hinge": _hinge,
    "logistic": _logistic,
}
