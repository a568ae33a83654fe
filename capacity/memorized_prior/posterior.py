"""The posterior under the mixture prior: exact for a linear operator, linearized for others."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from jaxtyping import Float64, Int64
from scipy import special

from factcap.capacity.arguments import require_whole
from factcap.capacity.memorized_prior.arrays import blocks, require_array, require_noise


@dataclass(frozen=True)
class MixturePosterior:
    """$p(x | y) = sum_n w_n N(x; mu_n, Sigma_n)$, one component a training point.

    With J_n = U diag(s) V and $t = sqrt(sigma^2 s^2 + gamma^2)$, so that $t^2$ are the eigenvalues
    of $S_n = sigma^2 J_n J_n^T + gamma^2 I$, the posterior differs from the prior along the `rank`
    rows of V alone: sd $sigma gamma / t$ in place of sigma. No d x d matrix is made.

    Attributes:
        points: $x_n$.
        noise: sigma, of the prior.
        log_weights: $ln w_n$, normalized; may be below -700, where $w_n$ is 0.
        log_evidence: $ln p(y)$, in nats.
        directions: V of each component, or once where the Jacobian is the same for all. As large
            as the Jacobian.
        shifts: $(mu_n - x_n)$ along them.
        shrinkage: $gamma / t$, the posterior's sd over the prior's along them.
    """

    points: Float64[np.ndarray, "points dimension"]
    noise: float
    log_weights: Float64[np.ndarray, " points"]
    log_evidence: float
    directions: Float64[np.ndarray, "jacobians rank dimension"]
    shifts: Float64[np.ndarray, "points rank"]
    shrinkage: Float64[np.ndarray, "jacobians rank"]

    @property
    def weights(self) -> Float64[np.ndarray, " points"]:
        """$w_n$; they sum to 1."""
        return np.exp(self.log_weights)

    def means(self) -> Float64[np.ndarray, "points dimension"]:
        """$mu_n = x_n + Sigma_n J_n^T r_n / gamma^2$ of all components."""
        return np.concatenate([self._means(rows) for rows in self._blocks()])

    def mean(self) -> Float64[np.ndarray, " dimension"]:
        """$E[x | y] = sum_n w_n mu_n$."""
        return np.sum([self.weights[rows] @ self._means(rows) for rows in self._blocks()], axis=0)

    def covariance_times(
        self, component: int, vectors: npt.ArrayLike
    ) -> Float64[np.ndarray, "*vectors dimension"]:
        """$Sigma_n v$ for one vector (d) or several, a row each.

        Raises:
            ValueError: if there is no such component, or for vectors that are not finite or of
                another shape.
        """
        require_whole("component", component, least=0, most=len(self.points) - 1)
        free = [None] * (np.ndim(vectors) - 1)
        v = require_array("vectors", vectors, *free, self.points.shape[1])
        directions, shrinkage = self._factors(np.array([component]))
        scaled = _scale(np.atleast_2d(v), directions, shrinkage**2)
        return scaled.reshape(v.shape) * self.noise * self.noise

    def draw(
        self, count: int, rng: np.random.Generator
    ) -> tuple[Float64[np.ndarray, "count dimension"], Int64[np.ndarray, " count"]]:
        """Independent samples of x given y, and the component of each.

        Raises:
            ValueError: if the count is not a whole number of at least 1.
        """
        count = require_whole("count", count)
        component = rng.choice(len(self.points), size=count, p=self.weights)
        samples = np.empty((count, self.points.shape[1]))
        for rows in blocks(count, self._width()):
            which = component[rows]
            noise = rng.standard_normal((len(which), self.points.shape[1]))
            # V^T diag(gamma / t) V + (I - V^T V) is a square root of Sigma / sigma^2
            noise = _scale(noise, *self._factors(which))
            samples[rows] = self._means(which) + self.noise * noise
        return samples, component

    def log_density(self, queries: npt.ArrayLike) -> Float64[np.ndarray, " queries"]:
        """Log of $p(x | y)$, in nats, a query a row; time as queries x points x d x rank.

        Raises:
            ValueError: for queries that are not finite or of another shape.
        """
        x = require_array("queries", queries, None, self.points.shape[1])
        found = np.full(len(x), -math.inf)
        size = x.shape[1] * math.log(math.sqrt(2 * math.pi) * self.noise)
        for few in self._blocks():
            means = self._means(few)[:, None]
            directions, shrinkage = self._factors(few)
            # ln |Sigma_n|^(1/2) is this more than the prior's
            volume = np.log(shrinkage).sum(axis=1)
            for rows in blocks(len(x), means.size):
                away = (x[None, rows] - means) / self.noise
                along = away @ directions.swapaxes(1, 2)
                # Sigma_n^-1 = (I + V^T (1/shrinkage^2 - 1) V) / sigma^2
                with np.errstate(over="ignore"):  # a density of 0 then
                    precise = (along / shrinkage[:, None]) ** 2 * (1 - shrinkage[:, None] ** 2)
                square = np.einsum("nqd,nqd->nq", away, away) + precise.sum(axis=2)
                logs = (self.log_weights[few] - volume)[:, None] - square / 2 - size
                total = np.asarray(special.logsumexp(logs, axis=0))
                found[rows] = np.logaddexp(found[rows], total)
        return found

    def _means(self, which) -> Float64[np.ndarray, "some dimension"]:
        directions, _ = self._factors(which)
        return self.points[which] + _times(self.shifts[which], directions)

    def _factors(self, which):
        """Directions and shrinkage of these components, or the ones that all share."""
        if len(self.directions) == 1:
            return self.directions, self.shrinkage
        return self.directions[which], self.shrinkage[which]

    def _blocks(self) -> Iterator[slice]:
        return blocks(len(self.points), self._width())

    def _width(self) -> int:
        """Numbers of one component."""
        rank, dimension = self.directions.shape[1:]
        return dimension * (rank + 1) if len(self.directions) > 1 else dimension


@dataclass(frozen=True)
class _Root:
    """S_n^(-1/2), up to a rotation, of some points or of all.

    Attributes:
        left: U.
        scale: t.
        gamma: the scale of what U leaves.
    """

    left: Float64[np.ndarray, "jacobians m rank"]
    scale: Float64[np.ndarray, "jacobians rank"]
    gamma: float

    def whiten(self, vectors):
        """Rows with the squared length v^T S_n^-1 v."""
        along = _times(vectors, self.left)
        _, m, rank = self.left.shape
        if m == rank:
            return along / self.scale
        rest = vectors - _times(along, self.left.swapaxes(1, 2))
        return np.concatenate([along / self.scale, rest / self.gamma], axis=1)

    def half_log_det(self):
        """Log of |S_n|^(1/2)."""
        _, m, rank = self.left.shape
        return np.log(self.scale).sum(axis=1) + (m - rank) * math.log(self.gamma)


def _times(rows, matrices):
    """Each row times its matrix, or all times the only one."""
    return rows @ matrices[0] if len(matrices) == 1 else (rows[:, None] @ matrices)[:, 0]


def _scale(vectors, directions, factor):
    """V^T diag(factor) V v + (I - V^T V) v, for vectors as rows."""
    along = _times(vectors, directions.swapaxes(1, 2))
    scaled = _times(along * factor, directions)
    if directions.shape[1] == directions.shape[2]:
        return scaled  # the rest is 0, and would be rounding
    return scaled + (vectors - _times(along, directions))


def linear_posterior(
    points: npt.ArrayLike,
    operator: npt.ArrayLike,
    observation: npt.ArrayLike,
    noise: float,
    observation_noise: float,
) -> MixturePosterior:
    """The exact posterior for $y = A x$ + noise under the mixture prior.

    `mixture_posterior` with $F(x) = A x$ and $J = A$.

    Args:
        points: $x_1 .. x_N$, points x d.
        operator: A, m x d, of any rank.
        observation: y, m.
        noise: sigma, > 0.
        observation_noise: gamma, > 0.

    Raises:
        ValueError: for an argument that is not finite, out of range or of another shape.

    >>> linear_posterior([[-1.0], [1.0]], [[1.0]], [1.0], 1.0, 1.0).mean().round(3).tolist()
    [0.731]
    """
    point = require_array("points", points, None, None)
    matrix = require_array("operator", operator, None, point.shape[1])
    return mixture_posterior(point, point @ matrix.T, matrix, observation, noise, observation_noise)


def mixture_posterior(
    points: npt.ArrayLike,
    outputs: npt.ArrayLike,
    jacobian: npt.ArrayLike,
    observation: npt.ArrayLike,
    noise: float,
    observation_noise: float,
) -> MixturePosterior:
    """The posterior for $y = F(x)$ + noise under the mixture prior, F linearized at each point.

    With $r_n = y - F(x_n)$ and $S_n = sigma^2 J_n J_n^T + gamma^2 I$ (2603.19629):

        $Sigma_n = (I/sigma^2 + J_n^T J_n/gamma^2)^-1$

        $mu_n = x_n + sigma^2 J_n^T S_n^-1 r_n$

        $w_n prop |S_n|^(-1/2) exp(-r_n^T S_n^-1 r_n / 2)$

    Exact where F is affine with these Jacobians. Otherwise the error is that of leaving out the
    second derivative H over the width of a component: as $sigma -> 0$, of order $sigma^2 r_n^T H /
    gamma^2$ in $ln w_n$ and in the evidence, and $sigma^4$ in the means.

    The determinant matters exactly where the Jacobians differ. For one linear F it is the same
    for all points and cancels from the weights, though not from the evidence. For a non-linear F,
    or an operator of each point's own, leaving it out favors points where F is steep, by up to
    the ratio of the volumes $|S_n|^(1/2)$; little where sigma |J_n| is small beside gamma.

    Everything comes from the singular values of $J_n$, so its rank does not matter, nor which of
    gamma and sigma |J| is larger. Time is that of N singular value decompositions of m x d, or of
    one.

    Args:
        points: $x_1 .. x_N$, points x d.
        outputs: $F(x_n)$, points x m.
        jacobian: $J_n = dF/dx$ at $x_n$, points x m x d, or m x d where it is the same at all.
        observation: y, m.
        noise: sigma, of the prior, > 0.
        observation_noise: gamma, > 0.

    Raises:
        ValueError: for an argument that is not finite, out of range or of another shape.
    """
    point = require_array("points", points, None, None)
    count, dimension = point.shape
    output = require_array("outputs", outputs, count, None)
    m = output.shape[1]
    seen = require_array("observation", observation, m)
    shared = np.ndim(jacobian) == 2
    axes = (m, dimension) if shared else (count, m, dimension)
    derivative = require_array("jacobian", jacobian, *axes).reshape(-1, m, dimension)
    sigma = require_noise("noise", noise)
    gamma = require_noise("observation_noise", observation_noise)

    rank = min(m, dimension)
    directions = np.empty((len(derivative), rank, dimension))
    shrinkage = np.empty((len(derivative), rank))
    shifts, logs, offset = np.empty((count, rank)), np.empty(count), 0.0
    for few in blocks(len(derivative), m * dimension):
        # of the transpose, which LAPACK does in half the time
        right, values, left = np.linalg.svd(derivative[few].swapaxes(1, 2), full_matrices=False)
        left, directions[few] = left.swapaxes(1, 2), right.swapaxes(1, 2)
        root = _Root(left, np.hypot(sigma * values, gamma), gamma)
        shrinkage[few] = gamma / root.scale
        for rows in blocks(count, 3 * m) if shared else [few]:
            residual = seen - output[rows]
            # Along V the shift is sigma^2 s / t^2 of the residual along U.
            gain = (sigma * values / root.scale) * (sigma / root.scale)
            shifts[rows] = _times(residual, left) * gain
            logs[rows] = -(root.whiten(residual) ** 2).sum(axis=1) / 2 - root.half_log_det()
        if shared:
            # Alike but for a common part: |z_n|^2 - |z|^2 = b.(b - 2z), b = z - z_n, z the least.
            best = logs.argmax()
            offset = float(logs[best])
            least = root.whiten((seen - output[best])[None])
            for rows in blocks(count, 3 * m):
                other = root.whiten(output[rows] - output[best])
                logs[rows] = -np.einsum("nm,nm->n", other, other - 2 * least) / 2
    log_total = float(np.asarray(special.logsumexp(logs))) + offset
    return MixturePosterior(
        points=point,
        noise=sigma,
        log_weights=special.log_softmax(logs),
        log_evidence=log_total - math.log(count) - m * math.log(2 * math.pi) / 2,
        directions=directions,
        shifts=shifts,
        shrinkage=shrinkage,
    )
