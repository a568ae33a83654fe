import subprocess
import sys
from pathlib import Path

import pytest

from docs.extensions import check
from docs.extensions.check import problems, read_page, wanted_anchors

ROOT = Path(__file__).parents[2]


@pytest.fixture
def site(tmp_path):
    """A site that is well: two pages, a style, a picture."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "style.css").write_text("a { background: url(x.png) }")
    (tmp_path / "x.png").write_bytes(b"")
    (tmp_path / "index.html").write_text(
        '<link rel="stylesheet" href="style.css?v=1"><a href="sub/page.html#there">x</a>'
        '<a href="#here">x</a><a href="https://example.org/">out</a><i id="here"></i>'
    )
    (tmp_path / "sub" / "page.html").write_text(
        '<img src="../x.png"><p id="there"></p><a href="../">up</a>'
    )
    return tmp_path


@pytest.mark.parametrize("words", [[], ["nowhere"]])
def test_without_a_site_one_line_says_what_to_give(words):
    command = [sys.executable, "-m", "docs.extensions.check", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        "give the folder of a built site: python -m docs.extensions.check out/site\n"
    )


def test_a_site_that_is_well_has_no_problems(site):
    assert problems(site, ["here", "there"]) == []


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ('<a href="gone.html">', "index.html leads to gone.html, which is not there"),
        ('<a href="sub/page.html#no">', "leads to sub/page.html#no, where no such anchor is"),
        ('<a href="#no">', "leads to #no, where no such anchor is"),
        ('<img src="gone.png">', "leads to gone.png, which is not there"),
        ('<script src="https://cdn.example/x.js"></script>', "loads https://cdn.example/x.js"),
        ('<img src="//cdn.example/x.png">', "loads //cdn.example/x.png"),
        ('<img srcset="http://a.example/x.png 2x">', "loads http://a.example/x.png"),
        (
            '<link rel="preload" href="https://a.example/f.woff2">',
            "loads https://a.example/f.woff2",
        ),
        ('<style>@import "https://a.example/x.css";</style>', "loads https://a.example/x.css"),
        ('<p style="background: url(https://a.example/x.png)">', "loads https://a.example/x.png"),
        ('<script>fetch("https://a.example/x.json")</script>', "loads https://a.example/x.json"),
        ('<script>import "https://a.example/x.js"</script>', "loads https://a.example/x.js"),
    ],
)
def test_what_is_wrong_with_a_page_is_told(site, more, problem):
    page = site / "index.html"
    page.write_text(page.read_text() + more)
    assert any(problem in found for found in problems(site)), problems(site)


def test_a_site_in_the_current_folder_is_checked_as_well(site, monkeypatch):
    monkeypatch.chdir(site.parent)
    (site / "index.html").write_text('<a href="sub/page.html#no">')
    [found] = problems(Path(site.name))
    assert "no such anchor" in found


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.css", "@font-face { src: url('https://a.example/f.woff2') }"),
        ("x.js", "const m = await import('https://a.example/m.js')"),
        ("x.js", 'image.src = "https://a.example/x.png"'),
    ],
)
def test_styles_and_scripts_load_nothing_from_elsewhere(site, name, text):
    (site / name).write_text(text)
    [found] = problems(site)
    assert found.startswith(f"{name} loads https://a.example/")


def test_a_name_that_no_page_tells_of_is_missed(site):
    assert problems(site, ["here", "factcap.gone"]) == ["no page tells of factcap.gone"]


def test_a_site_may_not_grow_without_end(site, monkeypatch):
    monkeypatch.setattr(check, "MOST_BYTES", 100)
    [found] = problems(site)
    assert "more than 100" in found


def test_links_that_only_say_where_something_is_are_no_loads():
    page = read_page('<link rel="canonical" href="https://example.org/"><a href="x.html">x</a>')
    assert (page.loads, page.links) == ([], ["x.html"])


def test_names_commands_and_figures_are_wanted():
    wanted = wanted_anchors()
    assert {"factcap.capacity.luck_bound", "command-bound", "figure-joint-coding"} <= set(wanted)
    assert {"module-factcap.models", "command-generate-phonebook"} <= set(wanted)
