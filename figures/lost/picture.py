"""The picture of `what_is_lost`: ordinary training beside selection, a panel a number."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from factcap.figures.corpus.experiment import scheme_label
from factcap.figures.lost.table import Row
from factcap.figures.selection.experiment import ORDINARY
from factcap.figures.style import COLORS, MARKERS, TEXT_WIDTH

_PANELS = {
    "known_dropped": "dropped facts right",
    "calibration_error": "calibration error",
    "sure_dropped": "dropped: wrong answers\nabove probability 0.5",
    "other_text_loss": "other text, bits a token\noutside values",
}
# Drawn from none to all.
_SHARES = ("known_dropped", "sure_dropped")


def draw(table: Sequence[Row]) -> Figure:
    """A line for each set and scheme, a mark for ordinary training and one for selection."""
    names = list(dict.fromkeys((row["set"], row["scheme"], row["scored"]) for row in table))
    shown = [name for name in _PANELS if any(row.get(name) is not None for row in table)]
    # Three in a row, or four in two.
    down = -(-len(shown) // 3)
    across = -(-len(shown) // down)
    height = down * (0.4 * len(names) + 0.8) + 0.4
    figure = Figure(figsize=(TEXT_WIDTH, height), layout="constrained")
    panels = np.ravel(figure.subplots(down, across, sharey=True, squeeze=False))
    for axes, column in zip(panels, shown, strict=True):
        for number, trained in enumerate((ORDINARY, "selected")):
            some = [r for r in table if r["trained"] == trained and r[column] is not None]
            axes.errorbar(
                [row[column] for row in some],
                # Side by side, so that no mark hides another.
                [
                    names.index((row["set"], row["scheme"], row["scored"])) + 0.2 * number - 0.1
                    for row in some
                ],
                xerr=[row[f"{column}_half_width"] for row in some],
                linestyle="none",
                marker=MARKERS[number],
                color=COLORS[number],
                capsize=2,
                label=f"{trained} training" if trained == ORDINARY else "with selection",
            )
        highest = 1.0 if column in _SHARES else axes.get_xlim()[1]
        # A little room, so that marks at 0 and 1 are whole.
        axes.set(xlabel=_PANELS[column], xlim=(-0.04 * highest, 1.04 * highest))
    panels[0].set_yticks(range(len(names)), [_label(*name) for name in names])
    panels[0].invert_yaxis()
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure


def _label(named: str, scheme: str, scored: str) -> str:
    return f"{named}: {scheme_label(scheme, scored)}"
