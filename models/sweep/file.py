"""A sweep as a Python file: what its `runs` yields."""

import runpy
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from factcap.synth.errors import BadInput, require


def configurations(path: Path) -> list[Mapping[str, Any]]:
    """The configurations of a sweep file: the list or the function `runs` that it defines.

    Raises:
        BadInput: if the file cannot be read or run, or defines no `runs`; the message gives the
            line.
    """
    require(path.is_file(), f"there is no sweep file {path}")
    try:
        runs: Any = runpy.run_path(str(path)).get("runs")
        require(
            runs is not None,
            f"{path} must define `runs`: a list of configurations, or a function that yields them",
        )
        made: Any = runs() if callable(runs) else runs
        found = list(made)
    except BadInput as error:
        raise BadInput(_placed(path, error)) from None
    except SyntaxError as error:
        raise BadInput(f"{error.filename}, line {error.lineno}: {error.msg}") from None
    except Exception as error:
        raise BadInput(f"{_placed(path, error)} ({type(error).__name__})") from None
    require(bool(found), f"{path}: `runs` has no configuration")
    return found


def _placed(path: Path, error: Exception) -> str:
    """The error's text after the line of the file where it came from, if from there."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    text = str(error).splitlines()[0] if str(error) else "an error without a text"
    if not frames:
        return text if str(path) in text else f"{path}: {text}"
    return f"{path}, line {frames[-1].lineno}: {text}"
