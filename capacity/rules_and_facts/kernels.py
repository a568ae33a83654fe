"""The two numbers of a kernel or an activation that matter for rules and facts."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import integrate, special

from factcap.capacity.arguments import require_positive, require_whole

Function = Callable[[npt.NDArray], npt.NDArray]

_REACH = 12.0  # standard deviations

# The activations that are known by name.
ACTIVATIONS: dict[str, Function] = {
    "relu": lambda z: np.maximum(z, 0.0),
    "erf": special.erf,
    "tanh": np.tanh,
    "sign": np.sign,
}


@dataclass(frozen=True)
class KernelCoefficients:
    """How a kernel of inputs in high dimension splits into mean, linear part and the rest.

    $kappa(x.x' / d)$ acts as $mu0^2 + mu1^2 x.x' / d + mu_star^2 [x = x']$.

    Attributes:
        mu0: >= 0 for a kernel.
        mu1: >= 0.
        mu_star: >= 0.
    """

    mu0: float
    mu1: float
    mu_star: float

    @property
    def ratio(self) -> float:
        """$mu_star^2 / mu1^2$; infinite without a linear part."""
        return (self.mu_star / self.mu1) ** 2 if self.mu1 else math.inf


def kernel_coefficients(
    activation: str | Function | None = None, *, kernel: Function | None = None
) -> KernelCoefficients:
    """mu0, mu1 and $mu_star$, from an activation s or from a kernel kappa of $x.x' / d$.

    With z normal: $mu0 = E s$, $mu1 = |E z s|$, $mu_star^2 = E s^2 - mu0^2 - mu1^2$. From the
    kernel: $mu0^2 = kappa(0)$, $mu1^2 = kappa'(0)$, $mu_star^2 = kappa(1) - kappa(0) - kappa'(0)$.

    Args:
        activation: a function of arrays, or the name of one in `ACTIVATIONS`.
        kernel: kappa, a function of arrays that is smooth at 0; inputs have length $sqrt d$.

    Raises:
        ValueError: unless there is exactly one of the two, with a finite second moment and
            coefficients that are not negative.

    >>> round(kernel_coefficients("sign").ratio, 4)  # pi / 2 - 1
    0.5708
    """
    if (activation is None) == (kernel is None):
        raise ValueError("give either activation or kernel")
    if activation is not None:
        return _of_activation(activation)
    assert kernel is not None
    ends = np.asarray(kernel(np.array([0.0, 1.0])), float)
    zero, one, slope = float(ends[0]), float(ends[1]), _derivative(kernel)
    rounding = 1e-9 * max(abs(one), abs(zero))
    squares = [zero, slope, one - zero - slope]
    names = ("kappa(0)", "kappa'(0)", "kappa(1) - kappa(0) - kappa'(0)")
    for name, square in zip(names, squares, strict=True):
        if not -rounding <= square < math.inf:
            raise ValueError(f"kernel must have coefficients >= 0, but {name} is {square:g}")
    mu0, mu1, mu_star = (math.sqrt(square) if square > rounding else 0.0 for square in squares)
    return KernelCoefficients(mu0, mu1, mu_star)


def _of_activation(activation: str | Function) -> KernelCoefficients:
    if isinstance(activation, str):
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}, or a function")
        activation = ACTIVATIONS[activation]

    def average(function: Function) -> float:
        """E function(z), on both sides of 0, where most activations have their bend."""
        sides = (
            integrate.quad(
                lambda z: (
                    float(np.asarray(function(np.array([z])))[0])
                    * math.exp(-(z**2) / 2)
                    / math.sqrt(2 * math.pi)
                ),
                *side,
                epsabs=1e-12,
                limit=200,
                full_output=1,
            )[0]
            for side in ((-_REACH, 0.0), (0.0, _REACH))
        )
        return sum(sides)

    s = activation
    mu0, mu1 = average(s), average(lambda z: z * np.asarray(s(z)))
    second = average(lambda z: np.asarray(s(z)) ** 2)
    last = np.abs(np.asarray(s(np.array([-_REACH, _REACH])))).max()
    if not (second < math.inf and last**2 * math.exp(-(_REACH**2) / 2) <= 1e-9 * (1 + second)):
        raise ValueError("activation must have a finite second moment under a normal variable")
    rest = second - mu0**2 - mu1**2
    return KernelCoefficients(mu0, abs(mu1), math.sqrt(rest) if rest > 1e-11 * second else 0.0)


def _derivative(kernel: Function) -> float:
    """kappa'(0) by Ridders's method: central differences, extrapolated to step 0."""
    steps = 0.5 * 0.5 ** np.arange(12)
    up, down = (np.asarray(kernel(sign * steps), float) for sign in (1, -1))
    row = (up - down) / (2 * steps)
    best, error = float(row[0]), math.inf
    for order in range(1, len(steps)):
        row = row[1:] + np.diff(row) / (4.0**order - 1)
        changes = np.abs(np.diff(row))
        if len(changes) and changes.min() < error:
            error, best = float(changes.min()), float(row[1:][changes.argmin()])
    return best


def rbf_kernel(bandwidth: float) -> Function:
    """$exp(-|x - x'|^2 / (2 bandwidth^2 d))$ as a function of $x.x' / d$.

    Args:
        bandwidth: in units of $sqrt d$, the length of the inputs; > 0.

    Raises:
        ValueError: if it is not positive.

    >>> rbf_kernel(1.0)(np.array([1.0])).tolist()
    [1.0]
    """
    require_positive("bandwidth", bandwidth)
    return lambda t: np.exp((t - 1) / bandwidth**2)


def arc_cosine_kernel(order: int) -> Function:
    """$2 E s(w.x) s(w.x')$ of the activation $s(z) = z^order [z > 0]$, inputs of length $sqrt d$.

    $J(theta) / pi$ with $theta = arccos(x.x' / d)$; order 0 is the step's kernel, 1 the ReLU's (Cho
    and Saul 2009).

    Args:
        order: 0, 1 or 2.

    Raises:
        ValueError: for another order.

    >>> arc_cosine_kernel(1)(np.array([-1.0, 1.0])).tolist()
    [0.0, 1.0]
    """
    if require_whole("order", order, least=0, most=2) == 0:
        return lambda t: 1 - np.arccos(np.clip(t, -1.0, 1.0)) / math.pi

    def kernel(t: npt.NDArray) -> npt.NDArray:
        t = np.clip(t, -1.0, 1.0)
        theta, sine = np.arccos(t), np.sqrt(1 - t**2)
        if order == 1:
            return (sine + (math.pi - theta) * t) / math.pi
        return (3 * sine * t + (math.pi - theta) * (1 + 2 * t**2)) / math.pi

    return kernel
