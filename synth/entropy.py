"""Entropy of a discrete distribution, estimated from counts."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64


class PlugIn(NamedTuple):
    """Plug-in estimates of G groups of items.

    Attributes:
        bits: entropy of each group's empirical distribution, in bits.
        bias_bits: how far `bits` is low on average, to first order (see `plug_in_entropy`).
        items: number of items in each group.
        different: number of different items in each group.
        commonest: share of each group's most common item: what a guess without memory gets right.
    """

    bits: Float64[np.ndarray, " groups"]
    bias_bits: Float64[np.ndarray, " groups"]
    items: Int64[np.ndarray, " groups"]
    different: Int64[np.ndarray, " groups"]
    commonest: Float64[np.ndarray, " groups"]


def plug_in_entropy(
    items: Int64[np.ndarray, " items"], groups: Int64[np.ndarray, " items"]
) -> PlugIn:
    """Entropy of the items in each group, each item counted once for each time it occurs.

    The plug-in estimator is biased low (Miller 1955, "Note on the bias of information
    estimates"); the first-order term given here needs many more items than different ones.
    Where nearly all differ, the estimate says little more than log2 of their number.

    Args:
        items: numbers of the items, at least 0.
        groups: the group of each; every group from 0 to the largest has at least one item.

    >>> estimate = plug_in_entropy(np.array([5, 7, 5, 7, 1]), np.array([0, 0, 0, 0, 1]))
    >>> estimate.bits.tolist(), estimate.commonest.tolist()
    ([1.0, 0.0], [0.5, 1.0])
    """
    size = int(items.max()) + 1
    pairs, counts = np.unique(groups * size + items, return_counts=True)
    group = pairs // size
    total, different = np.bincount(groups), np.bincount(group)
    share = counts / total[group]
    # H = -sum_v share_v log2 share_v; written so that no term is -0.
    bits = np.bincount(group, weights=share * np.log2(1 / share))
    # Miller 1955: (m - 1) / (2 n ln 2) bits, m different items among n.
    bias = (different - 1) / (2 * total * np.log(2))
    commonest = np.zeros(len(total))
    np.maximum.at(commonest, group, share)
    return PlugIn(bits, bias, total, different, commonest)
