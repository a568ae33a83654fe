"""What figures, site and explorer share: colors, marks, widths, and sizes of text.

Two lines of one panel differ in color, in lightness, in marker and in dashes, so that they are told
apart in gray and by the color-blind. The colors were searched for that: lightness was given, hue
and chroma were chosen so that the closest pair, as seen with full deuteranopia, protanopia or
tritanopia (Machado et al. 2009), lies far apart in CAM02-UCS. tests/figures/test_style.py measures
it.
"""

from collections.abc import Mapping
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes

# Blue, orange, violet, wine, teal, red; on white each has a contrast of 3 or more.
COLORS = ("#1B5C9E", "#E67406", "#8A3EFE", "#5E263A", "#00918A", "#980701")
# The same six series on a dark ground.
DARK_COLORS = ("#6BA0FC", "#F5CE4B", "#FE91C4", "#BE579C", "#7DD697", "#FE5031")
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1)), (0, (4, 1, 1, 1)), (0, (8, 2)), (0, (2, 2)))

# Ground, text, lesser text, and lines of a grid.
LIGHT = {"paper": "#FFFFFF", "ink": "#1A1A1A", "muted": "#595959", "grid": "#D9D9D9"}
DARK = {"paper": "#131416", "ink": "#E6E6E6", "muted": "#A6A6A6", "grid": "#3A3D42"}

# Inches: a figure is as wide as a column of a paper with two, or as its text.
COLUMN_WIDTH = 3.5
TEXT_WIDTH = 7.0
# Points; no text is smaller. Exponents and indices are, as everywhere.
SMALLEST_TEXT = 8.0

_LOOK: dict[Any, Any] = {
    "font.size": 8.5,
    "axes.titlesize": 9,
    "axes.labelsize": 8.5,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.title_fontsize": 8,
    "figure.titlesize": 9,
    "figure.labelsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.4,
    "lines.markersize": 4.5,
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "savefig.dpi": 200,
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


def legend_below(axes: Axes, room: float = 4.5, **more: Any) -> None:
    """A legend under a panel, where it hides nothing.

    Args:
        axes: the panel.
        room: for the labels of the horizontal axis, in heights of a letter.
        more: of `Axes.legend`.
    """
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0), borderaxespad=room, **more)


def palette_css() -> str:
    """The palette as custom properties of CSS: `--factcap-series-1` to 6, `--factcap-ink`, ...

    The properties change with the reader's setting, and with the attribute `data-theme` ("light",
    "dark" or "auto") of the page or of a part of it.
    """
    light = _properties(COLORS, LIGHT)
    dark = _properties(DARK_COLORS, DARK)
    return (
        "/* Made by factcap.figures.style.palette_css(). */\n"
        f':root, [data-theme="light"] {{\n{light}}}\n'
        "@media (prefers-color-scheme: dark) {\n"
        f':root:not([data-theme="light"]), [data-theme="auto"] {{\n{dark}}}\n'
        "}\n"
        f'[data-theme="dark"] {{\n{dark}}}\n'
    )


def _properties(series: tuple[str, ...], rest: Mapping[str, str]) -> str:
    named = {f"series-{number}": color for number, color in enumerate(series, 1)} | dict(rest)
    return "".join(f"  --factcap-{name}: {color};\n" for name, color in named.items())
