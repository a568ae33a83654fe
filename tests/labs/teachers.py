"""The labs as a teacher has them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("marimo", reason="the labs need marimo: pip install 'factcap[labs]'")

from labs.run import Finished, run_lab

LABS = Path(__file__).parents[2] / "labs"


def run_solved(lab: str, values: Mapping[str, Any] | None = None) -> Finished:
    """Run a lab with its solutions; every exercise is right then."""
    finished = run_lab(LABS / f"{lab}.py", values)
    assert all(verdict.right for verdict in finished.verdicts.values())
    return finished
