"""Distances from queries to all training points: by matrix products, exact where it matters.

|x - x_n|^2 as |x|^2 - 2 x.x_n + |x_n|^2 is one matrix product, but it cancels where points are
near each other. The differences that decide a softmax or a nearest neighbor are therefore taken
again as |x - a|^2 - |x - b|^2 = (a - b).((a - x) + (b - x)), which does not.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from factcap.capacity.memorized_prior.arrays import blocks

_EPS = float(np.finfo(float).eps)


@dataclass(frozen=True)
class Cloud:
    """Training points and what their distances need.

    Attributes:
        points: a row a point.
        center: their mean.
        half_squares: |x_n - center|^2 / 2.
        radius: the largest |x_n|.
    """

    points: Float64[np.ndarray, "points dimension"]
    center: Float64[np.ndarray, " dimension"]
    half_squares: Float64[np.ndarray, " points"]
    radius: float


@dataclass(frozen=True)
class Gaps:
    """Squared distances of a block of queries, relative to the nearest point.

    Attributes:
        rows: which queries.
        nearest: the nearest point of each.
        nearest_square: the squared distance to it, exact.
        gaps: |x - x_n|^2 less that; 0 at the nearest, exact within the reach asked for. The
            caller may overwrite them.
    """

    rows: slice
    nearest: Int64[np.ndarray, " queries"]
    nearest_square: Float64[np.ndarray, " queries"]
    gaps: Float64[np.ndarray, "queries points"]


def cloud(points: Float64[np.ndarray, "points dimension"]) -> Cloud:
    """What is computed once for a set of points."""
    center = points.mean(axis=0)
    half_squares, largest = np.empty(len(points)), 0.0
    for rows in blocks(*points.shape):
        moved = points[rows] - center
        half_squares[rows] = np.einsum("nd,nd->n", moved, moved) / 2
        largest = max(largest, float(np.einsum("nd,nd->n", points[rows], points[rows]).max()))
    return Cloud(points, center, half_squares, largest**0.5)


def gaps(
    near: Cloud,
    queries: Float64[np.ndarray, "queries dimension"],
    reach: Callable[[Float64[np.ndarray, "queries points"]], Float64[np.ndarray, " queries"]],
    tolerance: float,
) -> Iterator[Gaps]:
    """The gaps of all queries, a block of them at a time.

    Args:
        near: the points.
        queries: a row a query.
        reach: from rough gaps, up to where they must be exact, one number a query.
        tolerance: rounding of a gap that need not be mended.
    """
    points, dimension = near.points.shape
    spread = 2 * near.half_squares.max()
    for rows in blocks(len(queries), points):
        block = queries[rows]
        moved = block - near.center
        # |x - x_n|^2 / 2 less what does not depend on n
        rough = moved @ near.points.T
        np.subtract(near.half_squares, rough, out=rough)
        rough -= rough.min(axis=1, keepdims=True)
        rough *= 2
        # Rounding of a product of d terms, with a factor that tests hold to be ample
        sizes = np.sqrt(np.einsum("qd,qd->q", moved, moved)) * near.radius + spread
        error = 2 * _EPS * (8 + dimension**0.5) * sizes
        limit = np.where(error > tolerance, reach(rough) + 2 * error, 0.0)
        nearest = rough.argmin(axis=1)
        _mend(near.points, block, rough, rough <= limit[:, None], nearest)
        nearest = rough.argmin(axis=1)
        rough -= rough.min(axis=1, keepdims=True)
        left = block - near.points[nearest]
        yield Gaps(rows, nearest, np.einsum("qd,qd->q", left, left), rough)


def _mend(points, queries, rough, wanted, nearest) -> None:
    """Put exact gaps, relative to the point `nearest`, where they are wanted."""
    query, point = np.nonzero(wanted)
    for pairs in blocks(len(query), points.shape[1]):
        q, n = query[pairs], point[pairs]
        one, other, x = points[n], points[nearest[q]], queries[q]
        rough[q, n] = np.einsum("pd,pd->p", one - other, (one - x) + (other - x))


def exact_gaps(
    points: Float64[np.ndarray, "points dimension"], query: Float64[np.ndarray, " dimension"]
) -> Float64[np.ndarray, " points"]:
    """|x - x_n|^2 - min_n |x - x_n|^2 for one query, without cancellation."""
    squares = np.empty(len(points))
    for rows in blocks(*points.shape):
        left = points[rows] - query
        squares[rows] = np.einsum("nd,nd->n", left, left)
    other = points[squares.argmin()]
    for rows in blocks(*points.shape):
        one = points[rows]
        squares[rows] = np.einsum("nd,nd->n", one - other, (one - query) + (other - query))
    return squares - squares.min()
