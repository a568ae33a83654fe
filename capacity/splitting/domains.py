"""Domains that ask for facts, some of which they all ask for."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from factcap.capacity.arguments import require_choices, require_whole


@dataclass(frozen=True)
class UniformDomains:
    """k domains of equally frequent facts, a part of which all domains ask for.

    Attributes:
        domains: k, at least 1.
        private: facts that one domain alone asks for, the same number in each; at least 0.
        shared: facts that every domain asks for, at least 0.
        choices: how many values of a fact were equally likely, above 1.

    Raises:
        ValueError: for a value out of range, or domains without a fact.
    """

    domains: int
    private: int
    shared: int
    choices: float

    def __post_init__(self):
        require_whole("domains", self.domains)
        require_whole("private", self.private, least=0)
        require_whole("shared", self.shared, least=0)
        require_choices(self.choices)
        if self.choices == 1:
            raise ValueError("choices must be above 1: a fact of one choice costs nothing")
        if self.asked == 0:
            raise ValueError("private and shared are both 0; a domain needs a fact")

    @property
    def asked(self) -> int:
        """Facts that one domain asks for."""
        return self.private + self.shared

    @property
    def fact_bits(self) -> float:
        """Entropy of one fact, in bits."""
        return math.log2(self.choices)

    @property
    def domain_bits(self) -> float:
        """What one domain asks for, in bits."""
        return self.asked * self.fact_bits

    @property
    def shared_bits(self) -> float:
        """The mutual information between the facts of any two domains, in bits."""
        return self.shared * self.fact_bits

    @property
    def all_bits(self) -> float:
        """What all domains ask for, the shared facts counted once, in bits."""
        return (self.domains * self.private + self.shared) * self.fact_bits


def shared_ranks(private: int, shared: int) -> Bool[np.ndarray, " asked"]:
    """Which of a domain's facts, the most frequent first, are shared: evenly spread ranks.

    >>> shared_ranks(4, 2).tolist()
    [False, False, True, False, False, True]
    """
    asked = private + shared
    return np.diff(np.arange(asked + 1) * shared // asked) > 0


def power_law_domains(
    domains: int, private: int, shared: int, exponent: float
) -> Float64[np.ndarray, "domains facts"]:
    """How often each domain asks for each fact, by a power law of the rank within the domain.

    Every domain asks for the fact of rank i in proportion to i^-exponent. Shared facts have the
    same rank in all domains, and their ranks are spread evenly.

    Args:
        domains: k, at least 1.
        private: facts of each domain alone, at least 0.
        shared: facts of all domains, at least 0; not both 0.
        exponent: at least 0; 0 gives uniform domains.

    Returns:
        The frequencies, each row with the sum 1. First come the shared facts, by rank, then the
        private facts of each domain.

    Raises:
        ValueError: for an argument out of range.

    >>> power_law_domains(2, 1, 1, 1.0).round(3).tolist()
    [[0.333, 0.667, 0.0], [0.333, 0.0, 0.667]]
    """
    UniformDomains(domains, private, shared, 2.0)
    if not (exponent >= 0 and math.isfinite(exponent)):
        raise ValueError(f"exponent must be finite and >= 0, not {exponent}")
    by_rank = np.arange(1, private + shared + 1, dtype=float) ** -exponent
    by_rank /= by_rank.sum()
    is_shared = shared_ranks(private, shared)
    found = np.zeros((domains, shared + domains * private))
    found[:, :shared] = by_rank[is_shared]
    for domain in range(domains):
        first = shared + domain * private
        found[domain, first : first + private] = by_rank[~is_shared]
    return found
