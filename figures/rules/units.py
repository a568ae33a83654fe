"""Rules and facts learned by a network of growing width, beside the theory of random features."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from factcap.capacity.rules_and_facts import bayes_optimal_error, kernel_coefficients, solve
from factcap.figures.fields import Count, Positive, ProperShare
from factcap.models.one_hidden_layer import fit_network, labels_wrongly
from factcap.synth import rules_and_facts
from factcap.synth.errors import require

RIDGE = 0.001
_FRESH = 4000


@dataclass(frozen=True)
class NetworkPlan:
    """Which networks are trained.

    Attributes:
        dimension: d, of the inputs.
        load: training points a dimension.
        epsilon: share of facts.
        hidden: numbers of units.
        steps: of each training.
        repeats: draws of points and weights.
    """

    dimension: Count = 100
    load: Positive = 3.0
    epsilon: ProperShare = 0.2
    hidden: tuple[Count, ...] = (1, 2, 4, 8, 16, 64, 256)
    steps: Count = 2000
    repeats: Count = 5

    def __post_init__(self):
        require(
            round(self.load * self.dimension) >= 1,
            f"a load of {self.load:g} is less than one point in {self.dimension} dimensions",
        )


def network_row(plan: NetworkPlan, hidden: int, seed: int) -> dict[str, Any]:
    """Train one network; its errors on new points, on its facts, and on what followed the rule."""
    points, dimension = round(plan.load * plan.dimension), plan.dimension
    drawn = rules_and_facts(points, dimension, plan.epsilon, seed=seed)
    network = fit_network(drawn, hidden=hidden, steps=plan.steps, seed=seed)
    fresh = np.random.default_rng([seed, 4]).normal(size=(_FRESH, dimension))
    wrong = labels_wrongly(network, drawn.inputs, drawn.labels)
    by_rule = np.where(fresh @ drawn.teacher > 0, 1.0, -1.0)
    return {
        "kind": "network",
        "epsilon": plan.epsilon,
        "hidden": hidden,
        "parameters": hidden * (dimension + 2) + 1,
        "facts": points,
        "seed": seed,
        "generalization_error": float(labels_wrongly(network, fresh, by_rule).mean()),
        "memorization_error": _share(wrong[drawn.is_fact]),
        "rule_training_error": _share(wrong[~drawn.is_fact]),
    }


def theory_rows(plan: NetworkPlan) -> list[dict[str, Any]]:
    """A logistic learner of as many random rectified linear units; and the best of all learners."""
    relu = kernel_coefficients("relu")
    rows: list[dict[str, Any]] = [
        {
            "kind": "Bayes-optimal",
            "epsilon": plan.epsilon,
            "generalization_error": bayes_optimal_error(plan.load, plan.epsilon),
        }
    ]
    found = None
    for hidden in np.geomspace(min(plan.hidden), max(plan.hidden), 33).tolist():
        found = solve(
            loss="logistic",
            alpha=plan.load,
            epsilon=plan.epsilon,
            ridge=RIDGE,
            mu1=relu.mu1,
            mu_star=relu.mu_star,
            width=hidden / plan.dimension,
            start=found,
        )
        rows.append(
            {
                "kind": "random features",
                "epsilon": plan.epsilon,
                "hidden": hidden,
                "generalization_error": found.generalization_error,
                "memorization_error": found.memorization_error,
                "rule_training_error": found.rule_training_error,
            }
        )
    return rows


def _share(wrong: np.ndarray) -> float:
    return float(wrong.mean()) if len(wrong) else math.nan
