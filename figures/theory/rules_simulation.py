"""Rules and facts, simulated: learners of finitely many dimensions beside the theory."""

import csv
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from factcap.capacity.rules_and_facts import (
    ACTIVATIONS,
    KernelCoefficients,
    Solution,
    arc_cosine_kernel,
    fit,
    kernel_coefficients,
    rbf_kernel,
    solve,
)
from factcap.capacity.rules_and_facts.losses import LossName
from factcap.synth import RulesAndFacts, rules_and_facts

ERRORS = ("generalization_error", "memorization_error", "rule_training_error")
# Kernels kappa of the cosine of two inputs; that of an activation is E s(u) s(v). The narrower a
# kernel, the more dimensions the theory takes: for RBF 0.6 it is 0.02 off at 100, 0.01 at 300.
KERNELS: dict[str, Callable] = {
    "relu": lambda t: arc_cosine_kernel(1)(t) / 2,
    "erf": lambda t: 2 / math.pi * np.arcsin(2 / 3 * t),
    "sign": lambda t: 2 / math.pi * np.arcsin(np.clip(t, -1, 1)),
    "RBF 1": rbf_kernel(1.0),
    "RBF 0.75": rbf_kernel(0.75),
}
_FRESH = 4000


@dataclass(frozen=True)
class Setting:
    """A learner and its task.

    Attributes:
        loss: square, hinge or logistic.
        alpha: training points a dimension.
        epsilon: share of facts.
        ridge: of the sum of the losses.
        features: `linear`, a name of `KERNELS`, or of `ACTIVATIONS` where the width is finite.
        width: random features a dimension.
    """

    loss: LossName
    alpha: float
    epsilon: float
    ridge: float
    features: str = "linear"
    width: float = math.inf

    def coefficients(self) -> KernelCoefficients:
        """mu0, mu1 and mu_star of the features."""
        if self.features == "linear":
            return KernelCoefficients(0.0, 1.0, 0.0)
        if self.width < math.inf:
            return kernel_coefficients(self.features)
        return kernel_coefficients(kernel=KERNELS[self.features])

    def theory(self, start: Solution | None = None) -> Solution:
        """The learner of infinitely many dimensions."""
        found = self.coefficients()
        return solve(
            loss=self.loss,
            alpha=self.alpha,
            epsilon=self.epsilon,
            ridge=self.ridge,
            mu1=found.mu1,
            mu_star=found.mu_star,
            width=self.width,
            start=start,
        )


@dataclass(frozen=True)
class Simulated:
    """Errors of learners of finitely many dimensions.

    Attributes:
        mean: of each of `ERRORS`, over the draws with such points; NaN unless there were two.
        error: standard error of the mean.
        converged: whether every learner reached its gap.
    """

    mean: dict[str, float]
    error: dict[str, float]
    converged: bool


def simulate(setting: Setting, dimension: int, repeats: int, seed: int) -> Simulated:
    """Draw and learn `repeats` times, with the seeds from seed * 1000 on."""
    found, converged = [], True
    for number in range(repeats):
        drawn = rules_and_facts(
            round(setting.alpha * dimension),
            dimension,
            setting.epsilon,
            seed=1000 * seed + number,
        )
        errors, reached = _learn(setting, drawn)
        found.append(errors)
        converged &= reached
    means, spreads = zip(*(_mean(column) for column in np.transpose(found)), strict=True)
    return Simulated(
        dict(zip(ERRORS, means, strict=True)), dict(zip(ERRORS, spreads, strict=True)), converged
    )


def _mean(values: Float64[np.ndarray, " draws"]) -> tuple[float, float]:
    """Mean and its standard error over the draws that have a value."""
    there = values[np.isfinite(values)]
    if len(there) < 2:
        return math.nan, math.nan
    return float(there.mean()), float(there.std(ddof=1)) / math.sqrt(len(there))


def _learn(setting: Setting, drawn: RulesAndFacts) -> tuple[list[float], bool]:
    # One stream for what the learner adds: its features, then fresh inputs.
    rng = np.random.default_rng([drawn.seed, 4])
    dimension = len(drawn.teacher)
    if setting.features == "linear":
        gram = drawn.inputs @ drawn.inputs.T / dimension
        learned = fit(setting.loss, gram, drawn.labels, setting.ridge)
        weights = drawn.inputs.T @ learned.coefficients
        cosine = weights @ drawn.teacher / np.linalg.norm(weights) / math.sqrt(dimension)
        generalization = math.acos(cosine) / math.pi
    else:
        embed, kernel = _kernel(setting, dimension, rng)
        train = embed(drawn.inputs)
        learned = fit(setting.loss, kernel(train @ train.T), drawn.labels, setting.ridge)
        fresh = rng.normal(size=(_FRESH, dimension))
        field = kernel(embed(fresh) @ train.T) @ learned.coefficients
        generalization = np.mean(field * (fresh @ drawn.teacher) < 0)
    wrong = learned.margins < 0
    errors = [generalization, _share(wrong[drawn.is_fact]), _share(wrong[~drawn.is_fact])]
    return errors, learned.converged


def _share(wrong: np.ndarray) -> float:
    return float(wrong.mean()) if len(wrong) else math.nan


def _kernel(
    setting: Setting, dimension: int, rng: np.random.Generator
) -> tuple[Callable[[Float64[np.ndarray, "n d"]], Float64[np.ndarray, "n p"]], Callable]:
    """A map of inputs to vectors, and the kernel as a function of their products.

    The inputs are brought to length sqrt d, which changes no label: theory speaks of kernels of
    x.x' / d at |x|^2 = d, and of finitely many dimensions only the length would show.
    """

    def unit(inputs: Float64[np.ndarray, "n d"]) -> Float64[np.ndarray, "n d"]:
        return inputs / np.linalg.norm(inputs, axis=1, keepdims=True)

    if setting.width == math.inf:
        return unit, KERNELS[setting.features]
    activation = ACTIVATIONS[setting.features]
    weights = rng.normal(size=(dimension, round(setting.width * dimension)))

    def embed(inputs: Float64[np.ndarray, "n d"]) -> Float64[np.ndarray, "n p"]:
        features = np.asarray(activation(unit(inputs) @ weights))
        return features / math.sqrt(weights.shape[1])

    return embed, lambda products: products


# Five settings a learner: below, at and beyond the load it meets, little and much ridge.
TABLE = (
    Setting("square", 0.5, 0.3, 0.1),
    Setting("square", 1.0, 0.3, 0.5),
    Setting("square", 1.5, 0.5, 0.0),
    Setting("square", 2.0, 0.2, 1.5),
    Setting("square", 3.0, 0.5, 5.0),
    Setting("hinge", 0.5, 0.3, 0.1),
    Setting("hinge", 1.0, 0.5, 0.0),
    Setting("hinge", 1.5, 0.5, 0.1),
    Setting("hinge", 1.5, 0.3, 1.0),
    Setting("hinge", 2.0, 0.5, 3.0),
    Setting("logistic", 0.5, 0.3, 0.01),
    Setting("logistic", 1.0, 0.5, 0.1),
    Setting("logistic", 1.5, 0.3, 0.5),
    Setting("logistic", 2.0, 0.5, 0.1),
    Setting("logistic", 2.0, 0.3, 2.0),
    Setting("square", 0.5, 0.3, 0.0, "sign"),
    Setting("square", 1.0, 0.3, 0.3, "relu"),
    Setting("square", 1.5, 0.5, 0.2, "erf"),
    Setting("square", 2.0, 0.3, 1.0, "RBF 1"),
    Setting("hinge", 1.5, 0.5, 0.3, "erf"),
    Setting("square", 1.0, 0.3, 0.0, "sign", 2.0),
    Setting("square", 1.5, 0.5, 0.1, "erf", 1.0),
    Setting("square", 2.0, 0.3, 0.1, "relu", 1.5),
    Setting("hinge", 1.5, 0.5, 0.1, "tanh", 1.0),
    Setting("logistic", 1.5, 0.3, 0.01, "relu", 2.0),
)
TABLE_COLUMNS = (
    *("loss", "features", "width", "alpha", "epsilon", "ridge", "dimension", "repeats"),
    *(f"{error}{part}" for error in ERRORS for part in ("", "_simulated", "_standard_error")),
    "converged",
)


def table_row(setting: Setting, dimension: int, repeats: int, seed: int) -> dict[str, Any]:
    """Theory and simulation of a setting side by side, by `TABLE_COLUMNS`."""
    theory, simulated = setting.theory(), simulate(setting, dimension, repeats, seed)
    numbers = [
        number
        for error in ERRORS
        for number in (getattr(theory, error), simulated.mean[error], simulated.error[error])
    ]
    row = (
        *(setting.loss, setting.features, setting.width, setting.alpha, setting.epsilon),
        *(setting.ridge, dimension, repeats, *numbers),
        theory.converged and simulated.converged,
    )
    return dict(zip(TABLE_COLUMNS, row, strict=True))


def write_table(
    path: Path, settings: Sequence[Setting] = TABLE, dimension: int = 1000, repeats: int = 16
) -> list[dict[str, Any]]:
    """Write a CSV with the rows of `table_row`, and return them."""
    rows = [
        table_row(setting, dimension, repeats, number + 1)
        for number, setting in enumerate(settings)
    ]
    partial = path.with_name(f".{path.name}.part")
    with open(partial, "w", newline="") as file:
        writer = csv.DictWriter(file, TABLE_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    os.replace(partial, path)
    return rows
