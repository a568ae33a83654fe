"""A module's syntax as text: what decides its numbers, and nothing of how it is written down."""

import ast
from collections.abc import Iterable, Iterator
from typing import Any

# Fields that decide nothing, or that only newer versions of Python have.
_IGNORED = {"ctx", "kind", "returns", "type_comment", "type_ignores", "type_params"}


def canonical(tree: ast.Module) -> str:
    """A text that two modules share if they compute the same in the same way.

    Left out are formatting, comments and docstrings, annotations but those of a class's fields, and
    the texts of errors: what is given to an exception that is raised, the message of an `assert`,
    and that of `factcap.synth.errors.require`.
    """
    return "".join(_pieces(tree, in_class=False))


def _pieces(node: Any, *, in_class: bool) -> Iterator[str]:
    """The text of a node, a list of nodes or a value.

    Args:
        node: any part of a syntax tree.
        in_class: whether it stands in the body of a class, where annotations are fields.
    """
    if isinstance(node, list):
        yield "["
        for part in node:
            if not _does_nothing(part):
                yield from _pieces(part, in_class=in_class)
        yield "]"
    elif isinstance(node, ast.AST):
        in_class = isinstance(node, ast.ClassDef) or (
            in_class and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        )
        kind, fields = _decisive(node, in_class)
        yield f"{kind}("
        for name, value in fields:
            if name not in _IGNORED and value is not None and value != []:
                yield f"{name}="
                yield from _pieces(value, in_class=in_class)
        yield ")"
    else:
        # not repr: which characters it shows depends on the version of Python
        yield f"{ascii(node)},"


def _decisive(node: ast.AST, in_class: bool) -> tuple[str, Iterable[tuple[str, Any]]]:
    """The kind of a node, and those of its fields that decide something."""
    match node:
        case ast.arg():
            return "arg", [("arg", node.arg)]
        case ast.Raise(ast.Call(exception), cause):
            return "Raise", [("exc", exception), ("cause", cause)]
        case ast.Assert():
            return "Assert", [("test", node.test)]
        case ast.Call(ast.Name("require") as function, [condition, *_]):
            return "Call", [("func", function), ("args", [condition])]
        case ast.AnnAssign(target, _, value) if value is not None and not in_class:
            return "Assign", [("targets", [target]), ("value", value)]
        case ast.AnnAssign() if not in_class:
            return "AnnAssign", [("target", node.target)]  # makes the name a local one
        case ast.JoinedStr():
            return "JoinedStr", [("values", list(_joined(node.values)))]
    return type(node).__name__, ast.iter_fields(node)


def _does_nothing(statement: Any) -> bool:
    """Whether it is `pass`, or a value of which nothing is made, as a docstring is."""
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def _joined(values: Iterable[Any]) -> Iterator[Any]:
    """The parts of an f-string; texts that follow each other as one, whatever cut them."""
    text = ""
    for value in values:
        if isinstance(value, ast.Constant):
            text += str(value.value)
            continue
        if text:
            yield text
        text = ""
        yield value
    if text:
        yield text
