"""What all commands share: numbers such as 1e6, progress bars, JSON on stdout."""

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from tyro.constructors import PrimitiveConstructorSpec

from factcap.synth.numbers import whole_number

# A whole number that may be written 1000000, 1_000_000 or 1e6.
Count = Annotated[
    int,
    PrimitiveConstructorSpec(
        nargs=1,
        metavar="INT",
        instance_from_str=lambda words: whole_number(words[0]),
        is_instance=lambda value: isinstance(value, int),
        str_from_instance=lambda value: [str(value)],
    ),
]


def progress_bar(
    unit: str,
    total: int | None = None,
    *,
    unit_scale: bool = False,
    shown: bool = True,
    **options: Any,
) -> Any:
    """A progress bar on stderr; silent where that is not a terminal, or it is not to be shown."""
    from tqdm import tqdm

    return tqdm(
        total=total,
        unit=unit,
        unit_scale=unit_scale,
        file=sys.stderr,
        disable=None if shown else True,
        dynamic_ncols=True,
        **options,
    )


@contextlib.contextmanager
def libraries_on_stderr() -> Iterator[None]:
    """Meanwhile what libraries print on stdout, where a result is to stand, goes to stderr."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def say(line: str) -> None:
    """Tell the user something on stderr, beside a progress bar if there is one."""
    from tqdm import tqdm

    tqdm.write(line, file=sys.stderr)


def print_json(value: Any) -> None:
    """Print JSON for a program to read."""
    print(json.dumps(value, indent=2))


def write_facts(facts: Any, out: Path, as_json: bool) -> None:
    """Write a fact set or a stream with a progress bar, and say what was written."""
    from factcap.synth import FactSet, write

    total = len(facts) if isinstance(facts, FactSet) else facts.facts
    with progress_bar("facts", total, unit_scale=True) as bar:
        write(facts, out, progress=bar.update)
    if as_json:
        origin = json.loads(facts.origin.to_json())
        return print_json({"file": str(out), "facts": total, "origin": origin})
    print(f"{out}: {total:,} facts")
