"""What can be guessed: how common an answer is among the answers of its relation."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from jaxtyping import Bool, Float64

from factcap.capacity.retention.facts import CountedFacts, join

# Half a fact more for each answer seen, and for one not seen (Krichevsky and Trofimov 1981).
_HALF = 0.5


class Shares:
    """The share of each answer within its relation, from the training facts alone.

    With c of a relation's n training facts having the answer, and m different answers, the share
    is $(c + 1/2) / (n + (m + 1)/2)$. A training fact is left out of its own share, so that the
    share says the same of it as of a fact not seen. An answer of another relation gets the mean
    share. A fact that several models were asked counts once.
    """

    def __init__(self, training: Sequence[CountedFacts]):
        keys = np.concatenate([facts.keys() for facts in training])
        self._facts, first = np.unique(keys, return_index=True)
        relation = np.concatenate([facts.relation for facts in training])[first]
        object = np.concatenate([facts.object for facts in training])[first]
        answers, number, count = np.unique(
            join(relation, object), return_inverse=True, return_counts=True
        )
        relations, group, total = np.unique(relation, return_inverse=True, return_counts=True)
        home = np.zeros(len(answers), int)
        home[number] = group
        self._count = _table(answers, count)
        self._total = _table(relations, total)
        # What a fact's share is on average: all that is known of another relation.
        self._usual = float((count[number] / total[group]).mean())
        self._different = _table(relations, np.bincount(home, minlength=len(relations)))

    def of(self, facts: CountedFacts) -> Float64[np.ndarray, " facts"]:
        """The share of each fact's answer."""
        own = self._own(facts)
        total = _look_up(self._total, facts.relation) - own
        different = _look_up(self._different, facts.relation)
        share = (self._others(facts) + _HALF) / (total + _HALF * (different + 1))
        return np.where(different > 0, share, self._usual)

    def seen(self, facts: CountedFacts) -> Bool[np.ndarray, " facts"]:
        """Whether some other training fact has the same answer."""
        return self._others(facts) > 0

    def _own(self, facts: CountedFacts) -> npt.NDArray[np.float64]:
        return np.isin(facts.keys(), self._facts).astype(float)

    def _others(self, facts: CountedFacts) -> npt.NDArray[np.float64]:
        return _look_up(self._count, join(facts.relation, facts.object)) - self._own(facts)


def _table(names: npt.NDArray, values: npt.NDArray) -> dict[str, float]:
    return dict(zip(names.tolist(), values.tolist(), strict=True))


def _look_up(table: dict[str, float], names: npt.NDArray) -> npt.NDArray[np.float64]:
    different, number = np.unique(names, return_inverse=True)
    return np.array([float(table.get(name, 0.0)) for name in different.tolist()])[number]
