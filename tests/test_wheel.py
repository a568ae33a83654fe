import os
import shutil
import site
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DECOYS = ("models", "figures", "synth", "capacity", "causal_lm", "commands")

# Imports every module, and every public name of those that list them.
_EVERYTHING = f"""
import importlib, pkgutil, sys
import factcap
found = [each.name for each in pkgutil.walk_packages(factcap.__path__, "factcap.")]
modules = [factcap, *map(importlib.import_module, found)]
names = [getattr(module, name) for module in modules for name in getattr(module, "__all__", ())]
wrong = {{name.split(".")[0] for name in sys.modules}} & set({DECOYS})
assert not wrong, wrong
print(len(names), len(modules), factcap.__file__)
"""


def outcome(*words: object, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ran = subprocess.run(
        [*map(str, words)], cwd=cwd, env=environment, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of this repository, built in a copy of it."""
    copy = tmp_path_factory.mktemp("copy") / "factcap"
    left_out = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "out", "docs")
    shutil.copytree(ROOT, copy, symlinks=True, ignore=left_out)
    pip = (sys.executable, "-m", "pip", "--quiet", "wheel", "--no-deps", "--no-build-isolation")
    outcome(*pip, "--no-index", "--wheel-dir", copy / "dist", copy, cwd=copy)
    [built] = (copy / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(tmp_path_factory, wheel):
    """Python where the wheel is installed, and what it needs, but not this repository."""
    folder = tmp_path_factory.mktemp("environment")
    outcome(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder)
    python = folder / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--quiet", "--python", python)
    outcome(*pip, "install", "--no-deps", "--no-index", wheel, cwd=folder)
    # The libraries are those of this environment; its links to the repository are not followed.
    [packages] = folder.glob("lib/python*/site-packages")
    (packages / "libraries.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    return folder / "bin"


@pytest.fixture
def among_decoys(tmp_path):
    """A project that has packages of the names of ours."""
    for name in DECOYS:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise SystemExit('a decoy: {name}')\n")
    return tmp_path


def test_the_wheel_has_every_module_and_one_name(wheel):
    wanted = {
        Path(folder, name).relative_to(ROOT).as_posix()
        for folder, _, names in os.walk(ROOT / "factcap", followlinks=True)
        for name in names
        if name.endswith((".py", ".pyi", "py.typed")) and "__pycache__" not in folder
    }
    assert len(wanted) > 150
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert found == wanted


def test_a_command_runs_among_packages_of_the_same_names(environment, among_decoys):
    starts = ((environment / "factcap",), (environment / "python", "-m", "factcap"))
    for number, start in enumerate(starts):
        facts = among_decoys / f"{number}.parquet"
        outcome(*start, "generate", "phonebook", "--facts", "9", "--out", facts, cwd=among_decoys)
        shown = outcome(*start, "bound", facts, "--bits", 100, cwd=among_decoys)
        assert shown.startswith("facts   9, 209.3 bits")


def test_every_public_name_is_there_among_packages_of_the_same_names(environment, among_decoys):
    shown = outcome(environment / "python", "-c", _EVERYTHING, cwd=among_decoys)
    names, modules, where = shown.split(maxsplit=2)
    assert int(names) > 120
    assert int(modules) > 150
    assert where.startswith(str(environment.parent))
