import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PARTS = ("synth", "capacity", "models", "causal_lm", "figures")
ABOVE = {"models", "causal_lm", "figures", "cli", "commands", "jax", "flax", "optax", "orbax"}
# What each part may not import.
FLOORS = {
    "synth": {"capacity", *ABOVE},
    "capacity": {"synth", *ABOVE},
    "models": {"figures", "cli", "commands", "capacity", "causal_lm", "torch", "transformers"},
    "causal_lm": {"capacity", *ABOVE} - {"causal_lm"},
    "figures": {"cli", "commands", "causal_lm"},
    "factcap/commands": {"cli"},
}
# The rooms of `models`, from the ground up; those of one floor do not know each other.
ROOMS = (
    {"compiler"},
    {"instructions"},
    {"transformer", "diffusion", "one_hidden_layer"},
    {"training"},
    {"runs"},
    {"sweep"},
    {"exchange"},
)


def imports(source: Path) -> set[tuple[str, ...]]:
    """What a module imports, anywhere in it: names split at their dots, without `factcap`."""
    names = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {tuple(name.removeprefix("factcap.").split(".")) for name in names}


@pytest.mark.parametrize("part", FLOORS)
def test_no_import_runs_up_the_floors(part):
    sources = list((ROOT / part).rglob("*.py"))
    assert sources
    for source in sources:
        wrong = {name[0] for name in imports(source)} & FLOORS[part]
        assert not wrong, f"{source} imports {wrong}"


def test_no_import_runs_up_the_rooms_of_models():
    floor_of = {room: floor for floor, rooms in enumerate(ROOMS) for room in rooms}
    inside = {path.stem for path in (ROOT / "models").iterdir() if path.suffix in ("", ".py")}
    assert inside - {"__init__", "__pycache__"} == set(floor_of)
    for source in (ROOT / "models").rglob("*.py"):
        room = source.relative_to(ROOT / "models").with_suffix("").parts[0]
        for name in imports(source):
            if name[0] == "models" and name[1:] and name[1] in floor_of and name[1] != room:
                assert floor_of[name[1]] < floor_of[room], f"{source} imports {'.'.join(name)}"


@pytest.mark.parametrize("part", [*PARTS, "factcap/commands"])
def test_neighbors_import_each_other_in_one_direction_only(part):
    """In each folder its modules and folders, as neighbors, have no circle of imports."""
    arrows: dict[Path, dict[str, set[str]]] = {}
    for source in (ROOT / part).rglob("*.py"):
        here = (Path(part).name, *source.relative_to(ROOT / part).with_suffix("").parts)
        for name in imports(source):
            shared = 0
            while shared < min(len(here), len(name)) and here[shared] == name[shared]:
                shared += 1
            if 0 < shared < min(len(here), len(name)) and here[shared] != "__init__":
                folder = arrows.setdefault(Path(*here[:shared]), {})
                folder.setdefault(here[shared], set()).add(name[shared])
    assert arrows
    for folder, graph in arrows.items():
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            pytest.fail(f"in {folder}: {' <- '.join(error.args[1])}")


def test_nothing_is_imported_under_another_name():
    """The folders stand at the top of the repository, but `models` is `factcap.models` alone."""
    sources = subprocess.check_output(["git", "ls-files", "*.py", "*.pyi"], cwd=ROOT, text=True)
    for source in map(ROOT.joinpath, sources.split()):
        if source.is_file():
            for node in ast.walk(ast.parse(source.read_text())):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and node.level == 0:
                    names = [node.module or ""]
                wrong = {name.split(".")[0] for name in names} & {*PARTS, "commands"}
                assert not wrong, f"{source} imports {wrong}"


def test_bound_starts_without_jax():
    code = (
        "import sys; from factcap import cli\n"
        "cli.parse(['bound', '--facts', '1e3', '--choices', '10', '--bits', '100']).run()\n"
        "assert not {'jax', 'flax', 'matplotlib'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_the_package_shows_its_parts_and_loads_none_of_them():
    code = (
        "import sys; before = set(sys.modules); import factcap\n"
        f"assert dir(factcap) == ['__version__', *sorted({PARTS})], dir(factcap)\n"
        "loaded = {name.split('.')[0] for name in set(sys.modules) - before}\n"
        "assert not {'numpy', 'scipy', 'pyarrow', 'jax', 'tyro', 'matplotlib'} & loaded, loaded\n"
        "import factcap.synth, factcap.models; from factcap import capacity, figures\n"
        "assert not {'jax', 'matplotlib'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_selection_in_a_training_works_without_jax():
    code = (
        "import sys; from factcap.synth.selection import SelectConfig, Selector\n"
        "import factcap.synth.selection.groups\n"
        "assert not {'jax', 'flax', 'torch', 'matplotlib'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, cwd=ROOT)
