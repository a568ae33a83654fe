"""The picture of rules in transformers: six panels from the rows of its table."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from capacity import exception_bits
from figures.rules.tokens import Plan, Row, bits_per_parameter
from figures.rules.units import RIDGE, NetworkPlan
from figures.style import COLORS, DASHES, MARKERS

_KNOWN = {
    "rule_facts_known": "training facts that follow the rule",
    "fresh_known": "keys never seen: the rule's value",
    "exceptions_known": "exceptions",
}
_BOUNDS = {
    "bound, alone": "bound: exceptions and nothing else",
    "bound, rule kept": "bound: rule kept, exceptions told apart",
}


def draw(rows: Sequence[Row], plan: Plan) -> Figure:
    """The figure: errors of networks; recall by size, exposures and share; memorized bits."""
    figure = Figure(figsize=(14.5, 8.4), layout="constrained")
    panels = iter(figure.subplots(2, 3).flat)
    _networks(next(panels), rows, plan.networks)
    runs = [row for row in rows if row["kind"] == "transformer"]
    most = [row for row in runs if row["exposures"] == plan.exposures[-1]]
    first = [row for row in most if row["order"] == plan.orders[0]]
    _bits(next(panels), first, plan)
    for order in plan.orders:
        axes = next(panels)
        mine = [row for row in most if row["order"] == order and row["epsilon"] == plan.epsilon]
        _known(axes, mine, "parameters")
        bounds = [row for row in rows if row["epsilon"] == plan.epsilon]
        _bounded(axes, [row for row in bounds if row["kind"] in _BOUNDS], "parameters")
        _by_size(axes, plan)
        features = "1 feature" if order == 1 else f"{order} features"
        axes.set_title(
            f"A token of the value depends on {features}:\na rule of {mine[0]['rule_bits']:,.0f} bits"
        )
    base = [row for row in runs if row["order"] == plan.orders[0] and row["width"] == plan.width]
    parameters = base[0]["parameters"]
    axes = next(panels)
    _known(axes, [row for row in base if row["epsilon"] == plan.epsilon], "exposures")
    axes.set(xscale="log", xlabel="exposures of each fact", title=f"{parameters:,} parameters")
    axes.set_xticks(plan.exposures, [f"{exposures:g}" for exposures in plan.exposures])
    axes.minorticks_off()
    axes = next(panels)
    _known(axes, [row for row in base if row["exposures"] == plan.exposures[-1]], "epsilon")
    bounds = [row for row in rows if row["kind"] in _BOUNDS and row["parameters"] == parameters]
    _bounded(axes, bounds, "epsilon")
    axes.set(
        xscale="log",
        xlabel="share of exceptions",
        title=f"{parameters:,} parameters, {plan.exposures[-1]} exposures",
    )
    axes.set_xticks(plan.epsilons, [f"{epsilon:g}" for epsilon in plan.epsilons])
    axes.minorticks_off()
    for left in panels:
        left.axis("off")
    return figure


def _networks(axes: Axes, rows: Sequence[Row], plan: NetworkPlan) -> None:
    """Errors against the number of units: points of networks, lines of theory."""
    errors = {
        "generalization_error": "against the rule, on new inputs",
        "memorization_error": "on the training facts",
    }
    theory = [row for row in rows if row["kind"] == "random features"]
    for number, (column, label) in enumerate(errors.items()):
        axes.plot(
            [row["hidden_per_dimension"] for row in theory],
            [row[column] for row in theory],
            color=COLORS[number],
            linestyle=DASHES[number],
            label=f"{label}: random units, theory",
        )
        trained = [row for row in rows if row["kind"] == "network"]
        _points(
            axes,
            trained,
            "hidden_per_dimension",
            column,
            color=COLORS[number],
            marker=MARKERS[number],
            linestyle="none",
            label=f"{label}: trained network",
        )
    [best] = [row["generalization_error"] for row in rows if row["kind"] == "Bayes-optimal"]
    axes.axhline(best, color="black", linewidth=1, label="against the rule: Bayes-optimal")
    axes.set(
        xscale="log",
        xlabel=f"hidden units / dimensions ({plan.dimension})",
        ylabel="error",
        ylim=(-0.01, None),
        title=f"One hidden layer, {plan.load:g} points a dimension,\n"
        f"{plan.epsilon:.0%} of them facts; theory at ridge {RIDGE:g}",
    )
    axes.legend(fontsize=7.5)


def _bits(axes: Axes, rows: Sequence[Row], plan: Plan) -> None:
    """Memorized bits against parameters, and what the sets hold."""
    rate = bits_per_parameter(rows)
    sizes = sorted({row["parameters"] for row in rows})
    for number, epsilon in enumerate(sorted({plan.epsilon, 1.0}, reverse=True)):
        mine = [row for row in rows if row["epsilon"] == epsilon]
        share = "every fact an exception" if epsilon == 1 else f"{epsilon:.0%} exceptions"
        style: dict[str, Any] = {"color": COLORS[number], "marker": MARKERS[number]}
        _points(axes, mine, "parameters", "memorized_bits", label=f"{share}: memorized", **style)
        choices = mine[0]["choices"]
        values = epsilon * plan.facts * np.log2(choices)
        axes.axhline(values, color=COLORS[number], linestyle=DASHES[1], linewidth=1.1)
        _note(axes, values, "their values")
        if epsilon < 1:
            both = plan.facts * exception_bits(epsilon, choices)
            axes.axhline(both, color=COLORS[number], linestyle=DASHES[2], linewidth=1.1)
            _note(axes, both, "values, and which they are")
    axes.plot(
        sizes,
        [rate * size for size in sizes],
        color="black",
        linewidth=1,
        label=f"{rate:.2f} bits a parameter",
    )
    _by_size(axes, plan)
    axes.set(ylabel="bits beyond the rule", title="What is memorized, and (dashed) what there is")
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.legend(loc="center left")


def _note(axes: Axes, height: float, text: str) -> None:
    axes.annotate(
        text,
        (1, height),
        xycoords=("axes fraction", "data"),
        xytext=(-2, 2),
        textcoords="offset points",
        ha="right",
        fontsize=7.5,
    )


def _by_size(axes: Axes, plan: Plan) -> None:
    axes.set(
        xscale="log",
        xlabel=f"parameters ({plan.facts:,} facts, {plan.exposures[-1]} exposures)",
    )
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xticks([2000, 4000, 8000, 16000])


def _known(axes: Axes, rows: Sequence[Row], x: str) -> None:
    """The share of each kind of keys that is known."""
    for number, (column, label) in enumerate(_KNOWN.items()):
        mine = [row for row in rows if row[column] != ""]
        _points(
            axes,
            mine,
            x,
            column,
            color=COLORS[number],
            marker=MARKERS[number],
            linestyle=DASHES[number],
            label=label,
        )
    axes.set(ylabel="share recalled exactly", ylim=(-0.03, 1.05))
    axes.legend(fontsize=7.5)


def _bounded(axes: Axes, rows: Sequence[Row], x: str) -> None:
    for number, (kind, label) in enumerate(_BOUNDS.items()):
        mine = sorted((row for row in rows if row["kind"] == kind), key=lambda row: row[x])
        axes.plot(
            [row[x] for row in mine],
            [row["exceptions_known"] for row in mine],
            color="black",
            linewidth=1,
            linestyle=DASHES[number],
            label=label,
        )
    axes.legend(fontsize=7.5)


def _points(axes: Axes, rows: Sequence[Row], x: str, y: str, **style: Any) -> None:
    """The mean over seeds, with their range."""
    positions = sorted({row[x] for row in rows})
    seeds = [[row[y] for row in rows if row[x] == at] for at in positions]
    center = np.array([np.mean(values) for values in seeds])
    below = center - [min(values) for values in seeds]
    above = np.array([max(values) for values in seeds]) - center
    axes.errorbar(positions, center, yerr=np.maximum([below, above], 0), capsize=2.5, **style)
