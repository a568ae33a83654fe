"""One model for all domains, one for each, or one as large as these: what each way can know."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from jaxtyping import Float64

from factcap.capacity.arguments import require_positive
from factcap.capacity.bounds.all_or_nothing import all_or_nothing_bound
from factcap.capacity.bounds.rate_distortion import rate_distortion_bound
from factcap.capacity.splitting.domains import UniformDomains

_BOUNDS = {"all_or_nothing": all_or_nothing_bound, "rate_distortion": rate_distortion_bound}


@dataclass(frozen=True)
class Ways:
    """How often each domain is answered right, at the best, in three ways to hold the facts.

    Attributes:
        one: by one model of C bits for all domains; it stores a shared fact once.
        branches: by k models of C bits, one a domain; each stores the shared facts again.
        one_large: by one model of k C bits; it stores a shared fact once.
    """

    one: Float64[np.ndarray, " domains"]
    branches: Float64[np.ndarray, " domains"]
    one_large: Float64[np.ndarray, " domains"]


def uniform_ways(domains: UniformDomains, capacity_bits: float) -> Ways:
    """The three ways in closed form, for uniform domains whose facts are stored whole.

    With $c = C / H$ facts of H bits that fit, a domain of P private and S shared facts has stored

    - one model: $min(S, c) + min(P, max(c - S, 0) / k)$, a shared fact first, since it is asked for
      k times as often;
    - k branches: $min(P + S, c)$;
    - one of k C: the first with k c in place of c.

    The others are guessed. The branches never know less than the one model, and the model of k C
    bits never less than the branches.

    Args:
        domains: what is asked for.
        capacity_bits: C, what one model holds, > 0.

    Raises:
        ValueError: for a capacity out of range.

    >>> found = uniform_ways(UniformDomains(2, 50, 50, 2.0**30), 75 * 30.0)
    >>> [way[0].round(3).item() for way in (found.one, found.branches, found.one_large)]
    [0.625, 0.75, 1.0]
    """
    require_positive("capacity_bits", capacity_bits)
    fitting = capacity_bits / domains.fact_bits

    def accuracy(stored: float) -> Float64[np.ndarray, " domains"]:
        share = stored / domains.asked
        return np.full(domains.domains, share + (1 - share) / domains.choices)

    def one(fitting: float) -> float:
        left = max(fitting - domains.shared, 0.0) / domains.domains
        return min(domains.shared, fitting) + min(domains.private, left)

    return Ways(
        accuracy(one(fitting)),
        accuracy(min(domains.asked, fitting)),
        accuracy(one(domains.domains * fitting)),
    )


def paying_range(domains: UniformDomains) -> tuple[float, float]:
    """Between which capacities of one model, in bits, k branches know more than the one model.

    From S H, below which both store nothing but shared facts, to $(k P + S) H$, from which on the
    one model knows everything. Between them the branches know $(1 - 1/k)(min(C/H, P + S) - S)$
    facts a domain more, until they know all and the one model catches up. For $k = 1$ or $P = 0$
    the range is empty: its ends are equal.

    >>> paying_range(UniformDomains(3, 100, 50, 4.0))
    (100.0, 700.0)
    """
    low = domains.shared_bits
    return (low, domains.all_bits) if domains.domains > 1 else (low, low)


def ways(
    frequency: npt.ArrayLike,
    choices: npt.ArrayLike,
    capacity_bits: float,
    *,
    kind: str = "rate_distortion",
) -> Ways:
    """The three ways for domains of any frequencies, by a bound.

    The one model is asked by every domain equally often, so that a fact counts by its mean
    frequency. A branch is asked by its domain alone.

    Args:
        frequency: how often each domain asks for each fact, (domains, facts); each row has the
            sum 1. A fact that several domains ask for is shared. `power_law_domains` makes such.
        choices: of each fact, or one for all, >= 1.
        capacity_bits: C, what one model holds, > 0.
        kind: `rate_distortion`, which no model can pass, or `all_or_nothing`, facts stored whole.

    Raises:
        ValueError: for an argument out of range.
    """
    require_positive("capacity_bits", capacity_bits)
    asked_KxF = np.asarray(frequency, float)
    if asked_KxF.ndim != 2 or asked_KxF.size == 0:
        raise ValueError("frequency must be one row a domain and one column a fact")
    if not np.allclose(asked_KxF.sum(axis=1), 1):
        raise ValueError("frequency must sum to 1 in each domain")
    if kind not in _BOUNDS:
        raise ValueError(f"kind must be one of {', '.join(_BOUNDS)}, not {kind!r}")
    bound = _BOUNDS[kind]
    mixture_F, number = asked_KxF.mean(axis=0), len(asked_KxF)

    def one(bits: float) -> Float64[np.ndarray, " domains"]:
        return asked_KxF @ bound(mixture_F, choices, bits).recall

    each = [bound(asked_F, choices, capacity_bits).accuracy for asked_F in asked_KxF]
    return Ways(one(capacity_bits), np.array(each), one(number * capacity_bits))
