"""The loss against the share of pretraining, as a fitted law has it, with the optimum marked."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from factcap.capacity import SplitRuns
from factcap.capacity.laws import split_losses
from factcap.figures.splitting.answer import Answer
from factcap.figures.style import COLORS, TEXT_WIDTH, line, look
from factcap.synth.disk.files import write_whole

_POINTS = 241
# Measured runs are shown whose size and compute are those of the answer up to this factor.
_NEAR = 1.1


def save_shares(found: Answer, runs: Mapping[str, SplitRuns], path: Path) -> None:
    """Draw the figure as a PNG; it appears whole or not at all."""
    with look():
        figure = draw(found, runs)
        write_whole(path, partial(figure.savefig, format="png", metadata={"Software": None}))


def draw(found: Answer, runs: Mapping[str, SplitRuns]) -> Figure:
    """The figure."""
    best, law = found.best, found.law
    figure = Figure(figsize=(TEXT_WIDTH, 4.2), layout="constrained")
    axes = figure.subplots()
    share = np.linspace(0, 1, _POINTS)
    for number, one in enumerate((law, *law.rivals)):
        losses = split_losses(
            one, best.budget_flops, best.domains, best.parameters, share, resamples=True
        )
        losses = np.where(np.isfinite(losses), losses, np.nan)
        label = f"{one.form.name}" if number == 0 else f"{one.form.name}, a rival"
        axes.plot(share, losses[0], label=label, **line(number))
        if number == 0:
            tails = [(1 - law.level) / 2, (1 + law.level) / 2]
            reached = ~np.isnan(losses).any(axis=0)
            low, high = np.quantile(losses[1:][:, reached], tails, axis=0)
            axes.fill_between(share[reached], low, high, color=COLORS[0], alpha=0.2, linewidth=0)
    axes.axvspan(*best.interval, color="0.5", alpha=0.15, linewidth=0)
    axes.plot(
        [best.pretraining_share],
        [best.predicted_loss],
        marker="*",
        markersize=10,
        color=COLORS[5],
        linestyle="none",
        label=f"the best: {best.pretraining_share:.3f}",
    )
    _near(axes, found, runs)
    top = _top(axes, best.predicted_loss)
    axes.set(
        xlabel="share of the tokens that goes to pretraining, D / (D + k D')",
        ylabel="loss, mean over domains",
        xlim=(-0.02, 1.02),
        ylim=(None, top),
        title=f"{best.budget_flops:.3g} FLOP, {best.parameters:,.0f} parameters, "
        f"{best.domains} domains",
    )
    axes.legend(loc="upper center")
    return figure


def _near(axes: Axes, found: Answer, runs: Mapping[str, SplitRuns]) -> None:
    """The runs that were measured at about this size and compute, where there are any."""
    best, means = found.best, dict[float, list[float]]()
    for one in runs.values():
        tokens = one.pretraining_tokens + best.domains * one.specialization_tokens
        apart = np.stack(
            [
                np.abs(np.log(6 * one.parameters * tokens / best.budget_flops)),
                np.abs(np.log(one.parameters / best.parameters)),
            ]
        )
        near = (apart < np.log(_NEAR)).all(axis=0)
        for share, loss in zip(
            (one.pretraining_tokens / tokens)[near], one.loss[near], strict=True
        ):
            means.setdefault(round(float(share), 3), []).append(float(loss))
    if means:
        shares = sorted(means)
        axes.plot(
            shares,
            [np.mean(means[share]) for share in shares],
            marker="o",
            linestyle="none",
            color="0.2",
            label="measured",
        )


def _top(axes: Axes, least: float) -> float:
    """So much of the ordinate that the curve near the optimum can be read."""
    low, high = axes.get_ylim()
    return min(high, least * 1.5) if high > low else high
