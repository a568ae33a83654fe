import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ABOVE = {"models", "figures", "factcap", "commands", "jax", "flax", "optax", "orbax"}
FLOORS = {
    "synth": {"capacity", *ABOVE},
    "capacity": {"synth", *ABOVE},
    "models": {"figures", "factcap", "commands", "capacity"},
    "figures": {"factcap", "commands"},
    "commands": {"factcap"},
}


def imported(source: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("package", FLOORS)
def test_no_import_runs_up_the_floors(package):
    sources = list((ROOT / package).rglob("*.py"))
    assert sources
    for source in sources:
        wrong = imported(source) & FLOORS[package]
        assert not wrong, f"{source.name} imports {wrong}"


def test_bound_starts_without_jax():
    code = (
        "import sys, factcap\n"
        "cli.parse(['bound', '--facts', '1e3', '--choices', '10', '--bits', '100']).run()\n"
        "assert not {'jax', 'flax', 'matplotlib'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
