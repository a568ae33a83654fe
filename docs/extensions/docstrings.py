"""Docstrings as reStructuredText: names become links, formulas are typeset, the rest is plain."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from sphinx.application import Sphinx

from docs.extensions.formulas import latex
from docs.extensions.public import defined_once, public_packages

_ALONE = re.compile(r"\s*\$([^$]+)\$\.?\s*")
_CODE_OR_FORMULA = re.compile(r"`([^`]+)`|\$([^$]+)\$")
_MARKUP = re.compile(r"[*|\\]|(?<=\w)_(?!\w)")
_BULLET = re.compile(r"^\s*[*-] ")


def restructured(lines: list[str]) -> list[str]:
    r"""The lines of a docstring with `names` as links or code, $formulas$ typeset, marks escaped.

    A formula that is a paragraph gets a line of its own.

    >>> restructured(["`b` is $w_i a_i$ of *x"])
    ['``b`` is :math:`w_{i}\\,a_{i}` of \\*x']
    """
    return "\n\n".join(_paragraph(part) for part in "\n".join(lines).split("\n\n")).split("\n")


def _paragraph(text: str) -> str:
    if text.lstrip().startswith(">>>"):
        return text
    if match := _ALONE.fullmatch(text):
        return f".. math:: {latex(' '.join(match[1].split()), display=True)}"
    return _prose(text)


def _prose(text: str) -> str:
    parts, end = [], 0
    for match in _CODE_OR_FORMULA.finditer(text):
        parts += [_escaped(text[end : match.start()]), _marked(*match.groups())]
        end = match.end()
    return "".join((*parts, _escaped(text[end:])))


def _escaped(text: str) -> str:
    lines = []
    for line in text.split("\n"):
        bullet = _BULLET.match(line)
        start = bullet.end() if bullet else 0
        plain = line[start:].replace("<=", "≤").replace(">=", "≥")
        lines.append(line[:start] + _MARKUP.sub(r"\\\g<0>", plain))
    return "\n".join(lines)


def _marked(code: str | None, formula: str | None) -> str:
    if formula is not None:
        return f":math:`{latex(' '.join(formula.split()))}`"
    name = " ".join((code or "").split())
    path = public_paths().get(name)
    return f":py:obj:`{name} <{path}>`" if path else f"``{name}``"


@cache
def public_paths() -> dict[str, str]:
    """Where the site tells of a name; names that several packages have are left out."""
    places = defined_once()
    found: dict[str, set[str]] = {}
    for names in public_packages().values():
        for name in names:
            path = places[name.origin].path
            for written in (name.name, name.path, name.origin):
                found.setdefault(written, set()).add(path)
    return {written: paths.pop() for written, paths in found.items() if len(paths) == 1}


def _process(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    lines[:] = restructured(lines)


def setup(app: Sphinx) -> dict[str, bool]:
    """Before napoleon reads the sections."""
    handler: Callable = _process
    app.connect("autodoc-process-docstring", handler, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
