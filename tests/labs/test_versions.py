import ast
import subprocess
import sys
from pathlib import Path

import pytest

from factcap.synth import BadInput
from labs.versions import student_version, write_versions

ROOT = Path(__file__).parents[2]
LABS = sorted((ROOT / "labs").glob("lab_*.py"))

CELLS = """
@app.cell
def _(facts):
    # How many?
    ### BEGIN SOLUTION
    half = len(facts) / 2
    many = 2 * half
    ### END SOLUTION
    return half, many


@app.cell(hide_code=True)
def _():
    ### TEACHER
    mo.md("As many as there are.")
    return
"""


def test_a_solution_gives_way_to_blanks():
    lines = [line.strip() for line in student_version(CELLS).splitlines()]
    at = lines.index("# How many?")
    blanks = ["# Your code here.", "half = ...", "many = ...", "return half, many"]
    assert lines[at + 1 : at + 5] == blanks


def test_a_cell_for_teachers_is_left_out_with_its_mark():
    text = student_version(CELLS)
    assert "As many" not in text
    assert text.count("@app.cell") == len(ast.parse(text).body) == 1


@pytest.mark.parametrize("mark", ["### BEGIN SOLUTION", "### END SOLUTION"])
def test_a_mark_without_a_partner_is_refused(mark):
    with pytest.raises(BadInput, match="no partner"):
        student_version(f"x = 1\n{mark}\ny = 2\n")


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.stem)
def test_students_see_no_solution(lab):
    text = lab.read_text()
    blank = student_version(text)
    assert text.count("### BEGIN SOLUTION") == blank.count("# Your code here.") >= 3
    assert "SOLUTION" not in blank
    assert "TEACHER" not in blank
    ast.parse(blank)


def test_both_versions_are_written_with_the_kit(tmp_path):
    assert write_versions(tmp_path) == []
    for version in ("student", "teacher"):
        names = {path.name for path in (tmp_path / version).iterdir()}
        assert names == {"kit", *(lab.name for lab in LABS)}
        kit = {path.name: path.read_text() for path in (ROOT / "labs" / "kit").glob("*.py")}
        assert {
            path.name: path.read_text() for path in (tmp_path / version / "kit").iterdir()
        } == kit
    assert (tmp_path / "teacher" / LABS[0].name).read_text() == LABS[0].read_text()
    assert write_versions(tmp_path) == []


def test_work_is_left_as_it_is(tmp_path):
    write_versions(tmp_path)
    worked_on = [tmp_path / "student" / LABS[0].name, tmp_path / "teacher" / "kit" / "picture.py"]
    for path in worked_on:
        path.write_text("# mine\n")
    assert write_versions(tmp_path) == worked_on
    assert [path.read_text() for path in worked_on] == ["# mine\n"] * 2


@pytest.mark.parametrize("words", [[], ["a", "b"], [str(LABS[0])]], ids=["none", "two", "a file"])
def test_a_wrong_folder_gets_one_line(words):
    command = [sys.executable, "-m", "labs.versions", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("labs: ")
    assert done.stderr.count("\n") == 1


def test_without_marimo_one_line_says_what_to_install():
    code = (
        "import runpy, sys; sys.modules['marimo'] = None\n"
        "runpy.run_module('labs', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    install = "pip install 'factcap[labs]'"
    assert done.returncode == 2
    assert done.stderr == f"labs: this needs the library marimo; install it with: {install}\n"
