"""Labels that mostly follow a rule and sometimes are facts: a teacher, and coins."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from factcap.synth.errors import require


@dataclass(frozen=True)
class RulesAndFacts:
    """Points of which some follow a rule and the others are facts.

    Attributes:
        inputs: independent normal variables.
        labels: -1 or 1.
        is_fact: whether the label is a fair coin's; the other labels are the sign of the rule.
        teacher: the rule, a vector of length sqrt(dimension).
        epsilon: the probability of a fact.
        seed: of everything.
    """

    inputs: Float64[np.ndarray, "points dimension"]
    labels: Float64[np.ndarray, " points"]
    is_fact: Bool[np.ndarray, " points"]
    teacher: Float64[np.ndarray, " dimension"]
    epsilon: float
    seed: int

    def __len__(self) -> int:
        """The number of points."""
        return len(self.labels)


def rules_and_facts(points: int, dimension: int, epsilon: float, *, seed: int = 0) -> RulesAndFacts:
    """Draw points of the model of Farne, Boncoraglio and Zdeborova 2026 (2603.25579).

    With probability 1 - epsilon y = sign(w*.x), with probability epsilon a fair coin; so half of
    the facts agree with the rule by chance, and the label of a fact is one bit given its input.
    The first points are those of a smaller set with the same dimension and seed, and a larger
    epsilon makes facts of more of the same points.

    Args:
        points: n, at least 1.
        dimension: d, at least 1.
        epsilon: 0 to 1.
        seed: of teacher, inputs and coins.

    Raises:
        BadInput: for an argument out of range.

    >>> drawn = rules_and_facts(6, 3, 0.5)
    >>> drawn.inputs.shape, drawn.is_fact.tolist()
    ((6, 3), [False, True, True, True, True, False])
    >>> bool(np.all((drawn.labels == np.sign(drawn.inputs @ drawn.teacher))[~drawn.is_fact]))
    True
    """
    require(points >= 1, f"points must be at least 1, not {points}")
    require(dimension >= 1, f"dimension must be at least 1, not {dimension}")
    require(0 <= epsilon <= 1, f"epsilon must lie in [0, 1], not {epsilon}")
    require(seed >= 0, f"seed must be >= 0, not {seed}")
    # The marks are not 0: a seed sequence ignores zeros at its end.
    of_teacher, of_inputs, of_labels = (np.random.default_rng([seed, mark]) for mark in (1, 2, 3))
    teacher = of_teacher.normal(size=dimension)
    teacher *= math.sqrt(dimension) / np.linalg.norm(teacher)
    inputs = of_inputs.normal(size=(points, dimension))
    chance, coin = of_labels.random((points, 2)).T
    is_fact = chance < epsilon
    labels = np.where(is_fact, coin < 0.5, inputs @ teacher > 0) * 2.0 - 1.0
    return RulesAndFacts(inputs, labels, is_fact, teacher, epsilon, seed)
