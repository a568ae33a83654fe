"""How often each fact occurs: uniform, power law, empirical counts; and sampling by it."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from jaxtyping import Float64, Int32, Int64

from factcap.synth.errors import require

_BLOCK = 1 << 20


def uniform(facts: int) -> Float64[np.ndarray, " facts"]:
    """Every fact equally often.

    >>> uniform(4)
    array([0.25, 0.25, 0.25, 0.25])
    """
    return power_law(facts, 0.0)


def power_law(facts: int, exponent: float) -> Float64[np.ndarray, " facts"]:
    """Frequency of the fact of rank i proportional to i^-exponent, i = 1 .. facts.

    Args:
        facts: number of facts, at least 1.
        exponent: at least 0; 0 is uniform.

    Raises:
        BadInput: for an argument out of range.

    >>> power_law(3, 1.0) * 11
    array([6., 3., 2.])
    """
    return power_law_slice(0, facts, exponent, power_law_total(facts, exponent))


def power_law_total(facts: int, exponent: float) -> float:
    """The normalizer sum_{i=1..facts} i^-exponent, by blocks: memory does not grow with facts."""
    require(facts >= 1, f"the number of facts must be at least 1, not {facts}")
    require(
        bool(np.isfinite(exponent)) and exponent >= 0,
        f"the exponent must be finite and >= 0, not {exponent:g}",
    )
    if exponent == 0:
        return float(facts)
    edges = [*range(0, facts, _BLOCK), facts]
    # Smallest terms first: the sum is then exact to a few units in the last place.
    return sum(
        float(np.sum(np.arange(stop, start, -1, dtype=np.float64) ** -exponent))
        for start, stop in reversed(list(pairwise(edges)))
    )


def power_law_slice(
    start: int, stop: int, exponent: float, total: float
) -> Float64[np.ndarray, " facts"]:
    """Frequencies of the facts start .. stop - 1 (counted from 0), given the normalizer."""
    if exponent == 0:
        return np.full(stop - start, 1 / total)
    return np.arange(start + 1, stop + 1, dtype=np.float64) ** -exponent / total


def empirical(counts: npt.ArrayLike) -> Float64[np.ndarray, " facts"]:
    """Frequency proportional to the counts, which are finite, >= 0 and not all 0.

    >>> empirical([3, 0, 1])
    array([0.75, 0.  , 0.25])
    """
    array = np.asarray(counts, np.float64)
    wrong = ~(np.isfinite(array) & (array >= 0))
    require(
        not wrong.any(),
        f"counts must be finite and >= 0; item {int(np.argmax(wrong))} is "
        f"{array[np.argmax(wrong)]:g}"
        if wrong.any()
        else "",
    )
    require(bool(array.any()), "all counts are 0; at least one must be positive")
    scaled = array / array.max()
    return scaled / scaled.sum()


def rank_size_exponent(frequency: Float64[np.ndarray, " facts"]) -> float:
    """Least-squares slope of -log frequency on log rank: one number for an empirical frequency.

    Facts of frequency 0 are left out. It is a description, not an estimate of a tail index.

    >>> round(rank_size_exponent(power_law(1000, 1.2)), 9)
    1.2
    """
    positive = np.sort(frequency[frequency > 0])[::-1]
    require(len(positive) >= 2, "an exponent needs at least two facts of positive frequency")
    log_rank = np.log(np.arange(1, len(positive) + 1))
    slope, _ = np.polyfit(log_rank, np.log(positive), 1)
    return -float(slope)


@dataclass(frozen=True)
class AliasTable:
    """Draws a fact by its frequency in constant time (Walker 1977, built by sweeping).

    A draw takes a column uniformly and keeps it with the column's probability, else takes the
    column's alias. Sweeping: Huebschle-Schneider and Sanders 2022, "Parallel Weighted Random
    Sampling", here with cumulative sums, so that building is vectorized.

    Attributes:
        keep: probability to keep a column, in [0, 1].
        alias: the fact taken otherwise.
    """

    keep: Float64[np.ndarray, " facts"]
    alias: Int32[np.ndarray, " facts"]

    @classmethod
    def build(cls, frequency: Float64[np.ndarray, " facts"]) -> "AliasTable":
        """The table of a frequency that sums to 1; costs O(N log N).

        >>> table = AliasTable.build(np.array([0.5, 0.25, 0.25]))
        >>> table.probabilities().tolist()
        [0.5, 0.25, 0.25]
        """
        load = frequency * len(frequency)
        light, heavy = np.flatnonzero(load <= 1), np.flatnonzero(load > 1)
        keep, alias = np.ones(len(load)), np.arange(len(load), dtype=np.int32)
        if len(heavy) == 0:
            return cls(keep, alias)
        deficit = np.cumsum(1 - load[light])
        surplus = np.cumsum(load[heavy] - 1)
        # A light column is filled by the first heavy fact with surplus left before it ...
        before = np.concatenate([[0.0], deficit[:-1]])
        giver = np.minimum(np.searchsorted(surplus, before, side="right"), len(heavy) - 1)
        keep[light], alias[light] = load[light], heavy[giver]
        # ... and a heavy fact that gave too much is filled by the next heavy one.
        spent = np.searchsorted(deficit, surplus[:-1], side="right")
        overdrawn = np.flatnonzero(spent < len(deficit))
        # One whose surplus ended exactly with a light column gave nothing too much.
        overdrawn = overdrawn[before[spent[overdrawn]] < surplus[overdrawn]]
        short = deficit[spent[overdrawn]] - surplus[overdrawn]
        keep[heavy[overdrawn]] = 1 - short
        alias[heavy[overdrawn]] = heavy[overdrawn + 1]
        return cls(np.clip(keep, 0.0, 1.0), alias)

    def sample(self, draws: int, rng: np.random.Generator) -> Int64[np.ndarray, " draws"]:
        """Draw facts independently, with replacement."""
        column = rng.integers(len(self.keep), size=draws)
        return np.where(rng.random(draws) < self.keep[column], column, self.alias[column])

    def probabilities(self) -> Float64[np.ndarray, " facts"]:
        """The frequency that the table draws by, to check it."""
        out = self.keep.copy()
        np.add.at(out, self.alias, 1 - self.keep)
        return out / len(out)


def blocks(facts: int, size: int = 1 << 16) -> Iterator[tuple[int, int, int]]:
    """Cut 0 .. facts into blocks of one size: (number, start, stop), the last one shorter."""
    for number, start in enumerate(range(0, facts, size)):
        yield number, start, min(start + size, facts)
