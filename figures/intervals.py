"""Means over seeds, with their intervals."""

from collections.abc import Sequence

import numpy as np


def mean_and_half(values: Sequence[float] | np.ndarray) -> tuple[float, float]:
    """Mean, and half the width of its 95 % interval (Student's t); 0 for one value.

    >>> mean, half = mean_and_half([1.0, 2.0, 3.0])
    >>> mean, round(half, 3)  # 4.303 / sqrt 3
    (2.0, 2.484)
    """
    from scipy.stats import t

    values = np.asarray(values, float)
    if len(values) < 2:
        return float(values.mean()), 0.0
    spread = values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean()), float(t.ppf(0.975, len(values) - 1) * spread)
