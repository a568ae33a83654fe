"""What knowing and guessing depend on: columns with a meaning, scaled by the training facts."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from jaxtyping import Float64

from factcap.capacity.retention.facts import CountedFacts
from factcap.capacity.retention.guess import Shares
from factcap.capacity.retention.posterior import Design, Prior

Part = tuple[str, str]
LN2 = float(np.log(2))

# Prior deviation of a coefficient, in nats of log odds a standard deviation of its column.
_DEVIATION, _INTERCEPT_DEVIATION = 5.0, 4.5
# Prior of the size's exponents at the middle size, mean and deviation: the odds of knowing grow as
# the parameters do, those of guessing not at all.
_SIZE_EXPONENT = {"known": (1.0, 0.5), "guess": (0.0, 0.5)}
# Loss falls with the parameters as P^-0.34 (Hoffmann et al. 2022), and log odds with it.
LOSS_EXPONENT = 0.34
# How far the log odds of two models of one size lie apart, in nats; a belief, not a measurement.
MODEL_DEVIATION = 0.25

# Columns of each part where names are known, and where they are not.
_NAMED = {
    "known": ("pair", "subject", "subject_length"),
    "guess": ("subject", "object", "share", "run", "object_length", "subject_length"),
}
_NAMELESS = {
    "known": ("pair", "subject", "always", "always_subject"),
    "guess": ("subject", "object", "share"),
}


def raw_columns(facts: CountedFacts, shares: Shares) -> dict[str, Float64[np.ndarray, " facts"]]:
    """Every column by name, not scaled; NaN where it is not known.

    * pair, subject, object: log2(1 + documents) that hold both, the subject, the object.
    * share: log2 of the answer's share within its relation, not known where no other training fact
      has the answer; entropy: bits of the answer.
    * run: how much of the object's name stands in the subject's; subject_length, object_length:
      log2 of the characters. A long name is rarely told of something else.
    * always: no document holds the subject without the object. Where names are not known, this
      says that the object may stand in the subject's name, the more so the more documents there
      are (always_subject: the same times log2(1 + subject's documents)).
    """
    always = (facts.pair_count == facts.subject_count) & (facts.subject_count > 0)
    subject = np.log2(1 + facts.subject_count)
    columns = {
        "pair": np.log2(1 + facts.pair_count),
        "subject": subject,
        "object": np.log2(1 + facts.object_count),
        "share": np.where(shares.seen(facts), np.log2(shares.of(facts)), np.nan),
        "always": always.astype(float),
        "always_subject": always * subject,
    }
    if facts.entropy_bits is not None:
        columns["entropy"] = facts.entropy_bits
    if facts.names is not None:
        columns["run"] = facts.names.run
        columns["subject_length"] = np.log2(np.maximum(facts.names.subject_length, 1))
        columns["object_length"] = np.log2(np.maximum(facts.names.object_length, 1))
    return columns


@dataclass(frozen=True)
class Columns:
    """Which columns the law has, and how training scales them.

    Attributes:
        parts: names of the columns of knowing and of guessing, without intercept and size.
        scale: mean and standard deviation of each column over the training facts.
        relations: the relations that training saw, ascending.
        objects: the objects that it saw, ascending.
        models: the models, in the order given.
        middle_size: geometric mean of their sizes; NaN where one is not known.
        size_exponent: alpha of `size_column`.
    """

    parts: dict[str, tuple[str, ...]]
    scale: dict[str, tuple[float, float]]
    relations: npt.NDArray
    objects: npt.NDArray
    models: tuple[str, ...]
    middle_size: float
    size_exponent: float

    @property
    def named(self) -> bool:
        """Whether the law uses names."""
        return "run" in self.parts["guess"]

    @property
    def sized(self) -> bool:
        """Whether the size is a column."""
        return bool(np.isfinite(self.middle_size))

    def names(self) -> list[Part]:
        """Part and column of each coefficient, knowing first."""
        more = ("size",) if self.sized else ()
        if len(self.models) > 1:
            more += tuple(f"model {name}" for name in self.models)
        return [
            (part, column)
            for part, columns in self.parts.items()
            for column in ("intercept", *columns, *more)
        ]

    def design(self, facts: CountedFacts, shares: Shares) -> Design:
        """The facts as the hierarchy takes them; what is not known counts as the mean."""
        scaled = self._scaled(facts, shares)
        parts = {part: [] for part in self.parts}
        for part, column in self.names():
            parts[part].append(scaled(column))
        return Design(
            known=np.stack(parts["known"], axis=1),
            guess=np.stack(parts["guess"], axis=1),
            relation=_codes(self.relations, facts.relation),
            answer=_codes(self.objects, facts.object),
            answers=len(self.objects) + 1,
        )

    def _scaled(self, facts: CountedFacts, shares: Shares) -> Callable[[str], npt.NDArray]:
        raw = raw_columns(facts, shares)

        def column(name: str) -> npt.NDArray:
            if name == "intercept":
                return np.ones(len(facts))
            if name == "size":
                size = size_column(facts.size / self.middle_size, self.size_exponent)
                return np.full(len(facts), np.nan_to_num(size))
            if name.startswith("model "):
                return np.full(len(facts), float(name == f"model {facts.model}"))
            if name not in raw:
                return np.zeros(len(facts))
            mean, deviation = self.scale[name]
            return np.nan_to_num((raw[name] - mean) / deviation, nan=0.0)

        return column

    def prior(self, accuracy: float) -> Prior:
        """What is believed before the fit: weak, but for the size and the models' own effects.

        Args:
            accuracy: mean of the training facts, from which the intercepts start.
        """
        usual = float(np.clip(accuracy, 1e-3, 0.9))
        beliefs = []
        for part, column in self.names():
            if column == "intercept":
                share = usual / 2 if part == "guess" else usual
                beliefs.append((np.log(share / (1 - share)), _INTERCEPT_DEVIATION, False))
            elif column == "size":
                mean, deviation = _SIZE_EXPONENT[part]
                beliefs.append((mean * LN2, deviation * LN2, False))
            elif column.startswith("model "):
                beliefs.append((0.0, MODEL_DEVIATION, True))
            else:
                beliefs.append((0.0, _DEVIATION, False))
        mean, deviation, fixed = zip(*beliefs, strict=True)
        return Prior(np.array(mean), np.array(deviation), np.array(fixed))

    def unit(self, column: str) -> float:
        """What turns a coefficient into log2 odds a unit of the column: an exponent."""
        return LN2 * self.scale.get(column, (0.0, 1.0))[1]


def size_column(ratio: float, exponent: float = LOSS_EXPONENT) -> float:
    """What size enters as: log2 of the ratio to the middle size, bent by diminishing returns.

    (1 - ratio^-alpha) / (alpha ln 2), which has the slope of log2 at ratio 1 and ends at 1 / (alpha
    ln 2); log2 itself for alpha = 0.

    >>> size_column(8.0, 0.0), round(size_column(8.0), 2)
    (3.0, 2.15)
    """
    bent = -math.expm1(-exponent * math.log(ratio)) / exponent if exponent else math.log(ratio)
    return bent / LN2


def choose_columns(
    training: Sequence[CountedFacts], shares: Shares, size_exponent: float = LOSS_EXPONENT
) -> Columns:
    """The columns that the training facts allow, with their scales.

    Args:
        training: facts of each model; all with names, or the names are not used.
        shares: of the answers.
        size_exponent: alpha of `size_column`.
    """
    named = all(facts.names is not None for facts in training)
    entropy = all(facts.entropy_bits is not None for facts in training)
    parts = dict(_NAMED if named else _NAMELESS)
    if entropy:
        parts["guess"] = (*parts["guess"], "entropy")
    raw = [raw_columns(facts, shares) for facts in training]
    wanted = sorted({column for columns in parts.values() for column in columns})
    sizes = np.array([facts.size for facts in training])
    return Columns(
        parts=parts,
        scale={name: _scale(np.concatenate([each[name] for each in raw])) for name in wanted},
        relations=np.unique(np.concatenate([facts.relation for facts in training])),
        objects=np.unique(np.concatenate([facts.object for facts in training])),
        models=tuple(facts.model for facts in training),
        middle_size=float(np.exp(np.log(sizes).mean())),
        size_exponent=size_exponent,
    )


def _scale(values: npt.NDArray) -> tuple[float, float]:
    there = values[np.isfinite(values)]
    if not len(there):
        return 0.0, 1.0
    return float(there.mean()), float(there.std()) or 1.0


def _codes(known: npt.NDArray, names: npt.NDArray) -> npt.NDArray[np.int64]:
    """The place of each name among those known; the number of those known for any other."""
    place = np.minimum(np.searchsorted(known, names), len(known) - 1)
    return np.where(known[place] == names, place, len(known))
