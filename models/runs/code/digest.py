"""The hash of the code that decides a run's numbers: a run of other code is another run."""

import hashlib
from functools import cache
from pathlib import Path

import factcap
from factcap.models.runs.code.canonical import canonical
from factcap.models.runs.code.imports import reached, syntax

# What trains and measures a run, and what it goes on from.
TRAINING = ("factcap.models.runs.ensemble", "factcap.models.runs.directory.checkpoints")

# What keeps a run, counts its cost or gives it out; no number of a measurement comes from there.
_DIRECTORY = ("claim", "finished", "metrics", "reading", "run_directory")
ASIDE = frozenset(
    {
        *(f"factcap.models.runs.directory.{name}" for name in _DIRECTORY),
        *(f"factcap.synth.disk.{name}" for name in ("files", "lock")),
        *(f"factcap.models.runs.code.{name}" for name in ("canonical", "digest", "imports")),
        *("factcap.models.runs.ledger", "factcap.models.instructions"),
        "factcap.figures.processes",
    }
)


@cache
def code_digest(*roots: str, alone: tuple[str, ...] = (), folder: Path | None = None) -> str:
    """SHA-256 of the code that some modules run: their own and that of all they import.

    Of factcap only; the versions of other packages do not count. A change counts if it is one of
    `factcap.models.runs.code.canonical`; that of a comment or of an error's text does not.

    Args:
        roots: modules, or names that a package hands out, as `factcap.synth.phonebook`.
        alone: modules that count without what they import.
        folder: of the package, where it is not this one.

    Raises:
        LookupError: if there is nothing of such a name.
    """
    place = folder or Path(factcap.__file__).parent
    digest = hashlib.sha256()
    for module in sorted(reached(place, roots, ASIDE) | set(alone)):
        digest.update(f"{module} {_module_digest(place, module)}\n".encode())
    return digest.hexdigest()


@cache
def _module_digest(folder: Path, module: str) -> str:
    return hashlib.sha256(canonical(syntax(folder, module)).encode()).hexdigest()
