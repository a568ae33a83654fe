"""The plane of kernels: where interpolating all facts costs the rule nothing."""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from factcap.capacity.rules_and_facts import (
    ACTIVATIONS,
    coincidence_ratio,
    kernel_coefficients,
    optimal_ridge,
    rbf_kernel,
    solve,
)
from factcap.figures.fields import Count, Several
from factcap.figures.files import claim, save
from factcap.figures.presets import Changes, choose
from factcap.figures.style import COLORS, MARKERS, TEXT_WIDTH, legend_below, line, look
from factcap.figures.theory.rules_simulation import KERNELS, Setting, simulate

NAME = "kernel_plane"
COLUMNS = (
    *("panel", "kernel", "epsilon", "alpha", "mu1", "mu_star", "ratio", "ridge"),
    *("generalization_error", "standard_error", "memorization_error", "converged"),
)
EPSILONS = (0.0, 0.2, 0.4, 0.6)
ALPHAS = (1.0, 2.0, 4.0)
EPSILON = 0.2
_BANDWIDTHS = tuple(np.geomspace(0.3, 6, 61).tolist())
# Where the names of simulated kernels stand, in points from their place.
_LABELS = {
    "relu": (-9, 9),
    "sign": (7, 16),
    "RBF 1": (6, -16),
    "RBF 0.75": (16, 10),
}
_TO_THE_LEFT = ("relu", "tanh")
_MARKED = (0.5, 0.75, 1.0, 1.5, 3.0)
_RATIOS = np.geomspace(0.02, 50, 61)


@dataclass(frozen=True)
class Plan:
    """What is simulated.

    Attributes:
        dimension: of the simulated kernels.
        repeats: draws of each simulated point.
    """

    dimension: Count = 300
    repeats: Several = 16


PRESETS = {"tiny": Plan(dimension=60, repeats=3), "laptop": Plan()}


def kernel_plane(
    folder: Path, *, preset: str = "laptop", changes: Changes = ()
) -> list[dict[str, Any]]:
    """Draw `kernel_plane.png` and `.svg` and write `kernel_plane.csv`; returns its rows.

    A narrow RBF kernel lies above its line at few dimensions and comes down to it with more.

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
    rows = [*_plane(), *_interpolation(), *_simulation(plan)]
    with look():
        save(draw(rows), rows, COLUMNS, folder, record)
    return rows


def _plane() -> list[dict[str, Any]]:
    kernels = {name: kernel_coefficients(name) for name in ACTIVATIONS}
    for bandwidth in (*_BANDWIDTHS, *_MARKED):
        kernels[f"rbf {bandwidth:g}"] = kernel_coefficients(kernel=rbf_kernel(bandwidth))
    return [
        _row(
            panel="plane",
            kernel=name,
            mu1=found.mu1,
            mu_star=found.mu_star,
            ratio=found.ratio,
            converged=True,
        )
        for name, found in kernels.items()
    ]


def _interpolation() -> list[dict[str, Any]]:
    """Kernels of every ratio, interpolating and with the best ridge."""
    rows = []
    for alpha in ALPHAS:
        for ratio in _RATIOS.tolist():
            mu_star = math.sqrt(ratio)
            for panel, ridge in (
                ("interpolating", 0.0),
                ("best ridge", optimal_ridge(EPSILON, 1.0, mu_star)),
            ):
                found = solve(
                    loss="square", alpha=alpha, epsilon=EPSILON, ridge=ridge, mu_star=mu_star
                )
                rows.append(
                    _row(
                        panel=panel,
                        kernel="any",
                        epsilon=EPSILON,
                        alpha=alpha,
                        mu1=1.0,
                        mu_star=mu_star,
                        ratio=ratio,
                        ridge=ridge,
                        generalization_error=found.generalization_error,
                        memorization_error=found.memorization_error,
                        converged=found.converged,
                    )
                )
    return rows


def _simulation(plan: Plan) -> list[dict[str, Any]]:
    rows = []
    for alpha in ALPHAS[:2]:
        for kernel in KERNELS:
            setting = replace(Setting("square", alpha, EPSILON, 0.0), features=kernel)
            found = simulate(setting, plan.dimension, plan.repeats, seed=len(rows))
            place = setting.coefficients()
            rows.append(
                _row(
                    panel="simulation",
                    kernel=kernel,
                    epsilon=EPSILON,
                    alpha=alpha,
                    mu1=place.mu1,
                    mu_star=place.mu_star,
                    ratio=place.ratio,
                    ridge=0.0,
                    generalization_error=found.mean["generalization_error"],
                    standard_error=found.error["generalization_error"],
                    memorization_error=found.mean["memorization_error"],
                    converged=found.converged,
                )
            )
    return rows


def _row(**values: Any) -> dict[str, Any]:
    return dict.fromkeys(COLUMNS, "") | values


def draw(rows: list[dict[str, Any]]) -> Figure:
    """The figure: the plane, and the error of interpolating kernels against their ratio."""
    figure = Figure(figsize=(TEXT_WIDTH, 4.0), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw_plane(left, [row for row in rows if row["panel"] == "plane"])
    for number, alpha in enumerate(ALPHAS):
        mine = [row for row in rows if row["alpha"] == alpha]
        for panel, style in (
            ("interpolating", line(number, label=f"load {alpha:g}, interpolating")),
            ("best ridge", {"color": COLORS[number], "linestyle": ":", "linewidth": 1.0}),
        ):
            curve = [row for row in mine if row["panel"] == panel]
            right.plot(
                [row["ratio"] for row in curve],
                [row["generalization_error"] for row in curve],
                **style,
            )
        for converged, fill in ((True, COLORS[number]), (False, "none")):
            # what did not converge is drawn hollow
            points = [
                row
                for row in mine
                if row["converged"] == converged and (row["panel"] == "simulation" or not converged)
            ]
            right.errorbar(
                [row["ratio"] for row in points],
                [row["generalization_error"] for row in points],
                yerr=[row["standard_error"] or 0.0 for row in points],
                color=COLORS[number],
                markerfacecolor=fill,
                marker=MARKERS[number],
                linestyle="none",
                capsize=2.5,
            )
    right.set_ylim(None, 0.4)
    for row in rows:
        if row["panel"] == "simulation" and row["alpha"] == ALPHAS[0]:
            right.annotate(
                _label(row["kernel"]),
                (row["ratio"], row["generalization_error"]),
                xytext=_LABELS.get(row["kernel"], (0, 12)),
                textcoords="offset points",
                ha="center",
            )
    right.axvline(coincidence_ratio(EPSILON), color="0.5", linewidth=0.8)
    right.annotate(
        "coincidence ",
        (coincidence_ratio(EPSILON), 0.4),
        va="top",
        ha="right",
        color="0.35",
    )
    right.plot([], [], color="0.4", linestyle=":", linewidth=1.0, label="with the best ridge")
    right.set(
        xscale="log",
        title=f"{EPSILON:.0%} facts;\nlines: theory, points: simulation",
        xlabel=r"$\mu_\star^2 / \mu_1^2$ of the kernel",
        ylabel="error against the rule, on new inputs",
    )
    right.set_xticks([0.1, 1, 10], ["0.1", "1", "10"])
    legend_below(right, ncols=2, columnspacing=1)
    return figure


def _draw_plane(axes: Axes, rows: list[dict[str, Any]]) -> None:
    reach = np.array([0.0, 1.0])
    for number, epsilon in enumerate(EPSILONS):
        slope = math.sqrt(coincidence_ratio(epsilon))
        style = line(number)
        axes.plot(reach, slope * reach, **style)
        height = min(1.0, slope * 0.85)
        axes.annotate(
            f"{epsilon:.0%}",
            (height / slope, height),
            xytext=(7, -4),
            textcoords="offset points",
            color=style["color"],
        )
    places = {row["kernel"]: (row["mu1"], row["mu_star"]) for row in rows}
    curve = [places[f"rbf {bandwidth:g}"] for bandwidth in _BANDWIDTHS]
    axes.plot(*np.transpose(curve), color="0.6", linewidth=1.2)
    axes.annotate(
        "RBF, by bandwidth", places["rbf 3"], xytext=(10, -12), textcoords="offset points"
    )
    for bandwidth in _MARKED:
        place = places[f"rbf {bandwidth:g}"]
        axes.plot(*place, ".", color="0.4")
        axes.annotate(
            f"{bandwidth:g}", place, xytext=(5, 3), textcoords="offset points", color="0.35"
        )
    for number, name in enumerate(ACTIVATIONS):
        axes.plot(*places[name], MARKERS[number], color="black", markersize=5)
        axes.annotate(
            _label(name),
            places[name],
            xytext=(-8, -4) if name in _TO_THE_LEFT else (8, -4),
            textcoords="offset points",
            ha="right" if name in _TO_THE_LEFT else "left",
        )
    axes.set(
        xlim=(0, 1),
        ylim=(0, 1.05),
        title="Lines, by share of facts:\nthe best ridge is 0, all facts are kept",
        xlabel=r"$\mu_1$: linear part of the kernel",
        ylabel=r"$\mu_\star$: nonlinear part",
    )


def _label(kernel: str) -> str:
    return "ReLU" if kernel == "relu" else kernel
