"""Facts in domains: some asked for in one domain, some in all, and perhaps a rule in common."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from jaxtyping import Bool, Float64, Int64

from factcap.synth.errors import require
from factcap.synth.factset import FactSet, Origin
from factcap.synth.generators.permutation import permute
from factcap.synth.generators.text import token_strings, token_texts

_SHARED = -1


@dataclass(frozen=True)
class Domains:
    """Facts, and how often each of several domains asks for each.

    Attributes:
        facts: all facts; how often each is drawn: by the mixture of all domains, or as one domain
            asks, perhaps with a share of the mixture.
        asked: how often each domain asks for each fact; each row has the sum 1.
        weights: share of each domain in the mixture; sum 1.
        domain_of: the domain of each private fact, -1 for a shared one.
        rule_places: value tokens that follow a rule which all domains have in common.
        symbols: of each token.
    """

    facts: FactSet
    asked: Float64[np.ndarray, "domains facts"]
    weights: Float64[np.ndarray, " domains"]
    domain_of: Int64[np.ndarray, " facts"]
    rule_places: int
    symbols: int

    def __len__(self) -> int:
        """The number of domains."""
        return len(self.weights)

    @property
    def mixture(self) -> Float64[np.ndarray, " facts"]:
        """How often each fact is drawn from the mixture of all domains."""
        return self.weights @ self.asked

    def view(self, domain: int | None = None, replay: float = 0.0) -> FactSet:
        """All facts, drawn as a domain asks for them; of the others the frequency is 0.

        They are measured all the same: what a model of the domain has kept of them is seen.

        Args:
            domain: number of the domain; None: the mixture.
            replay: share of the draws that come from the mixture.

        Raises:
            BadInput: for a domain that is not there, or a share outside [0, 1].
        """
        require(0 <= replay <= 1, f"replay must lie in [0, 1], not {replay}")
        if domain is None:
            return replace(self.facts, frequency=self.mixture)
        require(
            0 <= domain < len(self),
            f"there are domains 0 to {len(self) - 1}, not {domain}",
        )
        drawn = (1 - replay) * self.asked[domain] + replay * self.mixture
        return replace(self.facts, frequency=drawn / drawn.sum())

    def domain_bits(self, domain: int) -> float:
        """Entropy of what a domain asks for, given the keys: of its facts, and of its rule."""
        wanted = self.asks(domain)
        return float(self.facts.entropy_bits[wanted].sum()) + self._rule_bits(wanted)

    def overlap_bits(self, one: int, other: int) -> float:
        """Mutual information between what two domains ask for, given the keys, in bits.

        That of the facts that both ask for, and of the rule: as much of it as the facts of one
        show, and those of the other, less what they show together. A rule of which both show
        everything counts whole.
        """
        first, second = self.asks(one), self.asks(other)
        shared = float(self.facts.entropy_bits[first & second].sum())
        rule = self._rule_bits(first) + self._rule_bits(second) - self._rule_bits(first | second)
        return shared + rule

    def asks(self, domain: int) -> Bool[np.ndarray, " facts"]:
        """Which facts a domain asks for."""
        kept = self.domain_of == domain
        return kept | (self.domain_of == _SHARED)

    def _rule_bits(self, facts: npt.NDArray[np.bool_]) -> float:
        """Entropy of what some facts show of the rule: of m of V symbols, log2 V! / (V - m)!."""
        keys = self.facts.tokens[facts, : self.rule_places]
        seen = [len(np.unique(keys[:, place])) for place in range(self.rule_places)]
        log2 = [
            math.lgamma(self.symbols + 1) - math.lgamma(self.symbols - count + 1) for count in seen
        ]
        return sum(log2) / math.log(2)


def domains(
    private: int | Sequence[int],
    shared: int = 0,
    *,
    count: int = 2,
    exponent: float = 0.0,
    weights: Sequence[float] | None = None,
    vocabulary: int = 64,
    key_length: int = 4,
    value_length: int = 3,
    rule_places: int = 0,
    domain: int | None = None,
    replay: float = 0.0,
    seed: int = 0,
) -> Domains:
    """Draw facts for several domains, with an overlap that is exact by construction.

    Every domain asks for its private facts and for all shared ones, by a power law of the rank
    within the domain; the ranks of the shared facts are spread evenly, and are the same in domains
    of one size. A key is a random sequence of tokens, distinct among all facts. A value begins with
    `rule_places` tokens that follow a rule: token j is a permutation, drawn once for all domains,
    of token j of the key. The other tokens are uniform and independent: they alone are the fact's
    entropy. So two domains share the entropy of the shared facts, and the rule.

    The shared facts come first, then the private ones, domain by domain. The values of a domain do
    not depend on how many facts the others have.

    Args:
        private: facts of each domain alone; one number for all, or one a domain.
        shared: facts that every domain asks for.
        count: number of domains, where `private` is one number.
        exponent: of the power law, at least 0.
        weights: share of each domain in the mixture, in proportion; None: equal shares.
        vocabulary: symbols of each token, at least 2.
        key_length: tokens of a key.
        value_length: tokens of a value that are the fact's own.
        rule_places: tokens of a value that follow the common rule, 0 to `key_length`.
        domain: whose frequency `facts` has; None: that of the mixture.
        replay: share of the mixture in it.
        seed: of everything.

    Raises:
        BadInput: for an argument out of range.

    >>> made = domains([3, 1], 2, vocabulary=16, value_length=2)
    >>> made.domain_of.tolist(), made.overlap_bits(0, 1), made.domain_bits(0)
    ([-1, -1, 0, 0, 0, 1], 16.0, 40.0)
    >>> made.view(1).frequency.round(2).tolist()
    [0.33, 0.33, 0.0, 0.0, 0.0, 0.33]
    """
    sizes = [private] * count if isinstance(private, int) else list(private)
    _check(
        sizes, shared, exponent, weights, vocabulary, key_length, value_length, rule_places, seed
    )
    total = shared + sum(sizes)
    owner = np.repeat([_SHARED, *range(len(sizes))], [shared, *sizes])
    keys = _keys(total, vocabulary, key_length, seed)
    values = [
        np.random.default_rng([seed, 2, part]).integers(vocabulary, size=(size, value_length))
        for part, size in enumerate([shared, *sizes])
    ]
    rule = np.random.default_rng([seed, 1]).permuted(
        np.broadcast_to(np.arange(vocabulary), (rule_places, vocabulary)), axis=1
    )
    follows = rule[np.arange(rule_places), keys[:, :rule_places]]
    tokens = np.concatenate([keys, follows, np.concatenate(values)], axis=1).astype(np.int32)
    share = np.ones(len(sizes)) if weights is None else np.asarray(weights, float)
    asked = np.stack([_asked(owner, number, exponent) for number in range(len(sizes))])
    texts = token_texts(vocabulary)
    arguments = {"private": sizes, "shared": shared, "exponent": exponent}
    arguments |= {"weights": None if weights is None else list(weights), "vocabulary": vocabulary}
    arguments |= {"key_length": key_length, "value_length": value_length}
    arguments |= {"rule_places": rule_places, "domain": domain, "replay": replay}
    facts = FactSet(
        keys=token_strings(tokens[:, :key_length], texts),
        values=token_strings(tokens[:, key_length:], texts),
        choices=np.full(total, float(vocabulary) ** value_length),
        frequency=(share / share.sum()) @ asked,
        tokens=tokens,
        key_length=np.full(total, key_length, np.int32),
        length=np.full(total, tokens.shape[1], np.int32),
        origin=Origin(
            generator="domains",
            arguments=arguments,
            seed=seed,
            vocabulary_size=vocabulary,
            notes=("entropy is exact, and that left to one who knows the rule",),
        ),
    )
    made = Domains(
        facts, asked, share / share.sum(), owner.astype(np.int64), rule_places, vocabulary
    )
    return replace(made, facts=made.view(domain, replay))


def _keys(facts: int, vocabulary: int, key_length: int, seed: int) -> npt.NDArray[np.int64]:
    number = permute(np.arange(facts), min(vocabulary**key_length, 2**62), seed)
    keys = np.empty((facts, key_length), np.int64)
    for place in range(key_length):
        number, keys[:, place] = np.divmod(number, vocabulary)
    return keys


def _asked(
    owner: npt.NDArray[np.int64], domain: int, exponent: float
) -> Float64[np.ndarray, " facts"]:
    """How often a domain asks for each fact."""
    shared, private = np.flatnonzero(owner == _SHARED), np.flatnonzero(owner == domain)
    total = len(shared) + len(private)
    is_shared = np.diff(np.arange(total + 1) * len(shared) // total) > 0
    by_rank = np.arange(1, total + 1, dtype=float) ** -exponent
    by_rank /= by_rank.sum()
    found = np.zeros(len(owner))
    found[shared], found[private] = by_rank[is_shared], by_rank[~is_shared]
    return found


def _check(
    sizes: list[int],
    shared: int,
    exponent: float,
    weights: Sequence[float] | None,
    vocabulary: int,
    key_length: int,
    value_length: int,
    rule_places: int,
    seed: int,
) -> None:
    require(len(sizes) >= 1, "there must be at least one domain")
    require(
        shared >= 0 and all(size >= 0 and size + shared >= 1 for size in sizes),
        f"every domain must ask for at least one fact, not {sizes} private and {shared} shared",
    )
    require(
        math.isfinite(exponent) and exponent >= 0,
        f"exponent must be finite and >= 0, not {exponent}",
    )
    if weights is not None:
        good = len(weights) == len(sizes) and all(
            math.isfinite(weight) and weight > 0 for weight in weights
        )
        require(good, f"weights must be {len(sizes)} positive numbers, not {list(weights)}")
    require(2 <= vocabulary <= 2**31, f"vocabulary must be 2 to 2^31, not {vocabulary}")
    require(key_length >= 1, f"key_length must be at least 1, not {key_length}")
    require(value_length >= 1, f"value_length must be at least 1, not {value_length}")
    require(
        0 <= rule_places <= key_length,
        f"rule_places must be 0 to key_length = {key_length}, not {rule_places}",
    )
    require(
        value_length * math.log2(vocabulary) < 1023, f"value_length {value_length} is too large"
    )
    require(seed >= 0, f"seed must be >= 0, not {seed}")
    total = shared + sum(sizes)
    require(
        total <= vocabulary**key_length,
        f"{key_length} key tokens of {vocabulary} tell {vocabulary**key_length} facts apart, not "
        f"{total}; raise key_length",
    )
