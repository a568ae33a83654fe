import importlib.util
import sys

import pytest

if importlib.util.find_spec("marimo") is None:
    pytest.skip("the labs need marimo: pip install 'factcap[labs]'", allow_module_level=True)

from labs import run
from labs.run import run_lab

LAB = """
import marimo

app = marimo.App()

with app.setup:
    from factcap.synth.errors import require
    from kit import check, near


@app.cell
def _():
    ten = ANSWER
    return (ten,)


@app.cell
def _(ten):
    verdict = check("9.1", ten, near(10), hint="Count again.")
    return (verdict,)
"""


@pytest.fixture
def report(tmp_path, monkeypatch, capsys):
    def call(*contents):
        names = []
        for number, text in enumerate(contents):
            lab = tmp_path / f"lab_{number}.py"
            lab.write_text(text)
            names.append(str(lab))
        monkeypatch.setattr(sys, "argv", ["run", *names])
        run.main()
        return [line for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]

    return call


def test_each_check_gets_a_line_and_code_that_stops_another(report):
    answers = (
        "10",
        "...",
        "9",
        "1 / 0",
        "open('missing')",
        'require(False, "no rule")',
        "1 +",
        "10",
    )
    assert report(*(LAB.replace("ANSWER", answer) for answer in answers)) == [
        "  9.1: right. Right.",
        "  9.1: unanswered. Not answered yet: replace the `...` above.",
        "  9.1: wrong. Not yet. Count again.",
        "  stopped: ZeroDivisionError: division by zero",
        "  stopped: FileNotFoundError: [Errno 2] No such file or directory: 'missing'",
        "  stopped: BadInput: no rule",
        "  stopped: SyntaxError: invalid syntax (lab_6.py, line 13)",
        "  9.1: right. Right.",
    ]


def test_each_lab_has_the_kit_beside_it(tmp_path, report):
    kit = "class check:\n    name = '9.1'\n    __init__ = lambda *_, **__: None\n"
    kit += "    __str__ = lambda _: 'judged in FOLDER'\nnear, Verdict = float, check\n"
    labs = []
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "kit.py").write_text(kit.replace("FOLDER", folder))
        labs.append(tmp_path / folder / "lab_9.py")
        labs[-1].write_text(LAB.replace("ANSWER", "10"))
    found = [run_lab(lab).verdicts["9.1"] for lab in labs]
    assert [str(verdict) for verdict in found] == ["judged in one", "judged in two"]
    assert report(LAB.replace("ANSWER", "10")) == ["  9.1: right. Right."]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], "give labs: python -m labs.run out/labs/student/lab_1_bits.py"),
        (["lab_8.py"], "there is no lab lab_8.py"),
        ([__file__], f"{__file__} is no lab: it has no app"),
    ],
)
def test_what_is_no_lab_gets_one_line(names, said, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["run", *names])
    with pytest.raises(SystemExit) as stop:
        run.main()
    assert stop.value.code == 2
    assert capsys.readouterr().err == f"labs: {said}\n"
