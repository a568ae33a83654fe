"""Checks of arrays and noises, and blocks of rows that keep memory bounded."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from jaxtyping import Float64

# Squares of data over squares of noise stay below the largest double.
_SMALLEST, _LARGEST = 1e-75, 1e75
# Numbers that a temporary array may hold: 64 MiB of them.
BLOCK = 2**23


def require_array(
    name: str, value: npt.ArrayLike, *shape: int | None
) -> Float64[np.ndarray, "..."]:
    """The value as an array of doubles.

    Args:
        name: what the message calls it.
        value: the array.
        shape: what it must have; None where any size of at least 1 will do.

    Raises:
        ValueError: unless it has the shape, and is finite and at most 1e75 in size.
    """
    array = np.asarray(value, float)
    fits = array.ndim == len(shape) and all(
        found >= 1 and wanted in (None, found)
        for found, wanted in zip(array.shape, shape, strict=True)
    )
    if not fits:
        wanted = ", ".join("any" if size is None else str(size) for size in shape)
        raise ValueError(f"{name} must have the shape ({wanted}), not {array.shape}")
    # max and min hand NaN on, and need no copy of the array
    if not (array.max() <= _LARGEST and array.min() >= -_LARGEST):
        raise ValueError(f"{name} must be finite and at most {_LARGEST:g} in size")
    return array


def require_noise(name: str, value: float) -> float:
    """The standard deviation as a float.

    Raises:
        ValueError: unless it lies in [1e-75, 1e75].
    """
    if not _SMALLEST <= value <= _LARGEST:
        raise ValueError(f"{name} must lie in [{_SMALLEST:g}, {_LARGEST:g}], not {value}")
    return float(value)


def blocks(rows: int, width: int) -> Iterator[slice]:
    """Slices of the rows, in order, of at most `BLOCK` numbers each at this width."""
    step = max(1, BLOCK // max(1, width))
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))
