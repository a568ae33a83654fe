"""A module's syntax as text: what decides its numbers, and nothing of how it is written down."""

import ast
from typing import Any

# Fields that decide nothing, or that only newer versions of Python have.
_IGNORED = {"ctx", "kind", "returns", "type_comment", "type_ignores", "type_params"}

# Nodes of which not all counts.
_SPECIAL = {ast.AnnAssign, ast.Assert, ast.Call, ast.JoinedStr, ast.Raise, ast.arg}

# What has a body, and whether annotations in it are fields.
_BODIES = {ast.ClassDef: True, ast.FunctionDef: False, ast.AsyncFunctionDef: False}


def canonical(tree: ast.Module) -> str:
    """A text that two modules share if they compute the same in the same way.

    Left out are formatting, comments and docstrings, annotations but those of a class's fields, and
    the texts of errors: what is given to an exception that is raised, the message of an `assert`,
    and that of `factcap.synth.errors.require`.
    """
    pieces: list[str] = []
    # What is still to be written, the next last: texts, and nodes with whether a class is around.
    waiting: list[str | tuple[ast.AST, bool]] = [(tree, False)]
    while waiting:
        next_ = waiting.pop()
        if isinstance(next_, str):
            pieces.append(next_)
            continue
        node, in_class = next_
        in_class = _BODIES.get(type(node), in_class)
        kind, fields = type(node).__name__, [(name, getattr(node, name)) for name in node._fields]
        if type(node) in _SPECIAL:
            kind, fields = _decisive(node, in_class)
        parts: list[str | tuple[ast.AST, bool]] = [f"{kind}("]
        for name, value in fields:
            if name in _IGNORED or value is None or value == []:
                continue
            values = value if isinstance(value, list) else [value]
            parts.append(f"{name}=[" if values is value else f"{name}=")
            # not repr: which characters it shows depends on the version of Python
            parts += [
                (each, in_class) if isinstance(each, ast.AST) else f"{each!a},"
                for each in values
                if not (
                    isinstance(each, ast.Pass)
                    or (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
                )
            ]
            parts.append("]" if values is value else "")
        parts.append(")")
        waiting += reversed(parts)
    return "".join(pieces)


def _decisive(node: ast.AST, in_class: bool) -> tuple[str, list[tuple[str, Any]]]:
    """The kind of a node of which not all counts, and those of its fields that do."""
    match node:
        case ast.arg():
            return "arg", [("arg", node.arg)]
        case ast.Raise(ast.Call(exception)):
            return "Raise", [("exc", exception), ("cause", node.cause)]
        case ast.Assert():
            return "Assert", [("test", node.test)]
        case ast.Call(ast.Name("require") as function, [condition, *_]):
            return "Call", [("func", function), ("args", [condition])]
        case ast.AnnAssign(target, _, value) if value is not None and not in_class:
            return "Assign", [("targets", [target]), ("value", value)]
        case ast.AnnAssign() if not in_class:
            return "AnnAssign", [("target", node.target)]  # makes the name a local one
        case ast.JoinedStr():
            return "JoinedStr", [("values", _joined(node.values))]
    return type(node).__name__, list(ast.iter_fields(node))


def _joined(values: list[Any]) -> list[Any]:
    """The parts of an f-string; texts that follow each other as one, whatever cut them."""
    joined: list[Any] = []
    for value in values:
        part = str(value.value) if isinstance(value, ast.Constant) else value
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        elif part != "":
            joined.append(part)
    return joined
