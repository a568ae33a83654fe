"""The pictures of the labs: one look, one size, and words for who cannot see them."""

import io
from typing import Any

import marimo as mo
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from factcap.figures.style import COLUMN_WIDTH, look

# As wide as a column, in inches: on a telephone text is as large still.
_WIDTH, _HEIGHT, _SHOWN = COLUMN_WIDTH, 2.2, "520px"


def axes(*, panels: int = 1, height: float = _HEIGHT, **settings: Any) -> Any:
    """Empty axes for a picture, several one below the other; see `shown`.

    Args:
        panels: how many; with more than one a list is returned.
        height: of each, in inches.
        settings: of each, such as `xlabel`, `xlim` and `xscale`.
    """
    with look():
        figure = Figure((_WIDTH, panels * height), layout="constrained")
        made = [figure.add_subplot(panels, 1, number + 1) for number in range(panels)]
        for one in made:
            one.set(**settings)
    return made[0] if panels == 1 else made


def shown(drawn: Axes, said: str) -> Any:
    """The picture that some axes belong to, its legend above them, for the end of a cell.

    Args:
        drawn: the axes, or one of them.
        said: what the picture shows, for who cannot see it.
    """
    figure, buffer = drawn.get_figure(root=True), io.BytesIO()
    assert isinstance(figure, Figure)
    with look():
        for one in figure.axes:
            names = one.get_legend_handles_labels()[1]
            if names:
                columns = 2 if max(map(len, names)) < 20 else 1
                one.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns)
        figure.savefig(buffer, format="png", dpi=320)
    return mo.image(buffer.getvalue(), alt=said, width=_SHOWN, style={"max-width": "100%"})
