"""The directive `public`: all that a package lists, each with its docstring and source."""

import ast
import inspect
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.ext.autodoc.mock import mock  # pyright: ignore[reportPrivateImportUsage]
from sphinx.util.docutils import SphinxDirective

from docs.extensions.docstrings import restructured
from docs.extensions.public import PublicName, defined_once, public_packages, source_file


class Public(SphinxDirective):
    """`.. public:: factcap.capacity`: a table of the names, then each in full."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The page as reStructuredText, parsed where the directive stands."""
        package = self.arguments[0]
        names = public_packages()[package]
        with mock(self.config.autodoc_mock_imports):
            lines = page(package, names)
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


def page(package: str, names: list[PublicName]) -> list[str]:
    """The text of a page: what the package says of itself, the table, and the names."""
    module = import_module(package)
    lines = [f".. py:module:: {package}", "", *restructured(_docstring(module)), ""]
    lines += [".. list-table::", "   :widths: 2 3", ""]
    for name in names:
        link, summary = _link(name), _summary(name, getattr(module, name.name))
        lines += [f"   * - {link}", f"     - {summary}"]
    lines.append("")
    places = defined_once()
    for name in names:
        if places[name.origin] == name and not _is_module(getattr(module, name.name)):
            lines += [*_entry(name, getattr(module, name.name)), ""]
    return lines


def _docstring(thing: Any) -> list[str]:
    return (inspect.getdoc(thing) or "").split("\n")


def _is_module(thing: Any) -> bool:
    return isinstance(thing, ModuleType)


def _link(name: PublicName) -> str:
    place = defined_once()[name.origin]
    return f":py:obj:`{name.name} <{place.path}>`"


def _summary(name: PublicName, thing: Any) -> str:
    if _is_value(thing):
        return " ".join(_comment(name))
    first = "\n".join(_docstring(thing)).split("\n\n")[0]
    return " ".join(restructured(first.split("\n")))


def _is_value(thing: Any) -> bool:
    function = callable(thing) and inspect.isroutine(inspect.unwrap(thing))
    return not (_is_module(thing) or inspect.isclass(thing) or function)


def _entry(name: PublicName, thing: Any) -> list[str]:
    if inspect.isclass(thing):
        return [f".. autoclass:: {name.path}", "   :members:"]
    if not _is_value(thing):
        return [f".. autofunction:: {name.path}"]
    told = [f"   {line}" for line in restructured(_comment(name))]
    head = [f".. py:data:: {name.name}", f"   :module: {name.package}"]
    return [*head, f"   :value: {_value(thing)}", "", *told]


def _value(thing: Any) -> str:
    text = " ".join(repr(thing).split())
    return text if len(text) <= 70 else text[:66] + " ..."


def _comment(name: PublicName) -> list[str]:
    """The comment over the assignment of a value."""
    source = source_file(name.module)
    lines = source.read_text().split("\n")
    start = _assigned(source, name.name) - 1
    first = start
    while lines[first - 1].startswith("#"):
        first -= 1
    return [line.lstrip("# ") for line in lines[first:start]]


def _assigned(source: Path, name: str) -> int:
    """The line of an assignment."""
    for node in ast.parse(source.read_text()).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return node.lineno
    raise LookupError(f"{source} does not assign {name}")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("public", Public)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
