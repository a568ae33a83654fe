"""Every picture at its width in print: sizes of text, and series that are told apart."""

from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

from factcap.capacity.retention import CountedFacts, held_out, law_predictor
from factcap.figures import FIGURES
from factcap.figures.learn.pictures import PICTURES
from factcap.figures.redraw import main, redraw
from factcap.figures.retention import own_picture
from factcap.figures.retention import picture as predict_picture
from factcap.figures.retention.own_plan import ASKED
from factcap.figures.retention.own_runs import Told
from factcap.figures.style import COLUMN_WIDTH, SMALLEST_TEXT, TEXT_WIDTH, line, look
from factcap.synth import BadInput
from tests.capacity.retention.simulated import answered, counted
from tests.figures.test_retention import FEW, LAW, made
from tests.figures.test_style import GREYS_APART, lightness

DOCS = Path(__file__).parents[2] / "docs"
TABLES = [
    *sorted((DOCS / "gallery").glob("*.csv")),
    *sorted(t for t in (DOCS / "results").glob("*.csv") if t.with_suffix(".png").exists()),
    *sorted((DOCS / "results" / "claims").glob("*.csv")),
]
# Their pictures are not drawn from their tables: see `public_models` and `own_runs`.
NOT_FROM_TABLES = ("retention", "retention_of_runs")
TABLES = [table for table in TABLES if table.stem not in NOT_FROM_TABLES]
IN_A_COLUMN = ("membership", *(table.stem for table in TABLES if table.parent.name == "claims"))


def public_models() -> Figure:
    """The picture of `factcap predict`, of simulated models."""
    models: list[CountedFacts] = [
        answered(counted(200, relations=4), known=known)[0] for known in (-10.0, -9.0)
    ]
    told = [
        predict_picture.HeldOut(facts, held_out(facts, law_predictor, "facts")) for facts in models
    ]
    return predict_picture.draw(told)


def own_runs() -> Figure:
    """The figure `retention`, of runs that know what a law says."""
    told = []
    for one in made(FEW):
        if one.condition.role == ASKED:
            chance = LAW.predict(one.training)
            known = one.recall.mean(axis=0)
            first = one.recall[0].astype(float)
            told.append(Told(one.condition, one.training, chance, {}, known, first, LAW))
    return own_picture.draw(told, [])


@pytest.fixture(scope="module")
def figures():
    """Each figure once, by its name."""
    made: dict[str, Figure] = {}

    def get(name):
        if name not in made:
            with look():
                made[name] = MAKERS[name]()
        return made[name]

    return get


MAKERS = {
    **{f"{table.parent.name}/{table.stem}": partial(redraw, table) for table in TABLES},
    **{f"learn/{name}": partial(draw, DOCS / "results") for name, draw in PICTURES.items()},
    "predict": public_models,
    "retention": own_runs,
}
# They take seconds to draw: a law is fitted, or bounds are computed.
LONG = (
    *("results/splitting", "results/capacity_curve_gpu", "results/selection_gain"),
    *("gallery/memorized_prior", "predict", "retention"),
)
every_figure = pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if n in LONG else n for n in MAKERS]
)


def texts(figure):
    """All that can be read; labels of ticks beyond the ends of an axis are not drawn."""
    beyond = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
            unseen = [t for t in ticks if not low <= t.get_loc() <= high or not axes.axison]
            beyond |= {label for tick in unseen for label in (tick.label1, tick.label2)}
    found = figure.findobj(Text)
    return [t for t in found if t.get_visible() and t.get_text().strip() and t not in beyond]


def series(axes):
    """The lines of a panel with (label, color, marker, dashes); helpers of error bars left out."""
    found = []
    for one in axes.get_lines():
        marker = one.get_marker() if one.get_marker() not in ("", "none", "None", " ", None) else ""
        dashes = str(one._unscaled_dash_pattern) if one.get_linestyle() != "None" else ""
        if len(one.get_xdata()) and marker not in ("_", "|"):
            found.append((one.get_label(), to_hex(one.get_color()), marker, dashes))
    return found


def confused(axes):
    """Pairs of series that gray makes one: of other colors, but one lightness, marker, dashes."""
    return [
        (one, other)
        for one, other in combinations(series(axes), 2)
        if one[2:] == other[2:]
        and one[1] != other[1]
        and abs(lightness(one[1]) - lightness(other[1])) < GREYS_APART
    ] + [
        (one, other)
        for one, other in combinations(series(axes), 2)
        if one[1:] == other[1:] and one[0] != other[0] and "_" not in (one[0][0], other[0][0])
    ]


def test_every_figure_is_looked_at():
    seen = {name.split("/")[-1] for name in MAKERS}
    assert set(FIGURES) <= seen
    assert len(MAKERS) > 30


@every_figure
def test_width_and_sizes_of_text(figures, name):
    figure = figures(name)
    in_a_column = name.split("/")[-1] in IN_A_COLUMN and not name.startswith("gallery/mixture")
    assert figure.get_figwidth() == (COLUMN_WIDTH if in_a_column else TEXT_WIDTH)
    small = {t.get_text(): t.get_fontsize() for t in texts(figure)}
    assert {text: size for text, size in small.items() if size < SMALLEST_TEXT} == {}
    assert len(small) >= 3


@every_figure
def test_series_are_told_apart_without_color(figures, name):
    panels = figures(name).axes
    assert [pair for axes in panels for pair in confused(axes)] == []
    assert any(series(axes) for axes in panels)


@pytest.mark.slow
@every_figure
def test_nothing_is_cut_off_or_hidden(figures, name):
    """Texts lie on the paper, and none on another."""
    figure = figures(name)
    with look():
        figure.draw_without_rendering()
        paper = figure.bbox.padded(1)
        boxes = [(t.get_text(), t.get_window_extent()) for t in texts(figure)]
    for text, box in boxes:
        assert box.xmin >= paper.xmin, text
        assert box.xmax <= paper.xmax, text
        assert box.ymin >= paper.ymin, text
        assert box.ymax <= paper.ymax, text
    for (one, a), (other, b) in combinations(boxes, 2):
        width = min(a.xmax, b.xmax) - max(a.xmin, b.xmin)
        height = min(a.ymax, b.ymax) - max(a.ymin, b.ymin)
        assert min(width, height) < 2, (one, other)


def test_what_is_looked_for_is_found():
    figure = Figure(figsize=(TEXT_WIDTH, 2))
    axes = figure.subplots()
    axes.plot([0, 1], color="#C8503C", label="one")
    axes.plot([1, 0], color="#7D7D1E", label="other")
    assert len(confused(axes)) == 1
    axes.lines[0].set_linestyle("--")
    assert confused(axes) == []
    axes.plot([0, 1], label="a", **line(0))
    axes.plot([0, 2], label="b", **line(0))
    assert len(confused(axes)) == 1
    axes.set_title("tiny", fontsize=6)
    assert min(t.get_fontsize() for t in texts(figure)) == 6


def test_a_table_of_no_figure_is_refused(tmp_path):
    with pytest.raises(BadInput, match="there is no file"):
        redraw(tmp_path / "bounds.csv")
    (tmp_path / "retention.csv").write_text("a\n1\n")
    with pytest.raises(BadInput, match="not the table of a figure"):
        redraw(tmp_path / "retention.csv")
    (tmp_path / "equivalent_size.csv").write_text("set\nuniform\n")
    with pytest.raises(BadInput, match=r"^there is no file .*equivalent_size_table\.csv, which"):
        redraw(tmp_path / "equivalent_size.csv")
    with pytest.raises(BadInput, match="give one or more tables"):
        main([])


def test_a_table_is_drawn_beside_itself(tmp_path):
    table = tmp_path / "classical.csv"
    table.write_bytes((DOCS / "gallery" / "classical.csv").read_bytes())
    main([str(table)])
    assert {path.suffix for path in tmp_path.iterdir()} == {".csv", ".png", ".svg"}
    assert np.frombuffer(table.with_suffix(".png").read_bytes()[16:20], ">i4") == 200 * TEXT_WIDTH
