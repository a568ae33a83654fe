"""Which names are public: those that the packages list, read from their files without importing."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from pathlib import Path

ROOT = Path(__file__).parents[2]

# Where two packages are equally near to a name that both list, it is told in the first.
_ORDER = ("synth", "capacity", "models", "causal_lm", "figures")


@dataclass(frozen=True)
class PublicName:
    """A name that a package lists.

    Attributes:
        package: the package, as in `factcap.capacity`.
        name: the name there.
        module: where it is defined; of a module that is listed, its package.
    """

    package: str
    name: str
    module: str

    @property
    def path(self) -> str:
        """As it is imported: `factcap.capacity.luck_bound`."""
        return f"{self.package}.{self.name}"

    @property
    def origin(self) -> str:
        """Where it is defined: `factcap.capacity.bounds.luck.luck_bound`."""
        return f"{self.module}.{self.name}"


@cache
def public_packages() -> dict[str, list[PublicName]]:
    """The packages that list names, each before the packages in it, with what they list."""
    found = {"factcap": _listed(ROOT / "factcap" / "__init__.py", "factcap")}
    for folder in _ORDER:
        inits = (ROOT / folder).rglob("__init__.py")
        for init in sorted(inits, key=lambda path: path.parent.parts):
            package = ".".join(("factcap", *init.parent.relative_to(ROOT).parts))
            if names := _listed(init, package):
                found[package] = names
    return found


def source_file(module: str) -> Path:
    """The file of a module, at the top of the repository and not behind a link."""
    first, *rest = module.split(".")
    path = ROOT.joinpath(*rest) if rest and rest[0] in _ORDER else ROOT.joinpath(first, *rest)
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def defined_once() -> dict[str, PublicName]:
    """For each origin the place at which the site tells of it: in the package that is nearest."""
    places: dict[str, PublicName] = {}
    for names in public_packages().values():
        for name in names:
            other = places.setdefault(name.origin, name)
            if _shared(name) > _shared(other):
                places[name.origin] = name
    return places


def _shared(name: PublicName) -> int:
    """How many folders the package and the module of a name have in common."""
    pairs = zip(name.package.split("."), name.module.split("."), strict=False)
    return len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))


def _listed(init: Path, package: str) -> list[PublicName]:
    stub = init.with_suffix(".pyi")
    tree = ast.parse((stub if stub.exists() else init).read_text())
    modules = {name: _defining(module, name) for name, module in _imports(tree, package)}
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                names = ast.literal_eval(value)
                return [PublicName(package, name, modules.get(name, package)) for name in names]
    return []


def _defining(module: str, name: str) -> str:
    """The module that defines a name which this one has, and perhaps imports."""
    if not module.startswith("factcap"):
        return module
    file = source_file(module)
    imports = dict(_imports(ast.parse(file.read_text()), module))
    return _defining(imports[name], name) if name in imports else module


def _imports(tree: ast.Module, package: str) -> Iterator[tuple[str, str]]:
    """Each imported name, and the module that it comes from."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            start = package if node.level else ""
            module = ".".join(part for part in (start, node.module) if part)
            for alias in node.names:
                yield alias.name, module
