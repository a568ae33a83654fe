"""What losses imply: the bits stored, and the recalls that are compatible with them."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from jaxtyping import Bool, Float64

from factcap.capacity.arguments import require_whole
from factcap.capacity.bounds.rate_distortion import rate_distortion_bound


@dataclass(frozen=True)
class StoredBits:
    """Bits that a model holds about a fact set, by its losses.

    Attributes:
        per_fact: entropy minus NLL of each fact, in bits; negative where the model is worse than
            a guess.
        total: sum over facts of that where it is positive.
        unclipped_total: sum over all facts: what the model saves in coding the set.
    """

    per_fact: Float64[np.ndarray, " facts"]
    total: float
    unclipped_total: float


@dataclass(frozen=True)
class RecallRange:
    """Which facts greedy decoding recalls, as far as losses tell.

    Attributes:
        surely: facts that are recalled whatever the other probabilities were.
        possibly: facts that may be recalled.
        lowest: share of the facts that are surely recalled.
        highest: share of the facts that may be.
    """

    surely: Bool[np.ndarray, " facts"]
    possibly: Bool[np.ndarray, " facts"]
    lowest: float
    highest: float


def stored_bits(nll_bits: npt.ArrayLike, choices: npt.ArrayLike) -> StoredBits:
    """Bits stored of each fact and of all: $H_i$ minus the sum over tokens of the NLL.

    Args:
        nll_bits: in bits; one a fact, or a row a fact with one a value token (0 as padding).
        choices: one a fact or one for all, >= 1: how many values were equally likely.

    Raises:
        ValueError: for an argument out of range.

    >>> found = stored_bits([[0.0, 1.0], [2.0, 3.0]], 16)
    >>> found.per_fact.tolist(), found.total, found.unclipped_total
    ([3.0, -1.0], 3.0, 2.0)
    """
    nll = _losses(nll_bits)
    choice = np.asarray(choices, float)
    if not np.all((choice >= 1) & np.isfinite(choice)):
        raise ValueError("choices must be finite and >= 1")
    if choice.shape not in ((), (len(nll),)):
        raise ValueError(f"choices must be one number or one a fact ({len(nll)})")
    each = np.log2(choice) - (nll.sum(axis=1) if nll.ndim == 2 else nll)
    return StoredBits(each, float(np.maximum(each, 0).sum()), float(each.sum()))


def recall_range(
    nll_bits: npt.ArrayLike, vocabulary: float, value_tokens: npt.ArrayLike = 1
) -> RecallRange:
    """Facts that greedy decoding surely recalls and may recall, by their losses.

    The true token is the most likely one for sure if its probability is above 1/2 (NLL below 1
    bit), and cannot be if it is below $1/V$ (NLL above $log2 V$). From the sum over the T tokens of
    a fact: a sum below 1 bit leaves every token below 1 bit; a sum above $T log2 V$ leaves some
    token above $log2 V$.

    Args:
        nll_bits: in bits; one a fact, or a row a fact with one a value token (0 as padding).
        vocabulary: V, how many tokens compete, at least 2.
        value_tokens: T, one a fact or one for all; only used where losses are one a fact.

    Raises:
        ValueError: for an argument out of range.

    >>> found = recall_range([[0.1, 0.9], [0.1, 1.1], [0.1, 3.1]], vocabulary=8)
    >>> found.surely.tolist(), found.possibly.tolist()
    ([True, False, False], [True, True, False])
    """
    nll = _losses(nll_bits)
    if not vocabulary >= 2:
        raise ValueError(f"vocabulary must be at least 2, not {vocabulary}")
    tokens = np.asarray(value_tokens, float)
    if tokens.shape not in ((), (len(nll),)) or not np.all(tokens >= 1):
        raise ValueError("value_tokens must be at least 1, one number or one a fact")
    most = math.log2(vocabulary)
    if nll.ndim == 2:
        surely, possibly = np.all(nll < 1, axis=1), np.all(nll <= most, axis=1)
    else:
        surely, possibly = nll < 1, nll <= tokens * most
    return RecallRange(surely, possibly, float(surely.mean()), float(possibly.mean()))


def calibrated_accuracy_range(mean_nll_bits: float, choices: float) -> tuple[float, float]:
    """The lowest and highest expected recall of a calibrated model with a mean loss.

    Calibrated: among the cases in which the model gives certain probabilities to the K values,
    each value is right that often; the mean loss is then a conditional entropy. Fano's inequality
    gives the highest recall, $log2 K - R(a)$ = loss with R of `rate_distortion_bound`; Feder and
    Merhav 1994 (IEEE Trans. Inf. Theory 40, 259, theorem 1) the lowest: on $[log2 i, log2 (i+1)]$
    the error is at most linear in the loss, from $(i-1)/i$ to $i/(i+1)$.

    Args:
        mean_nll_bits: mean over facts of the NLL of the value, in bits; 0 to $log2 K$.
        choices: K, a whole number, at least 1.

    Raises:
        ValueError: for an argument out of range.

    >>> low, high = calibrated_accuracy_range(0.5, 2)
    >>> low, round(high, 4)  # 1 - 0.5/2, and h2(0.11) = 0.5
    (0.75, 0.89)
    """
    choices = require_whole("choices", choices)
    entropy = math.log2(choices)
    if not 0 <= mean_nll_bits <= entropy * (1 + 1e-12):
        raise ValueError(
            f"mean_nll_bits must lie in [0, log2 choices = {entropy:g}], not {mean_nll_bits}"
        )
    left = max(entropy - mean_nll_bits, 0.0)
    highest = rate_distortion_bound([1.0], choices, left).accuracy
    if mean_nll_bits > 40:
        lowest = 2.0**-mean_nll_bits  # below the chord, by less than 1e-12 of it
    else:
        i = max(1, math.floor(2**mean_nll_bits * (1 + 1e-12)))
        slope = (1 / i - 1 / (i + 1)) / math.log2((i + 1) / i)
        lowest = 1 / i - slope * max(mean_nll_bits - math.log2(i), 0.0)
    return min(max(lowest, 1 / choices), highest), highest


def fano_accuracy(known_bits: npt.ArrayLike, choices: npt.ArrayLike) -> Float64[np.ndarray, "..."]:
    """Fano's bound in its textbook form: at most $(I + 1) / log2 K$ is recalled.

    $1 - a >= 1 - (I + 1)/H$ for a fact of which I of H bits are known (Cover and Thomas 2006,
    theorem 2.10.1). Looser than `rate_distortion_bound`, which is the bound to use; kept for
    comparison.

    Args:
        known_bits: I of each fact, in bits, >= 0.
        choices: K of each fact, above 1.

    Raises:
        ValueError: for an argument out of range.

    >>> fano_accuracy([0.0, 9.0], 1024).tolist()
    [0.1, 1.0]
    """
    known, choice = np.asarray(known_bits, float), np.asarray(choices, float)
    if not np.all(known >= 0):
        raise ValueError("known_bits must be >= 0")
    if not np.all((choice > 1) & np.isfinite(choice)):
        raise ValueError("choices must be finite and above 1")
    return np.asarray(np.minimum(1.0, (known + 1) / np.log2(choice)))


def _losses(nll_bits: npt.ArrayLike) -> Float64[np.ndarray, "..."]:
    nll = np.asarray(nll_bits, float)
    if nll.ndim not in (1, 2) or nll.size == 0:
        raise ValueError(f"nll_bits must be one a fact or one a value token; shape {nll.shape}")
    if not np.all(nll >= 0):
        raise ValueError("nll_bits must be >= 0 and not NaN")
    return nll
