"""Run labs without a reader, and say what their checks say.

    python -m labs.run out/labs/student/lab_1_bits.py

Every prediction is its default, every slider stands where it starts. The kit is the one beside the
lab, or ours.
"""

import importlib
import importlib.util
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from factcap.synth.errors import BadInput, require
from factcap.synth.libraries import library

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Finished:
    """A lab that was run.

    Attributes:
        values: what its cells define, by name.
        verdicts: what its checks say, by the name of the exercise.
    """

    values: Mapping[str, Any]
    verdicts: Mapping[str, Any]


def run_lab(lab: Path, values: Mapping[str, Any] | None = None) -> Finished:
    """Run a lab from its first cell to its last.

    Args:
        lab: the file.
        values: what some names shall be, in place of what their cells would make them. All names
            of such a cell must be given. A control is given as `kit.Given`.

    Raises:
        BadInput: if marimo or the file is missing, or it is no lab.
    """
    with _beside(lab):
        return _run(_load(lab), values or {})


@contextmanager
def _beside(lab: Path) -> Iterator[None]:
    """Within, the lab's own kit is imported, or ours; no other lab's that was imported before.

    Raises:
        BadInput: if the lab is missing.
    """
    require(lab.is_file(), f"there is no lab {lab}")
    before = list(sys.path)
    for name in [name for name in sys.modules if name.split(".")[0] == "kit"]:
        del sys.modules[name]
    sys.path[:] = [str(lab.resolve().parent), *before, str(HERE)]
    try:
        yield
    finally:
        sys.path[:] = before


def _load(lab: Path) -> Any:
    """The app of a lab, not run yet.

    Raises:
        BadInput: if marimo is missing, or it is no lab.
    """
    library("marimo", extra="labs")
    spec = importlib.util.spec_from_file_location(lab.stem, lab)
    require(spec is not None and spec.loader is not None, f"{lab} is no Python file")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    require(hasattr(module, "app"), f"{lab} is no lab: it has no app")
    return module.app


def _run(app: Any, values: Mapping[str, Any]) -> Finished:
    """Run the cells of a lab; what they raise goes through."""
    _, found = app.run(defs=dict(values))
    kind = importlib.import_module("kit").Verdict
    verdicts = [value for value in found.values() if isinstance(value, kind)]
    return Finished(found, {verdict.name: verdict for verdict in verdicts})


def _report(lab: Path) -> list[str]:
    """A line for each check, or the error with which the lab stops.

    Raises:
        BadInput: if marimo or the file is missing, or it is no lab.
    """
    with _beside(lab):
        try:
            app = _load(lab)
        except (BadInput, OSError):
            raise
        except Exception as error:  # say a file that a student left half written
            return [_stopped(error)]
        try:
            verdicts = _run(app, {}).verdicts
        except Exception as error:  # whatever a student's code may raise
            return [_stopped(error)]
    return [str(verdicts[exercise]) for exercise in sorted(verdicts)]


def _stopped(error: Exception) -> str:
    return f"stopped: {type(error).__name__}: {error}"


def main() -> None:
    """The command line."""
    try:
        require(len(sys.argv) > 1, "give labs: python -m labs.run out/labs/student/lab_1_bits.py")
        for name in sys.argv[1:]:
            print(name)
            for line in _report(Path(name)):
                print(f"  {line}")
    except (BadInput, OSError) as error:
        print(f"labs: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
