"""The directive `gallery`: each figure with its picture, command, data and code."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from docs.extensions.docstrings import restructured
from docs.extensions.public import ROOT, source_file
from factcap.figures import FIGURES

DOCS = ROOT / "docs"
# Of the figures that train: what made the picture that is kept, where no file beside it says so.
COMMANDS = {
    "capacity_curve": "factcap curve --preset laptop",
    "retention": "factcap figure retention --data models",
    "corpus_selection": "factcap figure corpus_selection --data FOLDER",
    "corpus_loads": "factcap figure corpus_loads --data FOLDER --set times=0.15,0.3,0.6,1 "
    "--set corpus.schemes=loss_h,worth,loss_h:documents --set corpus.seeds=5",
    "selection_gain": "factcap figure selection_gain --preset five-seeds",
    "equivalent_size": "factcap figure equivalent_size",
    "what_is_lost": "factcap figure what_is_lost --set schemes=loss_h,worth --set seeds=2",
}


def command(name: str) -> str:
    """The command that makes a figure again, as the file beside its data has it."""
    record = picture(name).with_suffix(".json")
    if record.exists():
        return json.loads(record.read_text())["command"]
    return COMMANDS.get(name, f"factcap figure {name}")


def picture(name: str) -> Path:
    """The PNG that is kept: of theory in docs/gallery/, of what was trained in docs/results/.

    Raises:
        FileNotFoundError: if a figure of the registry has none; the site would lack it.
    """
    for folder in ("gallery", "results"):
        if (path := DOCS / folder / f"{name}.png").exists():
            return path
    raise FileNotFoundError(f"docs/gallery and docs/results have no {name}.png; draw the figure")


def files(name: str, suffix: str) -> list[Path]:
    """What is kept of a figure: NAME and NAME_MORE, unless another figure has that longer name."""
    found = sorted(picture(name).parent.glob(f"{name}*{suffix}"))
    return [path for path in found if _owner(path.stem) == name]


def drawing_modules(name: str) -> list[str]:
    """The modules of a figure that draw: its own, and those beside it that import matplotlib."""
    start = FIGURES[name].module
    room, found, waiting = start.rpartition(".")[0], [], [start]
    while waiting:
        module = waiting.pop(0)
        found.append(module)
        for imported in _imports(module):
            alike = room != "factcap.figures" and imported.startswith(f"{room}.")
            if alike and imported not in (*found, *waiting):
                waiting.append(imported)
    return [module for module in found if any(_draws(each) for each in _imports(module))]


def caption(name: str) -> str:
    """What the module of a figure says of itself."""
    tree = ast.parse(source_file(FIGURES[name].module).read_text())
    return ast.get_docstring(tree) or ""


def _owner(stem: str) -> str:
    return max((name for name in FIGURES if stem.startswith(name)), key=len)


def _draws(module: str) -> bool:
    return module.split(".")[0] == "matplotlib" or module == "factcap.figures.style"


def _imports(module: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source_file(module).read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


class Gallery(SphinxDirective):
    """`.. gallery::`: pictures to choose from, then a section a figure; its label is its name."""

    def run(self) -> list[nodes.Node]:
        """The sections, parsed where the directive stands."""
        for name in FIGURES:
            self.env.note_dependency(str(picture(name)))
        lines = ["\n".join(cards()), *("\n".join(section(name)) for name in FIGURES)]
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


def cards() -> list[str]:
    """A grid of small pictures, each leading to its figure."""
    lines = [".. grid:: 2 2 3 3", "   :gutter: 2", ""]
    for name in FIGURES:
        lines += [f"   .. grid-item-card:: {name}", f"      :link: figure-{name}"]
        lines += ["      :link-type: ref", f"      :img-bottom: {_place(picture(name))}"]
        lines += [f"      :img-alt: {name}", ""]
    return lines


def section(name: str) -> list[str]:
    """All that there is to one figure."""
    lines = [f".. _figure-{name}:", "", name, "=" * len(name), ""]
    lines += [*restructured(caption(name).split("\n")), ""]
    for path in files(name, ".png"):
        lines += [f".. image:: {_place(path)}", f"   :alt: {path.stem}", ""]
    lines += [".. code-block:: sh", "", f"   {command(name)}", ""]
    data = ", ".join(f":download:`{path.name} <{_place(path)}>`" for path in files(name, ".csv"))
    lines += [f"Data: {data}", ""]
    for module in drawing_modules(name):
        path = source_file(module).relative_to(ROOT)
        lines += [f".. dropdown:: The code: {path}", "", f"   .. literalinclude:: /../{path}"]
        lines += ["      :language: python", ""]
    return lines


def _place(path: Path) -> str:
    return f"/{path.relative_to(DOCS)}"


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("gallery", Gallery)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
