"""The explorer's parts that come from elsewhere, and that nothing is fetched."""

import json
import re
import runpy
from pathlib import Path

import pytest

from factcap.figures.style import palette_css

EXPLORE = Path(__file__).parents[2] / "docs" / "explore"
OURS = sorted(path for path in EXPLORE.iterdir() if path.suffix in (".html", ".css", ".js"))


@pytest.fixture(scope="module")
def made():
    return runpy.run_path(str(EXPLORE / "make.py"))


def test_measured_points_are_those_of_the_tables(made):
    """Fails when a table in docs/results has changed: run `python docs/explore/make.py`."""
    assert (EXPLORE / "measured.js").read_text() == made["measured_js"]()


def test_the_palette_is_that_of_the_figures():
    assert (EXPLORE / "palette.css").read_text() == palette_css()
    colors = re.findall(r"#[0-9A-Fa-f]{3,8}\b", (EXPLORE / "style.css").read_text())
    assert colors == []


def test_the_points_say_what_the_results_page_says(made):
    equal, *others = made["measured"]()
    assert equal["exponent"] == 0
    trained = {series["title"]: series["points"][-1] for series in equal["series"]}
    # docs/results.md: of 3,750 equally frequent facts ordinary training knows 5
    assert trained["trained on all facts"]["known"][0] * 3750 == pytest.approx(5.0, abs=0.01)
    assert trained["trained on what fits"]["known"][0] > 0.24
    assert [group["name"] for group in others[-1:]] == ["cities"]
    for group in (equal, *others):
        assert group["choices"] == 2**21
        for series in group["series"]:
            loads = [point["load"] for point in series["points"]]
            assert loads == sorted(loads)
            assert max(loads) > 3.9


def test_what_the_page_loads_lies_beside_it():
    page = (EXPLORE / "index.html").read_text()
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert {Path(name).name for name in loaded if not name.startswith("data:")} == {
        path.name for path in OURS if path.suffix != ".html"
    }
    for path in OURS:
        # a namespace is a name, and not fetched
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        fetched = r"https?:|//[a-z]+\.[a-z]|\bfetch\(|\bimport\(|@import|url\([^#]"
        assert not re.search(fetched, text), path
        assert not re.search(r"^\s*import\b", text, re.MULTILINE), path


def test_the_points_are_json(made):
    text = (EXPLORE / "measured.js").read_text()
    assert json.loads(text[text.index("[\n") : text.rindex(";")]) == made["measured"]()
