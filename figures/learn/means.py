"""Means over seeds, from the rows of a measured table."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Row = Mapping[str, Any]


def means(rows: Sequence[Row], x: str, y: str) -> tuple[list[float], list[float]]:
    """The values of one column in order, and the mean of another at each.

    >>> means([{"n": 2, "y": 1}, {"n": 1, "y": 5}, {"n": 2, "y": 2}], "n", "y")
    ([1, 2], [5.0, 1.5])
    """
    places = sorted({row[x] for row in rows})
    return places, [float(np.mean([row[y] for row in rows if row[x] == at])) for at in places]


def uniform(rows: Sequence[Row]) -> list[Row]:
    """Those rows whose facts are drawn equally often."""
    return [row for row in rows if row["frequency"] == "uniform"]
