import subprocess
import sys
from pathlib import Path

import pytest

from docs.extensions.check import problems, read_page, wanted_anchors

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site as `make docs` builds it: a warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    words = ["--fail-on-warning", "--keep-going", "--quiet", "-d", folder / "doctrees"]
    ran = subprocess.run(
        [sys.executable, "-m", "sphinx", *words, "docs", folder / "html"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    return folder / "html"


@pytest.mark.slow
def test_the_site_is_whole(site):
    """Links and anchors lead somewhere, nothing comes from elsewhere, and no name is missing."""
    assert problems(site, wanted_anchors()) == []


@pytest.mark.slow
def test_formulas_and_sources_are_on_the_pages(site):
    text = (site / "reference" / "capacity.html").read_text()
    assert "<math " in text
    assert "../_modules/factcap/capacity/bounds/luck.html#luck_bound" in read_page(text).links


@pytest.mark.slow
def test_the_start_page_has_the_picture_and_the_commands(site):
    text = (site / "index.html").read_text()
    assert "_images/capacity_curve.png" in text
    assert "trains 28 small models" in text
    assert {"explorer.html", "labs.html", "gallery/index.html"} <= set(read_page(text).links)


@pytest.mark.slow
def test_names_and_commands_in_pages_lead_to_the_reference(site):
    links = read_page((site / "theory.html").read_text()).links
    assert "reference/capacity.html#factcap.capacity.luck_bound" in links
    links = read_page((site / "retention.html").read_text()).links
    assert "reference/commands.html#command-predict" in links
    assert ">theory.md<" not in (site / "results.html").read_text()


@pytest.mark.slow
def test_the_explorer_is_copied_as_it_is(site):
    for path in (ROOT / "docs" / "explore").rglob("*.html"):
        copy = site / "explore" / path.relative_to(ROOT / "docs" / "explore")
        assert copy.read_bytes() == path.read_bytes()
