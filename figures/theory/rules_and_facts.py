"""Rules and facts: what five learners learn of one and keep of the other, and separability."""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.optimize import linprog

from factcap.capacity.rules_and_facts import bayes_optimal_error, separability_threshold
from factcap.figures.fields import Several, must
from factcap.figures.files import claim, save
from factcap.figures.presets import Changes, choose
from factcap.figures.style import COLORS, MARKERS, TEXT_WIDTH, line, look
from factcap.figures.theory.rules_simulation import Setting, simulate
from factcap.synth import rules_and_facts as draw_points

NAME = "rules_and_facts"
COLUMNS = (
    *("panel", "learner", "epsilon", "alpha", "ridge", "generalization_error"),
    *("generalization_standard_error", "memorization_error", "memorization_standard_error"),
    *("separability", "separability_standard_error", "converged"),
)
# Only the learner counts of these settings; load and epsilon are set along the curves.
LEARNERS = {
    "ridge": Setting("square", 1.0, 0.0, 0.1),
    "hinge (SVM)": Setting("hinge", 1.0, 0.0, 0.1),
    "logistic": Setting("logistic", 1.0, 0.0, 0.1),
    "kernel ridge, ReLU": Setting("square", 1.0, 0.0, 0.1, "relu"),
    "ridge on 2d random erf features": Setting("square", 1.0, 0.0, 0.001, "erf", 2.0),
}
EPSILONS = (0.1, 0.5)
BAYES = "Bayes-optimal"
_LOADS = np.geomspace(0.125, 8, 37)
_SIMULATED_LOADS = (0.5, 1.0, 2.0, 4.0)
_SEPARABLE = (0.1, 0.2, 0.4, 0.7, 1.0)


@dataclass(frozen=True)
class Plan:
    """What is simulated.

    Attributes:
        dimension: of the simulated learners; separability takes a quarter of it.
        repeats: draws of each simulated point.
    """

    dimension: Annotated[int, must("at least 8", lambda n: n >= 8)] = 200
    repeats: Several = 8


PRESETS = {"tiny": Plan(dimension=60, repeats=3), "laptop": Plan()}


def rules_and_facts(
    folder: Path, *, preset: str = "laptop", changes: Changes = ()
) -> list[dict[str, Any]]:
    """Draw `rules_and_facts.png` and `.svg` and write `rules_and_facts.csv`; returns its rows.

    Args:
        folder: where to write.
        preset: a name in `PRESETS`.
        changes: of the preset: see `factcap.figures.presets`.

    Raises:
        BadInput: for an unknown preset or change, or if something else in the folder has these
            names.
    """
    plan, record = choose(NAME, PRESETS, preset, changes)
    claim(folder, record)
    rows = [*_theory(), *_simulation(plan), *_separability(plan)]
    with look():
        save(draw(rows), rows, COLUMNS, folder, record)
    return rows


def _theory() -> list[dict[str, Any]]:
    rows = []
    for epsilon in EPSILONS:
        for learner, setting in LEARNERS.items():
            last = None
            for alpha in _LOADS.tolist():
                last = replace(setting, alpha=alpha, epsilon=epsilon).theory(last)
                rows.append(
                    _row(
                        panel="theory",
                        learner=learner,
                        epsilon=epsilon,
                        alpha=alpha,
                        ridge=setting.ridge,
                        generalization_error=last.generalization_error,
                        memorization_error=last.memorization_error,
                        converged=last.converged,
                    )
                )
        for alpha in _LOADS.tolist():
            error = bayes_optimal_error(alpha, epsilon)
            rows.append(
                _row(
                    panel="theory",
                    learner=BAYES,
                    epsilon=epsilon,
                    alpha=alpha,
                    generalization_error=error,
                    converged=True,
                )
            )
    return rows


def _simulation(plan: Plan) -> list[dict[str, Any]]:
    rows = []
    for epsilon in EPSILONS:
        for learner, setting in LEARNERS.items():
            for alpha in _SIMULATED_LOADS:
                found = simulate(
                    replace(setting, alpha=alpha, epsilon=epsilon),
                    plan.dimension,
                    plan.repeats,
                    seed=len(rows),
                )
                rows.append(
                    _row(
                        panel="simulation",
                        learner=learner,
                        epsilon=epsilon,
                        alpha=alpha,
                        ridge=setting.ridge,
                        generalization_error=found.mean["generalization_error"],
                        generalization_standard_error=found.error["generalization_error"],
                        memorization_error=found.mean["memorization_error"],
                        memorization_standard_error=found.error["memorization_error"],
                        converged=found.converged,
                    )
                )
    return rows


def _separability(plan: Plan) -> list[dict[str, Any]]:
    dimension, repeats = plan.dimension // 4, plan.repeats
    rows = [
        _row(
            panel="theory",
            learner="separability",
            epsilon=epsilon,
            separability=separability_threshold(epsilon),
            converged=True,
        )
        for epsilon in np.linspace(0.05, 1, 58).tolist()
    ]
    for epsilon in _SEPARABLE:
        most = [most_separable(dimension, epsilon, seed) / dimension for seed in range(repeats)]
        rows.append(
            _row(
                panel="simulation",
                learner="separability",
                epsilon=epsilon,
                separability=float(np.mean(most)),
                separability_standard_error=float(np.std(most, ddof=1)) / math.sqrt(repeats),
                converged=True,
            )
        )
    return rows


def most_separable(dimension: int, epsilon: float, seed: int) -> int:
    """The most points, of one sequence, that a hyperplane through 0 separates."""
    low, high = dimension, round(4 * dimension * separability_threshold(epsilon))
    drawn = draw_points(high, dimension, epsilon, seed=seed)
    signed = drawn.labels[:, None] * drawn.inputs
    while high - low > 1:
        middle = (low + high) // 2
        found = linprog(
            np.zeros(dimension), -signed[:middle], -np.ones(middle), bounds=(None, None)
        )
        low, high = (middle, high) if found.status == 0 else (low, middle)
    return low


def _row(**values: Any) -> dict[str, Any]:
    return dict.fromkeys(COLUMNS, "") | values


def draw(rows: list[dict[str, Any]]) -> Figure:
    """The figure: both errors against load for two shares of facts, and separability."""
    figure = Figure(figsize=(TEXT_WIDTH, 7.8), layout="constrained")
    axes = figure.subplot_mosaic([["g0", "g1"], ["m0", "m1"], ["separable", "legend"]])
    for number, epsilon in enumerate(EPSILONS):
        for letter, error in (("g", "generalization"), ("m", "memorization")):
            panel = axes[f"{letter}{number}"]
            mine = [row for row in rows if row["epsilon"] == epsilon and row["alpha"] != ""]
            _errors(panel, mine, error)
            panel.set(xscale="log", ylim=(-0.01, 0.5))
            panel.set_xticks([0.125, 0.25, 0.5, 1, 2, 4, 8], ["1/8", "1/4", "1/2", *"1248"])
            panel.minorticks_off()
        axes[f"g{number}"].set_title(f"{epsilon:.0%} of the points are facts")
        axes[f"m{number}"].set_xlabel("load: training points / dimensions")
    axes["g0"].set_ylabel("error against the rule, on new inputs")
    axes["m0"].set_ylabel("error on the training facts")
    _separable(axes["separable"], [row for row in rows if row["learner"] == "separability"])
    handles, labels = axes["g0"].get_legend_handles_labels()
    axes["legend"].axis("off")
    axes["legend"].legend(
        handles,
        labels,
        loc="center left",
        title="lines: theory\npoints: simulation, with standard errors",
        alignment="left",
    )
    return figure


def _errors(axes: Axes, rows: list[dict[str, Any]], error: str) -> None:
    for number, learner in enumerate((*LEARNERS, BAYES)):
        mine = [row for row in rows if row["learner"] == learner and row[f"{error}_error"] != ""]
        theory = [row for row in mine if row["panel"] == "theory"]
        if learner == BAYES:
            style: dict[str, Any] = {"color": "black", "linestyle": "-", "linewidth": 1.0}
            label = learner
        else:
            style = line(number)
            label = rf"{learner}, $\lambda$ = {LEARNERS[learner].ridge:g}"
        axes.plot(
            [row["alpha"] for row in theory],
            [row[f"{error}_error"] for row in theory],
            label=label,
            **style,
        )
        for converged, fill in ((True, style["color"]), (False, "none")):
            # what did not converge is drawn hollow
            points = [
                row
                for row in mine
                if row["converged"] == converged and (row["panel"] == "simulation" or not converged)
            ]
            axes.errorbar(
                [row["alpha"] for row in points],
                [row[f"{error}_error"] for row in points],
                yerr=[row[f"{error}_standard_error"] or 0.0 for row in points],
                color=style["color"],
                markerfacecolor=fill,
                marker=MARKERS[number],
                linestyle="none",
                capsize=2.5,
            )


def _separable(axes: Axes, rows: list[dict[str, Any]]) -> None:
    theory = [row for row in rows if row["panel"] == "theory"]
    points = [row for row in rows if row["panel"] == "simulation"]
    axes.plot(
        [row["epsilon"] for row in theory],
        [row["separability"] for row in theory],
        color="black",
        label="theory",
    )
    axes.errorbar(
        [row["epsilon"] for row in points],
        [row["separability"] for row in points],
        yerr=[row["separability_standard_error"] for row in points],
        color=COLORS[0],
        marker="o",
        linestyle="none",
        capsize=2.5,
        label="linear programs, mean over draws",
    )
    axes.set(
        title="How many points a hyperplane separates",
        xlabel="share of facts",
        ylabel="training points / dimensions",
        yscale="log",
        xlim=(0, 1.03),
    )
    axes.set_yticks([2, 3, 4, 5], ["2", "3", "4", "5"])
    axes.minorticks_off()
    axes.legend()
