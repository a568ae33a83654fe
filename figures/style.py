"""What all figures share: a look that also reads in grey."""

from typing import Any

from matplotlib import rc_context

# Each line differs in color, in lightness, in marker and in dashes (colors: Okabe and Ito 2008).
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1)), (0, (4, 1, 1, 1)), (0, (8, 2)), (0, (2, 2)))

_LOOK: dict[Any, Any] = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.6,
    "lines.markersize": 5.5,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "savefig.dpi": 160,
    "svg.hashsalt": "factcap",
}


def look():
    """The style, as a context in which a figure is made and saved."""
    return rc_context(_LOOK)


def line(number: int, **more: Any) -> dict[str, Any]:
    """Color and dashes of the line of this number, for a line without markers."""
    return {
        "color": COLORS[number % len(COLORS)],
        "linestyle": DASHES[number % len(DASHES)],
        **more,
    }
