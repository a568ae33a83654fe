"""Facts in a mixture with other text: where a capacity-constrained learner puts its bits."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from jaxtyping import Float64
from scipy import optimize, special

from factcap.capacity.arguments import require_choices, require_positive, require_whole

_RTOL = 4 * np.finfo(float).eps  # the least that brentq takes


@dataclass(frozen=True)
class Background:
    """The loss curve of the other text, $L(m) = L_inf + A m^-a$ for m bits of capacity.

    $L_inf$ is left out: no allocation changes it.

    Attributes:
        scale: A, > 0, in bits a token (m in bits).
        power: a, > 0.

    Raises:
        ValueError: for a value out of range.
    """

    scale: float
    power: float

    def __post_init__(self):
        for name in ("scale", "power"):
            require_positive(name, getattr(self, name))

    def loss(self, bits: float) -> float:
        """$A m^-a$, in bits a token; infinite at 0.

        Raises:
            ValueError: if the bits are not at least 0.
        """
        return _exp(math.log(self.scale) - self.power * _log(bits))

    def log_gain(self, bits: float) -> float:
        """The logarithm of $a A m^-(a+1)$, what the next bit takes off the loss; infinite at 0.

        Raises:
            ValueError: if the bits are not at least 0.
        """
        return math.log(self.power) + math.log(self.scale) - (self.power + 1) * _log(bits)

    def bits_at_gain(self, log_gain: float) -> float:
        """The bits at which the next one takes so much off: $(a A / gain)^(1/(a+1))$."""
        return _exp((math.log(self.power) + math.log(self.scale) - log_gain) / (self.power + 1))


def _log(bits: float) -> float:
    if not bits >= 0:
        raise ValueError(f"bits must be >= 0, not {bits}")
    return math.log(bits) if bits > 0 else -math.inf


def _exp(power: float) -> float:
    """e^power, infinite where a double ends."""
    return math.exp(power) if power < 709 else math.inf


@dataclass(frozen=True)
class Allocation:
    """The best use of a capacity.

    Attributes:
        stored_share: share of the bits of each kind of fact that is stored.
        background_bits: what the other text gets.
        loss: ratio times the bits of facts that are missing, by frequency, plus (1 - ratio) times
            the background's loss; in bits.
    """

    stored_share: Float64[np.ndarray, " kinds"]
    background_bits: float
    loss: float


def allocate(
    capacity_bits: float,
    ratio: float,
    background: Background,
    frequency: npt.ArrayLike,
    entropy_bits: npt.ArrayLike,
    count: npt.ArrayLike = 1,
) -> Allocation:
    """The allocation of capacity that minimizes the loss on facts mixed with other text.

        $min r sum_j n_j p_j (H_j - b_j) + (1-r) A m^-a$

    with $sum_j n_j b_j + m = M$ and $0 <= b_j <= H_j$. The problem is convex and the facts' part
    linear: a bit of kind j is worth $r p_j$ whatever else is stored, so the kinds fill up by
    frequency, each when the background's next bit is worth less, $(1-r) a A m^-(a+1) < r p_j$ (the
    capacity-constrained learner of Gu et al. 2025, 2505.18091). Kinds of one frequency fill up
    together.

    Args:
        capacity_bits: M, > 0.
        ratio: r, the share of the facts in the mixture, 0 to 1.
        background: the other text.
        frequency: $p_j$, how often one fact of each kind is met in a token of the facts' text, not
            negative.
        entropy_bits: $H_j$ of a fact of each kind, >= 0.
        count: $n_j$, the facts of each kind, >= 0; one number for all or one a kind.

    Raises:
        ValueError: for an argument out of range.

    >>> allocate(1000, 0.5, Background(100.0, 0.5), [1e-2, 1e-6], 20, 10).stored_share.tolist()
    [1.0, 0.0]
    """
    _check_mixture(capacity_bits, ratio)
    often = np.atleast_1d(np.asarray(frequency, float))
    shape = often.shape
    entropy, number = np.asarray(entropy_bits, float), np.asarray(count, float)
    for name, array in (("frequency", often), ("entropy_bits", entropy), ("count", number)):
        if array.shape not in ((), shape) or not np.all((array >= 0) & np.isfinite(array)):
            raise ValueError(f"{name} must be one number a kind, finite and >= 0")
    if often.ndim != 1 or len(often) == 0:
        raise ValueError("frequency must be one number a kind, at least one")
    entropy, number = np.broadcast_to(entropy, shape), np.broadcast_to(number, shape)
    share = np.zeros(shape)
    kinds = number * entropy
    left = float(capacity_bits)
    for value in np.unique(often)[::-1]:
        same = often == value
        wanted = float(kinds[same].sum())
        held = min(wanted, max(0.0, left - _background_first(ratio, value, background)))
        share[same] = held / wanted if wanted > 0 else 1.0
        left -= held
    missing = float((often * kinds * (1 - share)).sum())
    other = background.loss(left) if ratio < 1 else 0.0
    return Allocation(share, left, ratio * missing + (1 - ratio) * other)


def threshold_capacity(ratio: float, frequency: float, background: Background) -> float:
    """The capacity below which nothing of facts of one frequency is learned, in bits.

    $M_thres = ((1-r) a A / (r p))^(1/(a+1))$; all of them are learned from $M_thres + H_tot$ on.

    Args:
        ratio: r, above 0, at most 1.
        frequency: p, > 0.
        background: the other text.

    Raises:
        ValueError: for an argument out of range.

    >>> round(threshold_capacity(0.5, 1e-3, Background(10.0, 1.0)), 6)
    100.0
    """
    if not 0 < ratio <= 1:
        raise ValueError(f"ratio must lie in (0, 1], not {ratio}")
    require_positive("frequency", frequency)
    return _background_first(ratio, frequency, background)


def threshold_ratio(capacity_bits: float, frequency: float, background: Background) -> float:
    """The mixing ratio below which nothing of facts of one frequency is learned.

    $r / (1-r) = a A M^-(a+1) / p$.

    Args:
        capacity_bits: M, > 0.
        frequency: p, > 0.
        background: the other text.

    Raises:
        ValueError: for an argument out of range.

    >>> round(threshold_ratio(100.0, 1e-3, Background(10.0, 1.0)), 6)
    0.5
    """
    _check_mixture(capacity_bits, 0.0)
    require_positive("frequency", frequency)
    return float(special.expit(background.log_gain(capacity_bits) - math.log(frequency)))


@dataclass(frozen=True)
class Subsampling:
    """What is known of all facts after training on a random subset of them.

    Attributes:
        stored_bits: in the model, of the kept facts.
        all_or_nothing: fact accuracy over all facts if those bits hold whole facts.
        even_spreading: the same if they are spread evenly over the kept facts.
    """

    stored_bits: Float64[np.ndarray, " shares"]
    all_or_nothing: Float64[np.ndarray, " shares"]
    even_spreading: Float64[np.ndarray, " shares"]


def subsample(
    keep: npt.ArrayLike,
    facts: int,
    choices: float,
    capacity_bits: float,
    ratio: float,
    background: Background,
    *,
    tokens_per_fact: float = 1.0,
) -> Subsampling:
    """Accuracy over all N uniform facts when a random share of them is kept in the mixture.

    Fewer facts are met more often each, $p = 1/(share N tokens)$, so that they pass the threshold:
    the kept facts get $b = min(share N H, M - M_thres(share))$ bits. What those bits know depends
    on how they lie: whole facts (the best), or evenly (what over-full training tends to).

    Args:
        keep: shares kept, in (0, 1].
        facts: N, at least 1.
        choices: K, above 1.
        capacity_bits: M, > 0.
        ratio: r, above 0, at most 1; the share of the facts' text, however many are kept.
        background: the other text.
        tokens_per_fact: tokens of text in which one fact is met, > 0.

    Raises:
        ValueError: for an argument out of range.
    """
    share = np.atleast_1d(np.asarray(keep, float))
    if not (share.ndim == 1 and np.all((share > 0) & (share <= 1))):
        raise ValueError("keep must be one share or several, each in (0, 1]")
    entropy = _check_subsample(facts, choices, capacity_bits, ratio, tokens_per_fact)
    often = 1 / (share * facts * tokens_per_fact)
    first = np.array([_background_first(ratio, one, background) for one in often])
    stored = np.clip(capacity_bits - first, 0, share * facts * entropy)
    whole = stored / (facts * entropy)
    even = share * np.exp2(stored / (share * facts) - entropy)
    # the facts left out are guessed
    return Subsampling(
        stored_bits=stored,
        all_or_nothing=whole + (1 - whole) / choices,
        even_spreading=even + (1 - share) / choices,
    )


def best_subsample(
    facts: int,
    choices: float,
    capacity_bits: float,
    ratio: float,
    background: Background,
    *,
    tokens_per_fact: float = 1.0,
) -> float:
    """The share of uniform facts to keep: the largest that is stored whole.

    The root of $share N H + M_thres(share) = M$, or 1 where all fit. Keeping fewer leaves capacity
    unused, keeping more leaves the kept ones incomplete.

    The arguments are those of `subsample`.

    Returns:
        The share, 0 to 1.

    Raises:
        ValueError: for an argument out of range.
    """
    entropy = _check_subsample(facts, choices, capacity_bits, ratio, tokens_per_fact)

    def over(share: float) -> float:
        first = _background_first(ratio, 1 / (share * facts * tokens_per_fact), background)
        return share * facts * entropy + first - capacity_bits

    if over(1.0) <= 0:
        return 1.0
    if over(1e-300) >= 0:
        return 0.0  # even the first fact is worth less than the background's last bit
    return float(np.asarray(optimize.brentq(over, 1e-300, 1.0, xtol=1e-300, rtol=_RTOL)))


def _background_first(ratio: float, frequency: float, background: Background) -> float:
    """Bits that the background takes before a fact of this frequency gets its first."""
    if ratio == 1:
        return 0.0
    if ratio == 0 or frequency == 0:
        return math.inf
    return background.bits_at_gain(math.log(ratio) + math.log(frequency) - math.log1p(-ratio))


def _check_mixture(capacity_bits: float, ratio: float) -> None:
    require_positive("capacity_bits", capacity_bits)
    if not 0 <= ratio <= 1:
        raise ValueError(f"ratio must lie in [0, 1], not {ratio}")


def _check_subsample(
    facts: float, choices: float, capacity_bits: float, ratio: float, tokens_per_fact: float
) -> float:
    _check_mixture(capacity_bits, ratio)
    require_positive("tokens_per_fact", tokens_per_fact)
    if not ratio > 0:
        raise ValueError("ratio must be above 0")
    require_whole("facts", facts, most=1e15)
    require_choices(choices)
    if choices == 1:
        raise ValueError("choices must be above 1: a fact of one choice costs nothing")
    return math.log2(choices)
