"""The Python blocks of the pages run, in their order, and print what the comments beside them say.

A block after `<!-- not run: why -->` is left out; tests/test_docs.py checks its imports.
"""

import contextlib
import io
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_BLOCK = re.compile(r"(<!-- not run: .+? -->\n)?```python\n(.*?)```", re.DOTALL)
_SAID = re.compile(r"^print\(.*\)  # (.+)$", re.MULTILINE)


def examples(page: Path) -> list[str]:
    return [code for left_out, code in _BLOCK.findall(page.read_text()) if not left_out]


@pytest.mark.parametrize(
    "page", [page for page in PAGES if examples(page)], ids=lambda page: page.stem
)
def test_the_examples_run(page, tmp_path, monkeypatch):
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for code in examples(page):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, str(page), "exec"), names)
        for said in _SAID.findall(code):
            assert said in printed.getvalue()


def test_pages_have_examples_that_run():
    assert len([page for page in PAGES if examples(page)]) >= 5
