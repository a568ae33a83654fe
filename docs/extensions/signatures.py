"""Signatures as they are written: annotations of arrays unfold to many lines when evaluated."""

import ast
import inspect
import textwrap
from dataclasses import fields, is_dataclass
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from docs.extensions.docstrings import public_paths


def written(thing: Any) -> tuple[str, str | None] | None:
    """Parameters and result of a function or dataclass as its source has them.

    >>> from factcap.capacity import stored_bits
    >>> written(stored_bits)[1]
    'StoredBits'
    """
    if isinstance(thing, type):
        return _of_class(thing)
    if not (inspect.isfunction(thing) or inspect.ismethod(thing)):
        return None
    return _of_function(_definition(thing))


def _of_class(thing: type) -> tuple[str, str | None] | None:
    if inspect.isfunction(made := vars(thing).get("__init__")) and not is_dataclass(thing):
        return _of_function(_definition(made))[0], None
    if not is_dataclass(thing):
        return None
    names = {field.name for field in fields(thing) if field.init}
    assigned = [node for node in _definition(thing).body if isinstance(node, ast.AnnAssign)]
    taken = [node for node in assigned if getattr(node.target, "id", "") in names]
    return f"({', '.join(_field(node) for node in taken)})", None


def _field(node: ast.AnnAssign) -> str:
    value = "" if node.value is None else f" = {ast.unparse(node.value)}"
    return f"{ast.unparse(node.target)}: {ast.unparse(node.annotation)}{value}"


def _of_function(node: Any) -> tuple[str, str | None]:
    arguments = node.args
    if arguments.args and arguments.args[0].arg in ("self", "cls"):
        del arguments.args[0]
    result = ast.unparse(node.returns) if node.returns else None
    return f"({ast.unparse(arguments)})", result


def _definition(thing: Any) -> Any:
    source = textwrap.dedent(inspect.getsource(inspect.unwrap(thing)))
    return ast.parse(source).body[0]


def _process(
    app: Sphinx, what: str, name: str, thing: Any, options: Any, signature: Any, result: Any
) -> tuple[str, str | None] | None:
    return written(thing)


def _resolve(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, shown: nodes.TextElement
) -> nodes.Element | None:
    """A class of ours by its name alone; what other packages define stays without a link."""
    if node["refdomain"] != "py":
        return None
    path = public_paths().get(node["reftarget"].split(".")[-1])
    domain = env.domains.python_domain
    linked = path and domain.resolve_xref(
        env, node["refdoc"], app.builder, "obj", path, node, shown
    )
    return linked or (shown if node["reftype"] in ("class", "exc") else None)


def setup(app: Sphinx) -> dict[str, bool]:
    """Write signatures, and resolve what they name."""
    app.connect("autodoc-process-signature", _process)
    app.connect("missing-reference", _resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
