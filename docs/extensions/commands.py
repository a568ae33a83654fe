"""The directive `commands`: every command of `factcap`, with what its --help prints."""

import contextlib
import io
import os
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from textwrap import wrap
from typing import Any, get_args, get_type_hints

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from factcap import cli

_WIDTH = 88


def commands() -> list[tuple[str, ...]]:
    """The words of each command, those with kinds (`generate phonebook`) too."""
    return list(_commands(cli.Command))


def help_text(words: tuple[str, ...]) -> str:
    """What a command prints with --help, without colors and on lines of equal length."""
    printed = io.StringIO()
    before = {name: os.environ.get(name) for name in ("COLUMNS", "NO_COLOR")}
    os.environ.update(COLUMNS=str(_WIDTH), NO_COLOR="1")
    try:
        with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
            cli.parse([*words, "--help"])
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            os.environ.update({} if value is None else {name: value})
    lines = printed.getvalue().split("\n")
    return "\n".join(piece for line in lines for piece in wrap(line.rstrip(), _WIDTH) or [""])


def _commands(union: Any, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for each in get_args(union):
        kind, *marks = get_args(each)
        [name] = [mark.name for mark in marks if hasattr(mark, "name")]
        yield (*before, name)
        hints = get_type_hints(kind, include_extras=True) if is_dataclass(kind) else {}
        for field in fields(kind):
            if any(is_dataclass(part) for part in _kinds(hints[field.name])):
                yield from _commands(hints[field.name], (*before, name))


def _kinds(union: Any) -> list[Any]:
    return [get_args(each)[0] for each in get_args(union) if get_args(each)]


class Commands(SphinxDirective):
    """`.. commands::`: a section a command; its label is `command-NAME`."""

    def run(self) -> list[nodes.Node]:
        """The sections, parsed where the directive stands."""
        lines: list[str] = []
        for words in commands():
            title = " ".join(("factcap", *words))
            mark = "=" if len(words) == 1 else "-"
            lines += [f".. _command-{'-'.join(words)}:", "", title, mark * len(title), ""]
            lines += [".. code-block:: text", ""]
            lines += [f"   {line}" for line in help_text(words).split("\n")]
            lines.append("")
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("commands", Commands)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
