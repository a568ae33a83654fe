"""Links that pages have on the site and need not have on GitHub.

A link that reads `theory.md` bears the title of that page. A public name or a command in code
type leads to the reference, if it cannot be taken for a word: `luck_bound`, but not `run`.
"""

import re
from pathlib import PurePosixPath

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.nodes import make_refnode

from docs.extensions.commands import commands
from docs.extensions.docstrings import public_paths


def reference(written: str) -> str | None:
    """What a piece of code names, as a path or the label of a command; None if nothing.

    >>> reference("luck_bound"), reference("factcap generate cities"), reference("run")
    ('factcap.capacity.luck_bound', 'command-generate-cities', None)
    """
    first, *words = written.split()
    if first == "factcap" and tuple(words) in commands():
        return f"command-{'-'.join(words)}"
    unlike_words = re.search(r"[a-z0-9][_.][a-z]|[a-z][A-Z]", written)
    return public_paths().get(written.removesuffix("()")) if unlike_words else None


def _title(app: Sphinx, doctree: nodes.document, page: str) -> None:
    titles = {PurePosixPath(name).name: title for name, title in app.env.titles.items()}
    for link in doctree.findall(nodes.reference):
        written = re.fullmatch(r"([\w-]+)\.md", link.astext())
        if written and link.get("internal") and written[1] in titles:
            [text, *_] = link.findall(nodes.Text)
            text.parent.replace(text, nodes.Text(titles[written[1]].astext()))


def _link(app: Sphinx, doctree: nodes.document, page: str) -> None:
    objects = app.env.domains.python_domain.objects
    labels = app.env.domains.standard_domain.labels
    for code in list(doctree.findall(nodes.literal)):
        named = reference(code.astext()) if code.astext().strip() else None
        inside = isinstance(code.parent, nodes.reference | nodes.title)
        if named is None or inside or page.startswith("reference/"):
            continue
        if named in labels:
            target, anchor = labels[named][:2]
        elif named in objects:
            target, anchor = objects[named].docname, objects[named].node_id
        else:
            continue
        link = make_refnode(app.builder, page, target, anchor, code.deepcopy())
        code.parent.replace(code, link)


def setup(app: Sphinx) -> dict[str, bool]:
    """Make them when all pages are known."""
    app.connect("doctree-resolved", _title)
    app.connect("doctree-resolved", _link)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
