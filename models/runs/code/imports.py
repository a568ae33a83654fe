"""Which modules of a package a module imports, found in the sources; none is loaded for that.

Some packages only hand out the names of their modules: by a stub, `__init__.pyi`, from which
`lazy_loader` imports a name when it is first used, or by an `__init__.py` that imports names and
does nothing else. Their names are followed one by one: what takes `FactSet` from `factcap.synth`
depends on the module of `FactSet`, and not on every generator.
"""

import ast
import os
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

Names = tuple[str, ...]


def reached(folder: Path, roots: Iterable[str], aside: frozenset[str]) -> set[str]:
    """The modules that some modules import, and those that these import, and so on.

    An import counts wherever in a module it stands. A package that is used otherwise than by names
    that can be read off, say by `getattr`, counts with all that lies in it. The `__init__.py` of a
    package counts where a name is taken from it, unless it only hands names out.

    Args:
        folder: of the package, by whose name its modules are called.
        roots: where to begin, themselves among the result: modules, or names that a package hands
            out.
        aside: modules that do not count; what they import is not followed.

    Raises:
        LookupError: if there is no module of a root.
    """
    found: set[str] = set()
    waiting = []
    for root in roots:
        top, *names = root.split(".")
        module, left = _locate(folder, top, tuple(names))
        if left and _is_package(folder, module):
            raise LookupError(f"nothing is called {root}")
        waiting.append(module)
    while waiting:
        module = waiting.pop()
        if module not in found and module not in aside:
            found.add(module)
            waiting += imported(folder, module)
    return found


@cache
def imported(folder: Path, module: str) -> frozenset[str]:
    """The modules that a module imports itself."""
    tree = syntax(folder, module)
    found: set[str] = set()
    bound: dict[str, str] = {}
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    for node in imports:
        for name, place, names in _taken(folder, module, node):
            source, left = _locate(folder, place, names)
            found |= {each for each in (source, place) if _hands_out(folder, each) is None}
            if left or not _is_package(folder, source):
                found.add(source)
            elif bound.setdefault(name, source) != source:
                found |= _all_in(folder, source)
    return frozenset(found | _used(folder, tree, bound))


def syntax(folder: Path, module: str) -> ast.Module:
    """The syntax tree of a module.

    Raises:
        LookupError: if there is none of this name.
    """
    path = _path(folder, module)
    if path is None:
        raise LookupError(f"there is no module {module}")
    return ast.parse(path.read_bytes())


def _taken(
    folder: Path, module: str, node: ast.Import | ast.ImportFrom
) -> Iterator[tuple[str, str, Names]]:
    """What an import takes of the package: name given to it, module, names within that."""
    top = folder.name
    if isinstance(node, ast.Import):
        for alias in node.names:
            first, *rest = alias.name.split(".")
            if first == top and alias.asname:
                yield alias.asname, top, tuple(rest)
            elif first == top:
                yield top, top, ()
                place, _ = _locate(folder, top, tuple(rest))
                if _hands_out(folder, place) is None:
                    yield alias.name, place, ()
    else:
        source = _absolute(folder, module, node)
        if source.split(".")[0] == top:
            place, names = _locate(folder, top, tuple(source.split(".")[1:]))
            for alias in node.names:
                more = () if alias.name == "*" else (alias.name,)
                yield alias.asname or alias.name, place, (*names, *more)


def _used(folder: Path, tree: ast.Module, bound: Mapping[str, str]) -> set[str]:
    """The modules of what is used of packages that have a name in a module.

    Args:
        folder: of the package.
        tree: of the module that uses them.
        bound: the package by its name there.
    """
    found: set[str] = set()
    unused, inner = set(bound), set()
    # An outer attribute comes before those within it.
    for node in ast.walk(tree) if bound else ():
        chain: list[str] = []
        start = node
        while isinstance(start, ast.Attribute):
            chain.append(start.attr)
            inner.add(start.value)
            start = start.value
        if node in inner or not isinstance(start, ast.Name) or start.id not in bound:
            continue
        unused.discard(start.id)
        module, left = _locate(folder, bound[start.id], tuple(reversed(chain)))
        whole = _is_package(folder, module) and not left
        found |= _all_in(folder, module) if whole else {module}
    return found.union(*(_all_in(folder, bound[name]) for name in unused))


def _locate(folder: Path, module: str, names: Names) -> tuple[str, Names]:
    """The module in which `module.name.name` lies, and the names that are left there."""
    while names:
        first, *rest = names
        given = (_hands_out(folder, module) or {}).get(first)
        if given is not None:
            module, names = given[0], (*given[1], *rest)
        elif _path(folder, f"{module}.{first}") is not None:
            module, names = f"{module}.{first}", tuple(rest)
        else:
            break
    return module, names


@cache
def _hands_out(folder: Path, module: str) -> Mapping[str, tuple[str, Names]] | None:
    """Where a package's names come from, as (module, names in it), if it only hands out names."""
    path = _path(folder, module)
    if path is None or not _is_package(folder, module):
        return None
    stub = path.with_suffix(".pyi")
    tree = ast.parse((stub if stub.is_file() else path).read_bytes())
    if not stub.is_file() and not all(map(_hands_out_only, tree.body)):
        return None
    names: dict[str, tuple[str, Names]] = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            source = _absolute(folder, module, node)
            for alias in node.names:
                inside = source == module  # from . import a_part
                place = (f"{module}.{alias.name}", ()) if inside else (source, (alias.name,))
                names[alias.asname or alias.name] = place
    return names


def _hands_out_only(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(ast.Constant()) | ast.Assign([ast.Name("__all__")]):
            return True
        case ast.ImportFrom(names=names):
            return all(alias.name != "*" for alias in names)
    return False


def _absolute(folder: Path, module: str, node: ast.ImportFrom) -> str:
    """The module from which a module takes names."""
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    base = parts[: len(parts) - node.level + _is_package(folder, module)]
    return ".".join([*base, node.module] if node.module else base)


@cache
def _all_in(folder: Path, package: str) -> frozenset[str]:
    """All modules of a package."""
    start = folder.joinpath(*package.split(".")[1:])
    found = set()
    # the parts of factcap are links where it is not installed
    for here, _, files in os.walk(start, followlinks=True):
        inner = Path(here).relative_to(start).parts
        for file in files:
            if file.endswith(".py"):
                last = [] if file == "__init__.py" else [file.removesuffix(".py")]
                found.add(".".join([package, *inner, *last]))
    return frozenset(found)


def _is_package(folder: Path, module: str) -> bool:
    path = _path(folder, module)
    return path is not None and path.name == "__init__.py"


@cache
def _path(folder: Path, module: str) -> Path | None:
    """The file of a module."""
    place = folder.joinpath(*module.split(".")[1:])
    for path in (place / "__init__.py", place.with_name(f"{place.name}.py")):
        if path.is_file():
            return path
    return None
