"""The features of a learner: inputs, a kernel's, or finitely many random ones."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

_ANGLES = 400


@dataclass(frozen=True)
class Features:
    """Features s(F x / sqrt(d)), p of them, or the kernel of infinitely many.

    They act as mu1 F x / sqrt(d) + mu_star z, with z independent noise (the mean mu0 adds a
    constant that balanced labels do not use). A linear learner has mu1 = 1, mu_star = 0.

    Attributes:
        mu1: weight of the linear part, > 0.
        mu_star: weight of the rest, >= 0.
        width: p / d; infinite for a kernel.
    """

    mu1: float
    mu_star: float
    width: float

    def overlaps(self, mh: float, qh: float, vh: float, ridge: float) -> tuple[float, float, float]:
        """m, s = q - m^2 and V for the conjugates of m, q and V.

        Kernel: the linear part is a linear learner's with the ridge over mu1^2, the noise adds
        mu_star^2 / ridge to V. Random features: Gerace et al. 2020 (2002.09339), as the Gaussian
        covariates of Loureiro et al. 2021 (2102.08127) with covariance A + mu_star^2,
        A = mu1^2 F F^T / d, whose eigenvalues follow Marchenko and Pastur.
        """
        if self.width == math.inf:
            gain = 1 / (ridge / self.mu1**2 + vh)
            noise = self.mu_star**2 / ridge if self.mu_star else 0.0
            return gain * mh, gain**2 * qh, gain + noise
        linear, weight = self._linear_spectrum()
        omega = linear + self.mu_star**2
        there = omega > 0  # a feature that is always 0 takes no part
        linear, weight, omega = linear[there], weight[there], omega[there]
        spread = ridge + vh / self.width * omega
        # v = <omega / D>, m = mh <a / D>, D = ridge + (n/p) ... omega, <> over the spectrum
        v = float(weight @ (omega / spread))
        m = mh * float(weight @ (linear / spread))
        q = float(weight @ (omega * (qh * omega + mh**2 * linear) / spread**2)) / self.width
        return m, max(q - m**2, 1e-300), v

    def rank(self) -> float:
        """Independent features over d."""
        return self.width if self.mu_star else min(1.0, self.width)

    def _linear_spectrum(self) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " n"]]:
        """Eigenvalues of A and their shares: the bulk in the angle, and 0 where p > d."""
        angle = (np.arange(_ANGLES) + 0.5) * math.pi / _ANGLES
        x = 1 + self.width + 2 * math.sqrt(self.width) * np.cos(angle)
        share = 2 / _ANGLES * np.sin(angle) ** 2 / x
        zero = max(0.0, 1 - 1 / self.width)
        return self.mu1**2 * np.append(x, 0.0), np.append(share, zero)
