"""Facts with how often they stand in a corpus, and how often a model gets them right."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from jaxtyping import Bool, Float64, Shaped


@dataclass(frozen=True)
class Names:
    """What the names of subject and object tell, a number a fact.

    Attributes:
        standing: the object's name stands in the subject's, letter for letter. An answer that
            repeats the subject is then right, and needs no memory.
        run: length of the longest piece of the object's name that stands in the subject's, upper
            and lower case alike, over the length of the object's name; 0 to 1.
        subject_length: characters of the subject's name.
        object_length: characters of the object's name.
    """

    standing: Bool[np.ndarray, " facts"]
    run: Float64[np.ndarray, " facts"]
    subject_length: Float64[np.ndarray, " facts"]
    object_length: Float64[np.ndarray, " facts"]


@dataclass(frozen=True)
class CountedFacts:
    """Facts of one model: counts of documents in its corpus, and its accuracy on each.

    Attributes:
        relation: what is asked, a name a fact.
        object: the answer, a name a fact. Where names are not known, anything that is the same for
            facts of the same answer.
        subject_count: documents that hold the subject.
        object_count: documents that hold the object.
        pair_count: documents that hold both.
        accuracy: share of right answers, 0 to 1; NaN where it is not known.
        documents: documents in the corpus. Models of equally many are taken for models of one
            corpus.
        subject: what the fact is about, where names are known.
        answers: how many answers stand behind each accuracy; NaN where that is not known.
        entropy_bits: entropy of each fact's answer, where it is known.
        names: what the names tell, where they are known.
        model: name of the model.
        size: its parameters; NaN where that is not known.
    """

    relation: Shaped[np.ndarray, " facts"]
    object: Shaped[np.ndarray, " facts"]
    subject_count: Float64[np.ndarray, " facts"]
    object_count: Float64[np.ndarray, " facts"]
    pair_count: Float64[np.ndarray, " facts"]
    accuracy: Float64[np.ndarray, " facts"]
    documents: float
    subject: Shaped[np.ndarray, " facts"] | None = None
    answers: Float64[np.ndarray, " facts"] | None = None
    entropy_bits: Float64[np.ndarray, " facts"] | None = None
    names: Names | None = None
    model: str = "model"
    size: float = float("nan")

    def __len__(self) -> int:
        return len(self.relation)

    def keys(self) -> npt.NDArray:
        """A name for each fact, the same in the files of all models of a corpus."""
        subject = self.subject
        if subject is None:
            counts = zip(self.subject_count, self.pair_count, strict=True)
            subject = np.array([f"{own:g} {pair:g}" for own, pair in counts], dtype=np.str_)
        return join(join(self.relation, self.object), subject)

    def take(self, rows: npt.NDArray) -> "CountedFacts":
        """Some facts, by their numbers or by a mask."""
        return _take(self, rows)

    def blind(self) -> "CountedFacts":
        """The same facts without their accuracy: what a prediction may see."""
        return replace(self, accuracy=np.full(len(self), np.nan))

    def at_size(self, size: float) -> "CountedFacts":
        """The same facts, asked of a model of another size that nobody has measured."""
        return replace(self.blind(), size=float(size), model=f"{size:.3g} parameters")


def join(first: npt.NDArray, second: npt.NDArray) -> npt.NDArray:
    """Two names as one, by the unit separator, which stands in no name."""
    return np.char.add(np.char.add(first, "\x1f"), second)


def _take(whole: Any, rows: npt.NDArray) -> Any:
    """The rows of every array of a dataclass, and of the dataclasses in it."""
    parts = {}
    for field in fields(whole):
        value = getattr(whole, field.name)
        if isinstance(value, np.ndarray):
            parts[field.name] = value[rows]
        elif isinstance(value, Names):
            parts[field.name] = _take(value, rows)
    return replace(whole, **parts)


def compare_names(subject: Sequence[str], object: Sequence[str]) -> Names:
    """What the names of subjects and objects tell about their facts.

    Args:
        subject: a name a fact.
        object: a name a fact.

    >>> names = compare_names(["Bank of Scotland", "Mexican Cup"], ["Scotland", "Mexico"])
    >>> names.standing.tolist(), names.run.round(2).tolist()
    ([True, False], [1.0, 0.83])
    """
    pairs = list(zip(subject, object, strict=True))
    return Names(
        standing=np.array([theirs in mine for mine, theirs in pairs], dtype=bool),
        run=np.array([_longest_run(mine.lower(), theirs.lower()) for mine, theirs in pairs]),
        subject_length=np.array([float(len(mine)) for mine, _ in pairs]),
        object_length=np.array([float(len(theirs)) for _, theirs in pairs]),
    )


def _longest_run(text: str, piece: str) -> float:
    """Share of `piece` in its longest substring that stands in `text`; 1 for an empty piece."""
    # A common substring contains one of every smaller length, so the length can be bisected.
    low, high = 0, len(piece)
    while low < high:
        middle = (low + high + 1) // 2
        starts = range(len(piece) - middle + 1)
        if any(piece[start : start + middle] in text for start in starts):
            low = middle
        else:
            high = middle - 1
    return low / len(piece) if piece else 1.0


def answers_behind(accuracy: npt.ArrayLike, most: int = 2000) -> float:
    """The fewest answers whose shares all these accuracies can be, or NaN if more than `most`.

    Args:
        accuracy: shares of right answers, 0 to 1.
        most: where to stop.

    >>> answers_behind([0.25, 0.5, 0.3])
    20.0
    """
    shares = np.unique(np.asarray(accuracy, float))
    for answers in range(1, most + 1):
        right = shares * answers
        if np.all(np.abs(right - np.round(right)) < 1e-7 * answers):
            return float(answers)
    return float("nan")
