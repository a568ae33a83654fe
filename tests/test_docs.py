import ast
import re
import shlex
from pathlib import Path

import pytest

from factcap import cli
from factcap.models import SIZES, named_size

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())
    for link in links:
        if "://" not in link:
            assert (page.parent / link).exists(), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_can_be_given(page):
    """Each command of a shell block has the form that the command line takes."""
    for block in blocks(page, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["factcap"]:
                cli.parse(words[1:])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_imports_what_there_is(page):
    for block in blocks(page, "python"):
        for node in ast.parse(block).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                exec(ast.unparse(node), {})


def test_the_table_of_sizes_is_right():
    text = (ROOT / "docs" / "how-to" / "your-facts.md").read_text()
    for name, (width, depth, heads) in SIZES.items():
        model = named_size(name, 128)
        rest = model.parameters - model.embedding_parameters
        cells = f"{width} | {depth} | {heads} | {model.parameters:,} | {rest:,}"
        assert f"| {name} | {cells} |" in text


def test_the_pages_hang_together():
    """Every page of docs/ can be reached from the README; the site's start includes it."""
    found, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        for link in re.findall(r"\]\(([^)#:]+\.md)\)", page.read_text()):
            target = (page.parent / link).resolve()
            if target not in found:
                found.add(target)
                waiting.append(target)
    assert set(PAGES) <= found | {ROOT / "README.md", ROOT / "docs" / "index.md"}
