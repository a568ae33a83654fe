"""What the checks of a lab say of answers, without its measurements."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("marimo", reason="the labs need marimo: pip install 'factcap[labs]'")

from labs.run import run_lab
from labs.versions import write_versions

LABS = Path(__file__).parents[2] / "labs"


class Withheld:
    """A prediction that is not given, so that nothing is measured."""

    value = None


def states(lab: Path, answers: Mapping[str, Any] | None = None) -> dict[str, str]:
    """The state of each exercise.

    Args:
        lab: the file.
        answers: in place of its solutions, by name.
    """
    predictions = re.findall(r"^    (\w+) = predict\(", lab.read_text(), re.MULTILINE)
    values = dict.fromkeys(predictions, Withheld()) | dict(answers or {})
    return {name: verdict.state for name, verdict in run_lab(lab, values).verdicts.items()}


def student_lab(name: str, folder: Path) -> Path:
    """A lab without solutions, in a new folder."""
    write_versions(folder)
    return folder / "student" / f"{name}.py"
