"""The mixture prior: what a diffusion model that has memorized its training points has learned."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from jaxtyping import Float64
from scipy import special

from factcap.capacity.memorized_prior.arrays import require_array, require_noise
from factcap.capacity.memorized_prior.distances import Cloud, cloud, gaps

# Weights below e^-45 of the largest do not show in a double, were there a million of them.
_DEEPEST = 45.0
# Rounding of a log-weight that is let be.
_ROUNDING = 1e-10


@dataclass(frozen=True)
class MixturePrior:
    """$p_sigma(x) = (1/N) sum_n N(x; x_n, sigma^2 I)$, the training set blurred by noise.

    Every method takes queries as one point (d) or a row a point (queries x d), and the noise sigma
    (a standard deviation, > 0), and raises `ValueError` for queries that are not finite or of
    another shape and for a noise out of range. Time is that of one matrix product of queries by
    points (two for score and denoiser) and memory some 300 MiB besides the arguments; weights far
    below the largest are as exact as that product, the others as the data.

    Attributes:
        cloud: the training points, and what is computed once for them.
    """

    cloud: Cloud

    def log_density(self, queries: npt.ArrayLike, noise: float) -> Float64[np.ndarray, "..."]:
        """Log of $p_sigma(x)$, in nats, one a query."""
        x, sigma = self._check(queries, noise)
        points, dimension = self.cloud.points.shape
        rows = np.atleast_2d(x)
        found = np.empty(len(rows))
        for block in self._gaps(rows, sigma):
            near = special.logsumexp(-block.gaps / sigma / sigma / 2, axis=1)
            found[block.rows] = np.asarray(near) - block.nearest_square / (2 * sigma * sigma)
        found -= math.log(points) + dimension * math.log(math.sqrt(2 * math.pi) * sigma)
        return found.reshape(x.shape[:-1])

    def weights(self, queries: npt.ArrayLike, noise: float) -> Float64[np.ndarray, "*queries n"]:
        """$omega(x) = softmax_n(-|x - x_n|^2 / (2 sigma^2))$: which training point x came from.

        The result is queries x N.
        """
        x, sigma = self._check(queries, noise)
        rows = np.atleast_2d(x)
        found = np.empty((len(rows), len(self.cloud.points)))
        for block in self._gaps(rows, sigma):
            found[block.rows] = special.softmax(-block.gaps / sigma / sigma / 2, axis=1)
        return found.reshape(*x.shape[:-1], -1)

    def denoise(self, queries: npt.ArrayLike, noise: float) -> Float64[np.ndarray, "..."]:
        """E[x_0 | x] = sum_n omega_n(x) x_n = x + sigma^2 score, the best guess of the clean point.

        Shaped as the queries.
        """
        x, sigma = self._check(queries, noise)
        rows = np.atleast_2d(x)
        found = np.empty_like(rows)
        for block in self._gaps(rows, sigma):
            share = block.gaps
            share *= -1 / (2 * sigma * sigma)
            np.exp(share, out=share)
            found[block.rows] = (share @ self.cloud.points) / share.sum(axis=1, keepdims=True)
        return found.reshape(x.shape)

    def score(self, queries: npt.ArrayLike, noise: float) -> Float64[np.ndarray, "..."]:
        """The gradient of $ln p_sigma$, $sum_n omega_n(x) (x_n - x) / sigma^2$; as the queries."""
        x, sigma = self._check(queries, noise)
        return (self.denoise(x, sigma) - x) / (sigma * sigma)

    def _gaps(self, rows, sigma: float):
        """Gaps that are exact as far as weights show."""
        square = 2 * sigma * sigma
        return gaps(
            self.cloud,
            rows,
            reach=lambda rough: np.full(len(rough), _DEEPEST * square),
            tolerance=_ROUNDING * square,
        )

    def _check(self, queries: npt.ArrayLike, noise: float):
        free = [None] * (np.ndim(queries) - 1)
        if len(free) > 1:
            raise ValueError(f"queries must be a point or a row a point; {len(free) + 1} axes")
        width = self.cloud.points.shape[1]
        return require_array("queries", queries, *free, width), require_noise("noise", noise)


def mixture_prior(points: npt.ArrayLike) -> MixturePrior:
    """The prior of a set of training points, ready for queries at any noise.

    Args:
        points: $x_1 .. x_N$, points x d.

    Raises:
        ValueError: if points are not a table, or not finite.

    >>> prior = mixture_prior([[-1.0], [1.0]])
    >>> prior.denoise([[0.0], [0.5]], 0.1).round(3).tolist()
    [[0.0], [1.0]]
    """
    return MixturePrior(cloud(require_array("points", points, None, None)))
