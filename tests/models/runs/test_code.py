import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import factcap
from factcap.models.runs.code.canonical import canonical
from factcap.models.runs.code.digest import ASIDE, TRAINING, code_digest
from factcap.models.runs.code.imports import imported, reached
from factcap.models.sweep.code import code_today

PACKAGE = Path(factcap.__file__).parent
PHONEBOOK, BIOGRAPHIES = "factcap.synth.phonebook", "factcap.synth.biographies"


def form(text):
    return canonical(ast.parse(text))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1  # one", "x=1"),
        ("x = 'a' 'b'", 'x = (\n    "ab"\n)'),
        ("x = 1_000", "x = 1000"),
        ('"""A module."""\nx = 1', "x = 1"),
        ('def f():\n    """What it does."""\n    return 1', "def f():\n    return 1"),
        ('class A:\n    """What it is."""', "class A:\n    pass"),
        ("class A:\n    x: int\n    'Of x.'", "class A:\n    x: int"),
        ("def f(a: int, *b: str, c: float = 1.0) -> int: ...", "def f(a, *b, c=1.0): ..."),
        ("async def f(a: int) -> int: return a", "async def f(a): return a"),
        ("def f():\n    x: int = 1", "def f():\n    x = 1"),
        (
            "class A:\n    def f(self):\n        x: int = 1",
            "class A:\n    def f(self):\n        x = 1",
        ),
        ("x: int = 1", "x = 1"),
        ("raise BadInput(f'{x} is wrong')", "raise BadInput('x must be right')"),
        ("raise Busy() from None", "raise Busy from None"),
        ("require(x > 1, 'x is small')", "require(x > 1, f'x is {x}')"),
        ("require(x > 1, message='x is small')", "require(x > 1, 'x')"),
        ("assert x, 'there is no x'", "assert x"),
        ("x = f'a' f'b{c}' 'd'", "x = f'ab{c}d'"),
        ("x = u'a'", "x = 'a'"),
    ],
)
def test_how_it_is_written_does_not_count(one, other):
    assert form(one) == form(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1", "x = 2"),
        ("x = 1", "x = 1.0"),
        ("x = 1", "x = '1'"),
        ("x = 'a'", "x = b'a'"),
        ("x = None", "x = ()"),
        ("x = True", "x = 1"),
        ("x = y", "x = 'y'"),
        ("x = 1", "y = 1"),
        ("x = a + b", "x = b + a"),
        ("x = a + b", "x = a - b"),
        ("x = a - b - c", "x = a - (b - c)"),
        ("x = [a, [b]]", "x = [[a], b]"),
        ("x = {**a, b: c}", "x = {b: c, **a}"),
        ("x = f'{a}'", "x = f'{a!r}'"),
        ("x = f'{a:.2f}'", "x = f'{a:.3f}'"),
        ("x = f'{a}b'", "x = f'b{a}'"),
        ("def f(a): return a", "def f(a, b): return a"),
        ("def f(a, b=1): ...", "def f(a, b=2): ..."),
        ("def f(*, a=1, b): ...", "def f(*, a, b=1): ..."),
        ("def f(a, b): ...", "def f(a, *, b): ..."),
        ("@cache\ndef f(): ...", "def f(): ..."),
        ("class A:\n    x: int", "class A:\n    x: float"),
        ("class A:\n    x: int = 1", "class A:\n    x: int = 2"),
        ("class A:\n    x: int = 1", "class A:\n    x = 1"),
        ("if x:\n    class A:\n        y: int", "if x:\n    class A:\n        y: str"),
        ("raise BadInput('x')", "raise Damaged('x')"),
        ("require(x > 1, 'x')", "require(x > 2, 'x')"),
        ("check(x > 1, 'x')", "check(x > 1, 'y')"),
        ("assert x", "assert y"),
        ("def f():\n    x: int\n    x", "def f():\n    x"),
        ("if a:\n    b\nc", "if a:\n    b\n    c"),
        ("from a import b", "from c import b"),
        ("lambda: (yield)", "lambda: None"),
    ],
)
def test_what_is_computed_counts(one, other):
    assert form(one) != form(other)


def write(folder, files):
    """A package of these modules: text by name."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


# `low` hands out names by a stub, `high` by its own imports; `own` does more than that.
PACK = {
    "__init__.py": "attach()",
    "__init__.pyi": "from . import high, low",
    "low/__init__.py": "attach()",
    "low/__init__.pyi": "from .a import A\nfrom .b import B as C",
    "low/a.py": "A = 1",
    "low/b.py": "B = 2",
    "low/hidden.py": "",
    "high/__init__.py": "'High.'\nfrom pack.high.d import D\nfrom pack.low import C\n__all__ = []",
    "high/d.py": "D = 3",
    "own/__init__.py": "from pack.low.hidden import x\ny = 1",
    "own/e.py": "",
}


@pytest.mark.parametrize(
    ("text", "modules"),
    [
        ("import os, numpy.linalg", []),
        ("from pack.low import A", ["low.a"]),
        ("from pack.low import C as c", ["low.b"]),
        ("from pack.high import D", ["high.d"]),
        ("from pack.high import C", ["low.b"]),
        ("from .low.a import A", ["low.a"]),
        ("from . import low\nlow.A", ["low.a"]),
        ("from .low import hidden", ["low.hidden"]),
        ("def f():\n    from pack.low import A", ["low.a"]),
        ("from pack import low\nx = low.A + low.C.real", ["low.a", "low.b"]),
        ("from pack import low as l\nx = f(l.A)", ["low.a"]),
        ("import pack.low as l\nx = l.hidden.x", ["low.hidden"]),
        ("import pack.low\nx = pack.low.A", ["low.a"]),
        ("import pack\nx = pack.high.D.x.y", ["high.d"]),
        ("import pack.low.a\nx = pack.low.a.A", ["low.a"]),
        # what cannot be read off is all there is
        ("from pack import low\nx = getattr(low, y)", ["low", "low.a", "low.b", "low.hidden"]),
        ("from pack import low\nlow", ["low", "low.a", "low.b", "low.hidden"]),
        ("from pack import low", ["low", "low.a", "low.b", "low.hidden"]),
        ("from pack.high import *", ["high", "high.d"]),
        # a package that does more than to hand out names counts, where a name is taken from it
        ("from pack.own import y", ["own"]),
        ("from pack.own import e", ["own", "own.e"]),
        ("from pack import own\nx = own.e.z", ["own", "own.e"]),
        ("from pack import own\nx = own.y", ["own"]),
        ("from pack.own.e import z", ["own.e"]),
    ],
)
def test_imports_are_followed_name_by_name(tmp_path, text, modules):
    folder = write(tmp_path / "pack", {**PACK, "user.py": text})
    assert imported(folder, "pack.user") == {f"pack.{module}" for module in modules}


def test_what_is_imported_is_followed_but_for_what_is_set_aside(tmp_path):
    folder = write(
        tmp_path / "pack",
        {
            **PACK,
            "one.py": "from pack.two import x",
            "two.py": "from pack.one import y\nfrom pack.low import A\nfrom pack.own import y",
        },
    )
    around = {"pack.one", "pack.two", "pack.low.a"}
    assert reached(folder, ["pack.one"], frozenset()) == around | {"pack.own", "pack.low.hidden"}
    assert reached(folder, ["pack.one"], frozenset({"pack.own"})) == around
    assert reached(folder, ["pack.low.C"], frozenset()) == {"pack.low.b"}
    for absent in ("pack.low.D", "pack.three", "pack.three.four"):
        with pytest.raises(LookupError, match=f"nothing is called {absent}"):
            reached(folder, [absent], frozenset())


# Makes a run, and prints which modules of factcap are loaded then.
RUN = """
import sys
from factcap.models import SelectConfig, TrainConfig, TransformerConfig, model_vocabulary, run
from factcap.synth import phonebook
facts = phonebook(20)
model = TransformerConfig(model_vocabulary(facts), 8, 1, 1)
select = SelectConfig("loss_h")
training = TrainConfig(9, batch=16, fewest_steps=200, optimizer="adamw", select=select)
run(facts, model, training, sys.argv[1])
print(*(name for name in sys.modules if name.split(".")[0] == "factcap"))
"""


def test_all_that_a_run_loads_counts(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(tmp_path / "run")],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)},
    )
    loaded = set(done.stdout.split())
    counted = reached(PACKAGE, [*TRAINING, PHONEBOOK], ASIDE)
    packages = {name for name in loaded if (PACKAGE.joinpath(*name.split(".")[1:])).is_dir()}
    uncounted = loaded - counted - packages - ASIDE
    assert "factcap.models.training.steps" in loaded & counted
    # Python loads all of a package that hands out names; the run takes the groups from there.
    handed_out = reached(PACKAGE, ["factcap.synth.corpus"], frozenset())
    assert uncounted - handed_out == {"factcap.models.runs.single"}
    assert "factcap.synth.corpus.grouping" in counted


def test_what_is_set_aside_is_there_and_decides_no_number():
    for module in ASIDE:
        assert reached(PACKAGE, [module], frozenset()) >= {module}
    assert not ASIDE & reached(PACKAGE, TRAINING, ASIDE)


def digests(folder):
    """The code of runs of given facts, of a phone book, of biographies, and of a file."""
    return [
        code_digest(*TRAINING, *facts, folder=folder)
        for facts in ([], [PHONEBOOK], [BIOGRAPHIES], ["factcap.synth.load"])
    ]


@pytest.mark.parametrize(
    ("changes", "which"),
    [
        (
            [("synth/generators/phonebook.py", "MOST_DIGITS = 300", "MOST_DIGITS = 301")],
            [False, True, False, False],
        ),
        (
            [("synth/generators/biographies/text.py", "was born on", "came on")],
            [False, False, True, False],
        ),
        ([("synth/parquet.py", "\n\n\n", "\n\nx = 1\n")], [False, False, False, True]),
        ([("models/training/optim.py", "0.", "1.")], [True] * 4),
        ([("models/runs/directory/checkpoints.py", "_KEPT = 2", "_KEPT = 3")], [True] * 4),
        (
            [
                ("synth/corpus/compose.py", "0", "1"),
                ("models/sweep/sweep.py", "ATTEMPTS = 3", "ATTEMPTS = 4"),
                ("synth/disk/lock.py", "0o666", "0o600"),
                ("models/training/optim.py", '    """', '    """Indeed: '),
                ("models/training/optim.py", "\n\n\n", "\n\n\n# A comment.\n"),
                ("synth/errors.py", "A value, file", "A value, a file"),
                ("synth/factset.py", "must", "has to"),
            ],
            [False] * 4,
        ),
    ],
)
def test_a_change_counts_for_the_runs_that_it_touches(tmp_path, changes, which):
    folder = tmp_path / "factcap"
    shutil.copytree(PACKAGE, folder, ignore=shutil.ignore_patterns("__pycache__", "figures"))
    for module, old, new in changes:
        text = (folder / module).read_text()
        assert old in text
        (folder / module).write_text(text.replace(old, new, 1))
    found = [one != other for one, other in zip(digests(folder), digests(None), strict=True)]
    assert found == which


def test_the_code_of_a_run_is_that_of_its_training_and_its_facts():
    given, *recipes = [code_today(name) for name in ("", PHONEBOOK, BIOGRAPHIES)]
    assert given == code_digest(*TRAINING)
    assert len({given, *recipes, code_digest(*TRAINING, PHONEBOOK)}) == 4
    with pytest.raises(LookupError):
        code_today("factcap.synth.telephone")


def test_the_code_is_hashed_without_jax():
    code = (
        "import sys; from factcap.models.sweep.code import code_today\n"
        f"code_today('{PHONEBOOK}')\n"
        "assert not {'jax', 'numpy'} & set(sys.modules)\n"
    )
    subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)},
    )
