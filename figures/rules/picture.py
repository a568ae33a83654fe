"""The picture of rules in transformers: its panels, from the rows of its table."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from factcap.capacity import exception_bits
from factcap.figures.rules.tokens import Plan, Row, bits_per_parameter
from factcap.figures.rules.units import RIDGE, NetworkPlan
from factcap.figures.style import COLORS, DASHES, MARKERS, TEXT_WIDTH, legend_below, line

_ERRORS = {
    "generalization_error": "on new inputs",
    "memorization_error": "on training facts",
}
_KNOWN = {
    "rule_facts_known": "training facts that follow the rule",
    "fresh_known": "keys never trained on (the rule's value)",
    "exceptions_known": "exceptions",
}
_BOUNDS = {
    "bound, alone": "most exceptions, if nothing else is stored",
    "bound, rule kept": "most exceptions, if the rule's facts are known too",
}


def draw(rows: Sequence[Row], plan: Plan) -> Figure:
    """The figure: networks of one hidden layer; transformers by size, exposures and share."""
    figure = Figure(figsize=(TEXT_WIDTH, 9.6), layout="constrained")
    # a panel for each order, and the four others
    panels = iter(figure.subplots((len(plan.orders) + 5) // 2, 2).flat)
    _networks(next(panels), rows, plan.networks)
    runs = [row for row in rows if row["kind"] == "transformer"]
    most = [row for row in runs if row["exposures"] == plan.exposures[-1]]
    first = [row for row in runs if row["order"] == plan.orders[0]]
    middle = [row for row in first if row["width"] == plan.width]
    _bits(next(panels), [row for row in most if row in first], plan)
    for order in plan.orders:
        mine = [row for row in most if row["order"] == order and row["epsilon"] == plan.epsilon]
        axes = next(panels)
        _known(axes, mine, "parameters")
        _bounded(axes, [row for row in rows if row["epsilon"] == plan.epsilon], "parameters")
        _by_size(axes, mine, plan)
        of = "one feature" if order == 1 else f"{order} features"
        axes.set_title(
            f"Each value token depends on {of}:\n{plan.epsilon:.0%} exceptions to a rule of "
            f"{mine[0]['rule_bits']:,.0f} bits"
        )
    parameters, last = middle[0]["parameters"], plan.exposures[-1]
    axes = next(panels)
    _known(axes, [row for row in middle if row["epsilon"] == plan.epsilon], "exposures")
    axes.set_title(f"{plan.epsilon:.0%} exceptions, one feature,\n{parameters:,} parameters")
    _by(axes, "exposures of each fact", plan.exposures)
    axes = next(panels)
    _known(axes, [row for row in middle if row["exposures"] == last], "epsilon")
    _bounded(axes, [row for row in rows if row["parameters"] == parameters], "epsilon")
    axes.set_title(f"One feature,\n{parameters:,} parameters, {last} exposures")
    _by(axes, "share of exceptions", plan.epsilons)
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=2,
        title="points: means over seeds and their range; black: bounds, at the bits a parameter of "
        "the upper right panel",
    )
    for spare in panels:
        spare.axis("off")
    return figure


def _networks(axes: Axes, rows: Sequence[Row], plan: NetworkPlan) -> None:
    """Errors against the number of units: points of networks, lines of theory."""
    theory = [row for row in rows if row["kind"] == "random features"]
    trained = [row for row in rows if row["kind"] == "network"]
    for number, (column, label) in enumerate(_ERRORS.items()):
        points = {"color": COLORS[number], "marker": MARKERS[number], "linestyle": "none"}
        _points(axes, trained, "hidden", column, label=f"{label}: trained", **points)
        axes.plot(
            [row["hidden"] for row in theory],
            [row[column] for row in theory],
            label=f"{label}: random units, theory",
            **line(number),
        )
    [best] = [row["generalization_error"] for row in rows if row["kind"] == "Bayes-optimal"]
    axes.axhline(
        best, color="black", linewidth=1, label=f"{_ERRORS['generalization_error']}: the best"
    )
    axes.set(
        ylabel="error",
        title=f"Network of one hidden layer: {plan.epsilon:.0%} facts,\n"
        f"{plan.load:g} points a dimension; theory: ridge {RIDGE:g}",
    )
    _by(axes, f"hidden units ({plan.dimension} dimensions)", plan.hidden)
    legend_below(axes)


def _bits(axes: Axes, rows: Sequence[Row], plan: Plan) -> None:
    """Memorized bits against parameters, and what the sets hold."""
    rate = bits_per_parameter(rows)
    sizes = np.array(sorted({row["parameters"] for row in rows}))
    axes.plot(sizes, rate * sizes, color="black", linewidth=1, label=f"{rate:.2f} bits a parameter")
    for number, epsilon in enumerate((1.0, plan.epsilon)):
        mine = [row for row in rows if row["epsilon"] == epsilon]
        share = "only exceptions" if epsilon == 1 else f"{epsilon:.0%} exceptions"
        style: dict[str, Any] = {"color": COLORS[number + 3], "marker": MARKERS[number + 3]}
        _points(axes, mine, "parameters", "memorized_bits", label=f"{share}: memorized", **style)
        choices = mine[0]["choices"]
        held = {"their values": epsilon * plan.facts * np.log2(choices)}
        if epsilon < 1:
            held["and which they are"] = plan.facts * exception_bits(epsilon, choices)
        for dashes, (text, bits) in zip(DASHES[1:], held.items(), strict=False):
            label = f"{share}: {text}"
            axes.axhline(bits, color=style["color"], linestyle=dashes, linewidth=1.2, label=label)
    axes.set(ylabel="bits beyond the rule", title="What there is to memorize,\nand what is")
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    _by_size(axes, rows, plan)
    legend_below(axes)


def _by(axes: Axes, label: str, ticks: Sequence[float]) -> None:
    axes.set(xscale="log", xlabel=label)
    axes.set_xticks(ticks, [f"{tick:,g}" for tick in ticks])
    axes.minorticks_off()


def _by_size(axes: Axes, rows: Sequence[Row], plan: Plan) -> None:
    label = f"parameters ({plan.facts:,} facts, {plan.exposures[-1]} exposures)"
    _by(axes, label, sorted({row["parameters"] for row in rows}))


def _known(axes: Axes, rows: Sequence[Row], x: str) -> None:
    """The share of each kind of keys that is known."""
    for number, (column, label) in enumerate(_KNOWN.items()):
        mine = [row for row in rows if row[column] != ""]
        style: dict[str, Any] = {**line(number), "marker": MARKERS[number]}
        _points(axes, mine, x, column, label=label, **style)
    axes.set(ylabel="share recalled exactly", ylim=(-0.03, 1.05))


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


def _points(axes: Axes, rows: Sequence[Row], x: str, y: str, **style: Any) -> None:
    """The mean over seeds, with their range."""
    positions = sorted({row[x] for row in rows})
    seeds = [[row[y] for row in rows if row[x] == at] for at in positions]
    center = np.array([np.mean(values) for values in seeds])
    below = center - [min(values) for values in seeds]
    above = np.array([max(values) for values in seeds]) - center
    axes.errorbar(positions, center, yerr=np.maximum([below, above], 0), capsize=2.5, **style)
