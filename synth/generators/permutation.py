"""A seeded bijection of 0 .. size - 1, computed where it is needed."""

import math

import numpy as np
from jaxtyping import Int64, UInt64

_ROUNDS = 6
# Odd multiplier of a 64-bit mixing function (the golden ratio, Steele et al. 2014, "SplitMix").
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def permute(
    index: Int64[np.ndarray, " items"], size: int, seed: int
) -> Int64[np.ndarray, " items"]:
    """Where a seeded permutation of 0 .. size - 1 sends each index.

    A Feistel network on the numbers of an even count of bits that hold `size`, walked on until
    the result is below `size` (Black and Rogaway 2002, "Ciphers with arbitrary finite domains").

    Args:
        index: numbers in [0, size).
        size: at least 1, at most 2^62.
        seed: which permutation.

    >>> sorted(permute(np.arange(10), 10, seed=3).tolist())
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    """
    half = np.uint64(max(1, math.ceil(math.log2(max(size, 2)) / 2)))
    while 1 << (2 * int(half)) < size:
        half += np.uint64(1)
    keys = np.random.default_rng([seed, size & 0xFFFFFFFF]).integers(
        2**64, size=_ROUNDS, dtype=np.uint64
    )
    out = _feistel(index.astype(np.uint64), half, keys)
    outside = np.flatnonzero(out >= size)
    while len(outside):
        out[outside] = _feistel(out[outside], half, keys)
        outside = outside[out[outside] >= size]
    return out.astype(np.int64)


def _feistel(
    number: UInt64[np.ndarray, " items"], half: np.uint64, keys: UInt64[np.ndarray, " rounds"]
) -> UInt64[np.ndarray, " items"]:
    mask = (np.uint64(1) << half) - np.uint64(1)
    left, right = number >> half, number & mask
    for key in keys:
        mixed = (right ^ key) * _GOLDEN
        mixed ^= mixed >> np.uint64(32)
        mixed *= _GOLDEN
        left, right = right, left ^ ((mixed >> np.uint64(33)) & mask)
    return (left << half) | right
