"""The fields of presets: what they hold, which values make sense, and how they are read as text.

The annotation of a field says all of it: `Count` is a whole number of at least 1,
`tuple[Size, ...]` one or more names of models.
"""

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from factcap.synth.errors import BadInput, require
from factcap.synth.numbers import whole_number

# More seeds than this are one seed, written as if it were a count.
_MOST_SEEDS = 1000


@dataclass(frozen=True)
class Items:
    """In the annotation of a tuple: how many items there may be, and how they may be given.

    Attributes:
        empty: there may be none.
        counted: one number n stands for the items 0 to n - 1.
    """

    empty: bool = False
    counted: bool = False


def must(be: str, holds: Callable[[Any], bool]) -> Callable[[str, Any], None]:
    """A check for an annotation: of (name of the field, value), it raises `BadInput`."""

    def check(label: str, value: Any) -> None:
        require(holds(value), f"{label} must be {be}, not {value}")

    return check


def one_of(names: Iterable[str]) -> Callable[[str, Any], None]:
    """A check for an annotation: one of some names."""
    known = tuple(names)
    return must(f"one of {', '.join(known)}", lambda name: name in known)


def _check_size(label: str, name: str) -> None:
    from factcap.models import named_size  # loads JAX, which the figures of theory do without

    named_size(name, 1)


Count = Annotated[int, must("at least 1", lambda n: n >= 1)]
Several = Annotated[int, must("at least 2", lambda n: n >= 2)]
Positive = Annotated[float, must("positive", lambda x: x > 0)]
NotNegative = Annotated[float, must("at least 0", lambda x: x >= 0)]
Share = Annotated[float, must("in (0, 1]", lambda x: 0 < x <= 1)]
Part = Annotated[float, must("in [0, 1)", lambda x: 0 <= x < 1)]
ProperShare = Annotated[float, must("in (0, 1)", lambda x: 0 < x < 1)]
Size = Annotated[str, _check_size]
Seed = Annotated[int, must("in [0, 2^32)", lambda n: 0 <= n < 2**32)]
Seeds = Annotated[tuple[Seed, ...], Items(counted=True)]


def read(label: str, kind: Any, text: str, now: Any = None) -> Any:
    """The value that a text stands for.

    A number is written as usual, a whole one also as 1e3; a truth value true or false; what may be
    missing, none. Commas stand between the items of a tuple or a mapping, colons between the
    parts of an item.

    Args:
        label: what messages call the field.
        kind: its annotation.
        text: what was given.
        now: the value that the field has; the keys of a mapping are the only ones that there are.

    Raises:
        BadInput: if it cannot be read, or makes no sense.

    >>> read("loads", tuple[float, ...], "0.5,1"), read("seeds", Seeds, "2")
    ((0.5, 1.0), (0, 1))
    """
    kind, items, checks = _parts(kind)
    if get_origin(kind) is tuple:
        value = _read_tuple(label, get_args(kind)[0], text, items)
    elif get_origin(kind) is Mapping:
        value = _read_mapping(label, get_args(kind)[1], text, now)
    elif get_origin(kind) in (Union, UnionType):
        [held] = [one for one in get_args(kind) if one is not NoneType]
        value = None if text.strip() == "none" else read(label, held, text)
    elif dataclasses.is_dataclass(kind):
        value = _read_parts(label, kind, text)
    else:
        value = _read_one(label, kind, text.strip())
    for check in checks:
        check(label, value)
    return value


def write(kind: Any, value: Any) -> str:
    """The text that `read` takes for a value.

    >>> write(Seeds, (3,)), write(tuple[float, ...], (0.5, 1.0))
    ('3,', '0.5,1.0')
    """
    kind, items, _ = _parts(kind)
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        text = ",".join(write(get_args(kind)[0], item) for item in value)
        return f"{text}," if items.counted and len(value) == 1 else text
    if isinstance(value, Mapping):
        return ",".join(f"{name}:{item}" for name, item in value.items())
    if dataclasses.is_dataclass(value):
        parts = [(getattr(value, field.name), field.default) for field in dataclasses.fields(value)]
        while parts[-1][0] == parts[-1][1]:
            parts.pop()
        return ":".join(str(part) for part, _ in parts)
    return str(value)


def _parts(kind: Any) -> tuple[Any, Items, list[Callable[[str, Any], None]]]:
    """An annotation without its notes, how a tuple is given, and what to check."""
    if get_origin(kind) is not Annotated:
        return kind, Items(), []
    kind, *notes = get_args(kind)
    items = next((note for note in notes if isinstance(note, Items)), Items())
    return kind, items, [note for note in notes if not isinstance(note, Items)]


def _read_one(label: str, kind: Any, text: str) -> Any:
    try:
        if kind is bool:
            return {"true": True, "false": False}[text]
        value = whole_number(text) if kind is int else kind(text)
        if value == "" or (not isinstance(value, str) and not math.isfinite(value)):
            raise ValueError
    except (ValueError, KeyError):
        named = {bool: "true or false", int: "a whole number", float: "a number", str: "a name"}
        raise BadInput(f"{label} must be {named[kind]}, not {text!r}") from None
    return value


def _read_tuple(label: str, kind: Any, text: str, items: Items) -> tuple[Any, ...]:
    if items.counted and "," not in text:
        count = read(label, int, text)
        require(
            1 <= count <= _MOST_SEEDS,
            f"{label}={text} is a count, which must be 1 to {_MOST_SEEDS}; for {text} alone write "
            f"{label}={text},",
        )
        return tuple(range(count))
    found = tuple(read(f"each of {label}", kind, word) for word in _words(text))
    require(items.empty or bool(found), f"{label} must have one item at least")
    _check_different(label, found, text)
    return found


def _read_mapping(label: str, kind: Any, text: str, now: Mapping[str, Any]) -> dict[str, Any]:
    pairs = [word.strip().partition(":") for word in _words(text)]
    require(bool(pairs), f"{label} must have one item at least")
    for name, _, _ in pairs:
        require(name in now, f"{label} has no {name!r}; there are {', '.join(now)}")
    _check_different(label, tuple(name for name, _, _ in pairs), text)
    return {name: read(f"{name} of {label}", kind, held) for name, _, held in pairs}


def _read_parts(label: str, kind: Any, text: str) -> Any:
    kinds, parts = get_type_hints(kind, include_extras=True), text.strip().split(":")
    require(
        len(parts) <= len(kinds), f"{label} must be {':'.join(kinds)} or less, not {text.strip()!r}"
    )
    given = zip(kinds.items(), parts, strict=False)
    return kind(*(read(f"{name} of {text.strip()}", one, part) for (name, one), part in given))


def _words(text: str) -> list[str]:
    """What stands between commas; one at the end changes nothing."""
    words = text.split(",")
    return words[:-1] if not words[-1].strip() else words


def _check_different(label: str, items: tuple[Any, ...], text: str) -> None:
    require(len(set(items)) == len(items), f"{label} must not have an item twice, as in {text!r}")
