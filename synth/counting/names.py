"""The names to look for, and whose names they are."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from jaxtyping import Int64

from factcap.synth.errors import require

# What the matcher takes.
MOST_BYTES = 15_000
_NOT_ASCII = re.compile(rb"[\x80-\xff]+")


@dataclass(frozen=True)
class Names:
    """Different names, the entities that bear them, and the facts about these entities.

    An entity is a set of names: facts whose subjects have the same names are about one entity. A
    name may be that of several entities, and an entity the subject of one fact and the object of
    another.

    Attributes:
        names: in UTF-8, all different; case is folded where it is not to count.
        bearer: entities, those of the first name first.
        first: where in `bearer` the entities of each name begin, and the length of it.
        entities: how many there are.
        subject: entity that each fact is about.
        object: entity that is its answer.
    """

    names: tuple[bytes, ...] = field(repr=False)
    bearer: Int64[np.ndarray, " uses"]
    first: Int64[np.ndarray, " starts"]
    entities: int
    subject: Int64[np.ndarray, " facts"]
    object: Int64[np.ndarray, " facts"]

    @property
    def facts(self) -> int:
        """How many facts there are."""
        return len(self.subject)


def gather_names(
    subjects: Sequence[Sequence[str]], objects: Sequence[Sequence[str]], *, ignore_case: bool
) -> Names:
    """Number the names of facts and the entities that bear them.

    Args:
        subjects: for each fact all names of its subject.
        objects: for each fact all names of its object.
        ignore_case: fold the case of the names.

    Raises:
        BadInput: for an empty name, one that holds the character NUL, or one of more than
            `MOST_BYTES` bytes.
    """
    number: dict[bytes, int] = {}
    entity: dict[frozenset[int], int] = {}

    def entity_of(names: Sequence[str]) -> int:
        for name in names:
            _check(name)
        encoded = [name.encode("utf-8", "surrogatepass") for name in names]
        folded = map(fold, encoded) if ignore_case else encoded
        mine = frozenset(number.setdefault(name, len(number)) for name in folded)
        return entity.setdefault(mine, len(entity))

    subject = np.array([entity_of(names) for names in subjects], np.int64)
    object_ = np.array([entity_of(names) for names in objects], np.int64)
    uses = np.array([(name, mine) for names, mine in entity.items() for name in names], np.int64)
    name, bearer = uses[np.lexsort(uses.T[::-1])].T
    first = np.searchsorted(name, np.arange(len(number) + 1))
    return Names(tuple(number), bearer, first, len(entity), subject, object_)


def fold(text: bytes) -> bytes:
    """UTF-8 with its case folded, as `str.casefold` does it.

    >>> fold("Straße ÅBO".encode()).decode()
    'strasse åbo'
    """
    return _NOT_ASCII.sub(_fold_run, text.lower())


# Texts repeat the same few runs, and most are a single character.
@lru_cache(maxsize=1 << 16)
def _folded(run: bytes) -> bytes:
    try:
        return run.decode("utf-8", "surrogatepass").casefold().encode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return run


def _fold_run(run: re.Match[bytes]) -> bytes:
    return _folded(run[0])


def _check(name: str) -> None:
    shown = repr(name[:40])
    require(bool(name), "a name is empty; it needs one character at least")
    require("\0" not in name, f"the name {shown} holds the character NUL; take it out")
    size = len(name.encode("utf-8", "surrogatepass"))
    require(
        size <= MOST_BYTES, f"the name {shown}... has {size:,} bytes; at most {MOST_BYTES:,} can be"
    )
