"""The best moment to branch: how much of the training goes to the trunk, for uniform domains.

A trunk is trained on draws from the mixture of all domains, each branch goes on with draws from its
own. Whatever the split, a private fact is drawn equally often in all: k times rarer in the trunk,
which serves k branches. A shared fact is drawn the more, the later the branches begin. So the
trunk goes on at least until it is full. From then on it can store no more private facts, while each
branch could overwrite those of the other domains.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from jaxtyping import Float64
from scipy import optimize

from factcap.capacity.arguments import require_positive
from factcap.capacity.splitting.domains import UniformDomains

_GRID = 2001
# Moments that know all but this share of the most count as best too.
_TIED = 1e-6


@dataclass(frozen=True)
class Learning:
    """How facts are learned from being drawn.

    Attributes:
        rate: r; after e exposures a share 1 - exp(-r e) of the facts is stored, while there is
            room; > 0.
        start: draws before a new model stores anything, whatever it is drawn: the plateau in which
            it learns how facts look. A branch has had those of its trunk. At least 0.
        overwriting: what it costs a branch to put a fact in the place of another domain's: so many
            draws more, as a share of those that storing takes where there is room; at least 0.

    Raises:
        ValueError: for a value out of range.
    """

    rate: float
    start: float = 0.0
    overwriting: float = 0.0

    def __post_init__(self):
        require_positive("rate", self.rate)
        for name in ("start", "overwriting"):
            value = getattr(self, name)
            if not (value >= 0 and math.isfinite(value)):
                raise ValueError(f"{name} must be finite and >= 0, not {value}")


@dataclass(frozen=True)
class Moment:
    """When to branch.

    Attributes:
        draws: D, those of the trunk, at the best; of several that are best the last.
        share: D in all draws D + k D'.
        known: facts that a domain's branch has stored at its end.
        earliest: the least share of the trunk that is as good.
        full: draws after which the trunk is full; infinite if that never comes.
    """

    draws: float
    share: float
    known: float
    earliest: float
    full: float


def full_at(domains: UniformDomains, capacity_bits: float, learning: Learning) -> float:
    """Draws of the mixture after which a model is full; infinite if all facts fit.

    With z = exp(-r t / (k (P + S))) after t draws, each private fact is stored with probability
    1 - z and each shared one with 1 - z^k. The model is full when
    k P (1 - z) + S (1 - z^k) = C / H. Without shared facts that is, in closed form,
    t = -(k P / r) ln(1 - C / (k P H)).

    Raises:
        ValueError: for a capacity out of range.

    >>> domains = UniformDomains(4, 100, 0, 2.0**10)
    >>> round(full_at(domains, 2000.0, Learning(rate=1.0)) / (400 * math.log(2)), 9)
    1.0
    """
    require_positive("capacity_bits", capacity_bits)
    fitting = capacity_bits / domains.fact_bits
    k, private, shared = domains.domains, domains.private, domains.shared
    missing = k * private + shared - fitting
    if missing <= 0:
        return math.inf
    if shared == 0:
        left = missing / (k * private)
    else:
        left = float(
            np.asarray(
                optimize.brentq(
                    lambda z: k * private * z + shared * z**k - missing, 0.0, 1.0, xtol=1e-15
                )
            )
        )
    return learning.start - k * domains.asked / learning.rate * math.log(left)


def facts_known(
    domains: UniformDomains,
    capacity_bits: float,
    learning: Learning,
    budget_draws: float,
    trunk_draws: npt.ArrayLike,
) -> Float64[np.ndarray, "..."]:
    """Facts that a domain's branch has stored, for each length of the trunk.

    The branches share the rest of the budget equally, D' = (B - D) / k. Within a stage stored
    shares follow `Learning`. A full trunk keeps what is drawn most, the shared facts. A full branch
    overwrites the private facts of other domains; it stores C / H facts at the most.

    Args:
        domains: what is asked for.
        capacity_bits: C, what a model holds, > 0.
        learning: how facts are learned.
        budget_draws: B, draws of the trunk and of all branches together, > 0.
        trunk_draws: D, 0 to B; 0 trains k models from nothing, B one model for all.

    Raises:
        ValueError: for an argument out of range.
    """
    require_positive("capacity_bits", capacity_bits)
    require_positive("budget_draws", budget_draws)
    trunk = np.atleast_1d(np.asarray(trunk_draws, float))
    if not np.all((trunk >= 0) & (trunk <= budget_draws * (1 + 1e-12))):
        raise ValueError(f"trunk_draws must lie in [0, {budget_draws:g}]")
    k, private, shared, asked = domains.domains, domains.private, domains.shared, domains.asked
    fitting, rate = capacity_bits / domains.fact_bits, learning.rate
    exposures = np.maximum(trunk - learning.start, 0) / asked
    had_shared = np.minimum(-shared * np.expm1(-rate * exposures), fitting)
    room = (fitting - had_shared) / k
    had_private = np.minimum(-private * np.expm1(-rate * exposures / k), room)
    branch = np.maximum(budget_draws - trunk, 0) / k
    exposures = np.maximum(branch - np.maximum(learning.start - trunk, 0), 0) / asked
    had = had_shared + had_private
    free = fitting - had_shared - k * had_private
    new = _stored(asked - had, np.maximum(free, 0), exposures, learning)
    return np.minimum(had + new, fitting).reshape(np.shape(trunk_draws))


def _stored(
    missing: npt.NDArray, free: npt.NDArray, exposures: npt.NDArray, learning: Learning
) -> npt.NDArray:
    """New facts after some exposures: first where there is room, then in the place of others."""
    rate = learning.rate
    with np.errstate(divide="ignore", invalid="ignore"):
        until_full = -np.log1p(-np.minimum(free / np.maximum(missing, 1e-300), 1)) / rate
    quick = np.minimum(exposures, until_full)
    slow = (exposures - quick) / (1 + learning.overwriting)
    return -missing * np.expm1(-rate * (quick + slow))


def best_moment(
    domains: UniformDomains, capacity_bits: float, learning: Learning, budget_draws: float
) -> Moment:
    """The length of the trunk after which the branches know most: see `facts_known`.

    While the trunk has room, one draw of it is worth k draws of branches, one each: as much for
    private facts, and more for shared ones. So where overwriting costs nothing, branching before
    the trunk is full (`full_at`) is never better than at that moment. Without shared facts every
    moment from the start of learning to that one is as good. With shared facts it may pay to go on
    for a while: they still gain, at the cost of private ones that the branches store again. Where
    overwriting costs draws, the best moment is earlier.

    Args:
        domains: what is asked for.
        capacity_bits: C, > 0.
        learning: how facts are learned.
        budget_draws: B, > 0.

    Raises:
        ValueError: for an argument out of range.

    >>> domains, learning = UniformDomains(8, 60, 60, 2.0**10), Learning(rate=0.05)
    >>> found = best_moment(domains, 1200.0, learning, 40_000)
    >>> round(found.share, 2), round(found.full / 40_000, 2), round(found.known, 1)
    (0.12, 0.08, 110.5)
    """
    full = full_at(domains, capacity_bits, learning)

    def known(draws: npt.ArrayLike) -> npt.NDArray:
        return facts_known(domains, capacity_bits, learning, budget_draws, draws)

    grid = np.linspace(0, budget_draws, _GRID)
    grid = np.unique(np.append(grid, [x for x in (full, learning.start) if x <= budget_draws]))
    values = known(grid)
    best = int(np.argmax(values))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    # The most may lie between two points of the grid.
    found = optimize.minimize_scalar(
        lambda x: -float(known(x)), bounds=(low, high), method="bounded"
    )
    most = max(float(values[best]), -float(found.fun))
    as_good = grid[values >= most * (1 - _TIED)]
    draws = float(found.x) if len(as_good) < 2 and -found.fun > values[best] else float(as_good[-1])
    return Moment(
        draws=draws,
        share=draws / budget_draws,
        known=float(known(draws)),
        earliest=min(float(as_good[0]) if len(as_good) else draws, draws) / budget_draws,
        full=full,
    )
