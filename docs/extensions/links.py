"""Links that read `theory.md` on GitHub bear the title of the page on the site."""

import re
from pathlib import PurePosixPath

from docutils import nodes
from sphinx.application import Sphinx


def _name(app: Sphinx, doctree: nodes.document, page: str) -> None:
    titles = {PurePosixPath(name).name: title for name, title in app.env.titles.items()}
    for link in doctree.findall(nodes.reference):
        written = re.fullmatch(r"([\w-]+)\.md", link.astext())
        if written and link.get("internal") and written[1] in titles:
            [text, *_] = link.findall(nodes.Text)
            text.parent.replace(text, nodes.Text(titles[written[1]].astext()))


def setup(app: Sphinx) -> dict[str, bool]:
    """Rename them when all titles are known."""
    app.connect("doctree-resolved", _name)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
