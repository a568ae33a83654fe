"""The palette, as it is seen in gray and by the color-blind."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from colorspacious import cspace_convert

from factcap.figures.style import (
    COLORS,
    DARK,
    DARK_COLORS,
    DASHES,
    LIGHT,
    MARKERS,
    palette_css,
)

# A step of 1 in CAM02-UCS is about what can just be seen, side by side.
APART, NEIGHBORS_APART = 12.0, 15.0
# Of CIE lightness, 0 to 100.
GREYS_APART, NEIGHBORING_GREYS_APART = 5.0, 10.0
BLINDNESS = ("deuteranomaly", "protanomaly", "tritanomaly")
PALETTES = {"light": (COLORS, LIGHT), "dark": (DARK_COLORS, DARK)}


def rgb(color):
    return np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)]) / 255


def seen(color, blindness):
    """The color as one who lacks a cone type sees it, by the matrices of Machado et al. 2009."""
    if blindness is None:
        return rgb(color)
    space = {"name": "sRGB1+CVD", "cvd_type": blindness, "severity": 100}
    return np.clip(cspace_convert(rgb(color), space, "sRGB1"), 0, 1)


def apart(one, other, blindness):
    places = [cspace_convert(seen(c, blindness), "sRGB1", "CAM02-UCS") for c in (one, other)]
    return np.linalg.norm(places[0] - places[1])


def lightness(color):
    return cspace_convert(rgb(color), "sRGB1", "CIELab")[0]


def contrast(one, other):
    """As the Web Content Accessibility Guidelines define it: 1 to 21."""
    luminance = []
    for color in (one, other):
        value = rgb(color)
        linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
        luminance.append(linear @ [0.2126, 0.7152, 0.0722])
    return (max(luminance) + 0.05) / (min(luminance) + 0.05)


@pytest.mark.parametrize("ground", PALETTES)
@pytest.mark.parametrize("blindness", [None, *BLINDNESS])
def test_colors_are_told_apart(ground, blindness):
    colors, _ = PALETTES[ground]
    for one, other in combinations(colors, 2):
        assert apart(one, other, blindness) > APART, (one, other)
    for one, other in pairwise(colors):
        assert apart(one, other, blindness) > NEIGHBORS_APART, (one, other)


@pytest.mark.parametrize("ground", PALETTES)
def test_greys_are_told_apart(ground):
    greys = [lightness(color) for color in PALETTES[ground][0]]
    assert min(abs(a - b) for a, b in combinations(greys, 2)) > GREYS_APART
    assert min(abs(a - b) for a, b in pairwise(greys)) > NEIGHBORING_GREYS_APART


def test_the_measure_finds_colors_that_are_confused():
    """Red and green of one lightness: far apart for most readers, near for some."""
    red, green = "#C8503C", "#7D7D1E"
    assert apart(red, green, None) > 2 * APART
    assert apart(red, green, "deuteranomaly") < APART


@pytest.mark.parametrize("ground", PALETTES)
def test_lines_and_text_stand_out_from_the_ground(ground):
    colors, rest = PALETTES[ground]
    assert min(contrast(color, rest["paper"]) for color in colors) >= 3
    assert min(contrast(rest[name], rest["paper"]) for name in ("ink", "muted")) >= 4.5
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)


def test_series_differ_in_marker_and_dashes_too():
    assert len(set(COLORS)) == len(set(MARKERS)) == len(set(DASHES)) == len(COLORS) == 6
    assert len(set(DARK_COLORS)) == len(COLORS)


def test_the_sheet_has_every_color_of_both_grounds():
    sheet = palette_css()
    for colors, rest in PALETTES.values():
        for number, color in enumerate(colors, 1):
            assert f"--factcap-series-{number}: {color};" in sheet
        for name, color in rest.items():
            assert f"--factcap-{name}: {color};" in sheet
    assert sheet.count("{") == sheet.count("}") == 4
