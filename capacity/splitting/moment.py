"""The best moment to branch: how much of the training goes to the trunk, for uniform domains.

A trunk is trained on draws from the mixture of all domains, each branch goes on with draws from its
own. Whatever the split, a private fact is drawn equally often in all: k times rarer in the trunk,
which serves k branches. A shared fact is drawn the more, the later the branches begin. So the
trunk goes on at least until it is full. From then on it can store no more private facts, while each
branch could overwrite those of the other domains.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

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
        rate: r; after e exposures a share $1 - exp(-r (e - lag))$ of the facts is stored, while
            there is room; > 0.
        lag: exposures before any are stored: the plateau that models are seen to begin with; at
            least 0.
        carried: what an exposure of a private fact in the trunk is worth, as a share of one in its
            branch. In the trunk the facts of all domains crowd each other, and specialization
            forgets a part. 0 to 1. Exposures of shared facts count whole.
        overwriting: what it costs a branch to put a fact in the place of another domain's: so many
            draws more, as a share of those that storing takes where there is room; at least 0.

    Raises:
        ValueError: for a value out of range.
    """

    rate: float
    lag: float = 0.0
    carried: float = 1.0
    overwriting: float = 0.0

    def __post_init__(self):
        require_positive("rate", self.rate)
        for name in ("lag", "overwriting"):
            value = getattr(self, name)
            if not (value >= 0 and math.isfinite(value)):
                raise ValueError(f"{name} must be finite and >= 0, not {value}")
        if not 0 <= self.carried <= 1:
            raise ValueError(f"carried must lie in [0, 1], not {self.carried}")

    def stored(self, exposures: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Share of facts that are stored after some exposures, where there is room."""
        beyond = np.maximum(np.asarray(exposures, float) - self.lag, 0)
        return np.asarray(-np.expm1(-self.rate * beyond))

    def exposures(self, stored: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """The exposures after which a share is stored; infinite for all."""
        with np.errstate(divide="ignore"):
            return np.asarray(self.lag - np.log1p(-np.asarray(stored, float)) / self.rate)


@dataclass(frozen=True)
class Moment:
    """When to branch.

    Attributes:
        draws: D, those of the trunk, at the best; of several that are best the last.
        share: D in all draws $D + k D'$.
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

    After t draws a shared fact has had $t / (P + S)$ exposures and a private one k times fewer,
    each of them worth c. The model is full when $k P x + S y = C / H$, with x and y the shares that
    are then stored. Without
    shared facts that is, in closed form, $t = k P (lag - ln(1 - C / (k P H)) / r) / c$, with c what
    a private exposure is worth (`Learning.carried`).

    Raises:
        ValueError: for a capacity out of range.

    >>> domains = UniformDomains(4, 100, 0, 2.0**10)
    >>> round(full_at(domains, 2000.0, Learning(rate=1.0)) / (400 * math.log(2)), 9)
    1.0
    """
    require_positive("capacity_bits", capacity_bits)
    fitting = capacity_bits / domains.fact_bits
    k, private, shared, asked = domains.domains, domains.private, domains.shared, domains.asked
    most = k * private + shared
    if most <= fitting:
        return math.inf
    if learning.carried == 0 and shared <= fitting:
        return math.inf
    if shared == 0:
        return float(k * asked * learning.exposures(fitting / most) / learning.carried)

    def over(draws: float) -> float:
        held = k * private * learning.stored(learning.carried * draws / (k * asked))
        return float(held + shared * learning.stored(draws / asked)) - fitting

    high = k * asked * (learning.lag + 1 / learning.rate)
    while over(high) < 0:
        high *= 2
    return float(np.asarray(optimize.brentq(over, 0.0, high, xtol=1e-9)))


def facts_known(
    domains: UniformDomains,
    capacity_bits: float,
    learning: Learning,
    budget_draws: float,
    trunk_draws: npt.ArrayLike,
) -> Float64[np.ndarray, "..."]:
    """Facts that a domain's branch has stored, for each length of the trunk.

    The branches share the rest of the budget equally, $D' = (B - D) / k$. Within a stage stored
    shares follow `Learning`. A full trunk keeps what is drawn most, the shared facts. A full branch
    overwrites the private facts of other domains; it stores $C / H$ facts at the most.

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
    fitting = capacity_bits / domains.fact_bits
    drawn, drawn_private = trunk / asked, learning.carried * trunk / (k * asked)
    share = np.minimum(learning.stored(drawn), fitting / max(shared, 1e-9))
    room = np.maximum(fitting - shared * share, 0) / (k * max(private, 1e-9))
    own = np.minimum(learning.stored(drawn_private), room)
    # What was drawn beyond what could be stored is lost.
    of_shared = np.where(share < learning.stored(drawn), learning.exposures(share), drawn)
    lost = own < learning.stored(drawn_private)
    of_private = np.where(lost, learning.exposures(own), drawn_private)
    branch = np.maximum(budget_draws - trunk, 0) / (k * asked)

    def known(exposures: npt.NDArray) -> npt.NDArray:
        later = shared * learning.stored(of_shared + exposures)
        return later + private * learning.stored(of_private + exposures)

    effective = branch
    if learning.overwriting > 0:
        quick = _until(known, fitting - (k - 1) * private * own, branch)
        effective = quick + (branch - quick) / (1 + learning.overwriting)
    found = known(effective)
    return np.minimum(found, fitting).reshape(np.shape(trunk_draws))


def _until(
    known: Callable[[npt.NDArray], npt.NDArray], limit: npt.NDArray, most: npt.NDArray
) -> npt.NDArray:
    """Exposures until so many facts are known, but no more than there are."""
    low, high = np.zeros_like(most), most.copy()
    for _ in range(60):
        middle = (low + high) / 2
        below = known(middle) < limit
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.where(known(most) < limit, most, low)


def best_moment(
    domains: UniformDomains, capacity_bits: float, learning: Learning, budget_draws: float
) -> Moment:
    """The length of the trunk after which the branches know most: see `facts_known`.

    While the trunk has room, one draw of it is worth k draws of branches, one each: as much for
    private facts, and more for shared ones. So where branches forget nothing and overwriting costs
    nothing, branching before the trunk is full (`full_at`) is never better than at that moment.
    Without shared facts every moment up to that one is as good. With shared facts it may pay to go
    on for a while: they still gain, at the cost of private ones that the branches store again.
    Where specialization forgets, or overwriting costs draws, the best moment is earlier; without
    shared facts it is then the very beginning.

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
    grid = np.unique(np.append(grid, [full] if full <= budget_draws else []))
    values = known(grid)
    best = int(np.argmax(values))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    # The most may lie between two points of the grid.
    found: Any = optimize.minimize_scalar(
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
