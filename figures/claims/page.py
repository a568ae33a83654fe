"""`docs/claims.md`, made of the table of claims, so that the page cannot drift from the data."""

import csv
import os
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

COLUMNS = (
    *("claim", "source", "published", "measured", "low", "high", "seeds", "parameters"),
    *("verdict", "command"),
)

_HEAD = """# The claims of the field, measured

What papers say about how much a model memorizes, the number that they give, and the number that
small models give here. Each line is made by one command, which is written below the table.

*Measured* is the mean over seeds, with its 95 % interval (Student's t). *Verdict* reads the mean:
the claim holds, holds in part, or does not hold at this size. A claim that gives a least or a most,
as *no worse than 1.3 times*, has a wide range. The ranges are in the modules of
`factcap/figures/claims/`. A dash stands where the source gives no number.

The table is [claims.csv]({at}claims.csv), and the runs behind it are in `{at}claims/`.
This page is made of the table:

```sh
python -m factcap.figures.claims.page docs/results/claims.csv docs/claims.md
```

![Each measured number over the published one]({at}claims.png)

| claim | source | published | measured | interval | seeds | parameters | verdict |
|---|---|---|---|---|---|---|---|
"""
_NOTES = """
## What was tried

"""
_COMMANDS = """
## The commands

Each can be interrupted and goes on where it stopped. All of them together are
`factcap figure claims --preset laptop`: 35 minutes on two cores that do nothing else, or 65 minutes
of one. With `--preset overnight` there is a model of 0.53M parameters too: on a large GPU another
minute, on a CPU, by its first 300 steps, another four hours of a core.

```sh
"""


def page(rows: Iterable[Mapping[str, str]], at: str = "") -> str:
    """The page of some rows of the table.

    Args:
        rows: of the table.
        at: where its files lie, as seen from the page: empty, or ending in a slash.
    """
    # Claims load JAX, which a reader of the table does without.
    from factcap.figures.claims.table import CLAIMS

    rows = list(rows)
    lines = [
        f"| {row['claim']} | {row['source']} | {row['published'] or '-'} | {row['measured']} | "
        f"{row['low']} to {row['high']} | {row['seeds']} | {int(row['parameters']):,} | "
        f"{row['verdict']} |\n"
        for row in rows
    ]
    commands = dict.fromkeys(row["command"] for row in rows)
    claims = [CLAIMS[name] for name in CLAIMS if name in {*map(_name, commands)}]
    notes = [f"- **{claim.title}.** {claim.notes}\n" for claim in claims if claim.notes]
    parts = [
        _HEAD.format(at=at),
        *lines,
        *([_NOTES, *notes] if notes else []),
        _COMMANDS,
        *_lines(commands),
    ]
    return "".join(parts) + "```\n"


def _name(command: str) -> str:
    """The claim that a command measures."""
    found = re.search(r"claims=(\w+)", command)
    return found[1] if found else ""


def _lines(commands: Iterable[str]) -> list[str]:
    return [f"{command}\n" for command in commands]


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows of a table of claims."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    table, target = map(Path, sys.argv[1:])
    folder = os.path.relpath(table.parent, target.parent)
    target.write_text(page(read_table(table), "" if folder == "." else f"{folder}/"))
