"""One way to take a preset and change its fields, from Python or from the command line."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar, get_origin, get_type_hints

from factcap.figures.fields import read, write
from factcap.figures.files import Record
from factcap.synth.errors import require

# Fields and their values as text: {"facts": "3000"}, or ["facts=3000"].
Changes = Mapping[str, str] | Sequence[str]

Plan = TypeVar("Plan")


def choose(
    figure: str, presets: Mapping[str, Plan], preset: str, changes: Changes
) -> tuple[Plan, Record]:
    """A preset, changed, and what the figure's companion says of it.

    Args:
        figure: its name.
        presets: frozen dataclasses, by name.
        preset: one of these names.
        changes: see `Changes`.

    Raises:
        BadInput: for an unknown preset or field, or a value that cannot be read or makes no sense.
    """
    require(preset in presets, f"no preset is called {preset!r}; there are {', '.join(presets)}")
    texts = _texts(changes)
    plan = changed(presets[preset], texts)
    return plan, Record(figure, preset, texts, as_json(plan))


def changed(plan: Plan, texts: Mapping[str, str]) -> Plan:
    """A preset with other values, each read by the annotation of its field.

    The field of a field is written with a dot: `networks.repeats`. All values are put in at once,
    so that what only fits together may be given together.

    Raises:
        BadInput: for an unknown field, or a value that cannot be read or makes no sense.
    """
    known = {name: (kind, value) for name, kind, value in _fields(plan)}
    for name in texts:
        require(name in known, f"there is no field {name!r}; there are {', '.join(known)}")
    values = {}
    for name, text in texts.items():
        kind, now = known[name]
        values[name] = read(name, kind, text, now)
    return _replaced(plan, values)


def as_texts(plan: Any) -> dict[str, str]:
    """All fields that can be changed, with the texts that stand for their values."""
    return {name: write(kind, value) for name, kind, value in _fields(plan)}


def as_json(value: Any) -> Any:
    """A preset as JSON values; functions by name."""
    if dataclasses.is_dataclass(value):
        return {
            field.name: as_json(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, Mapping):
        return {name: as_json(held) for name, held in value.items()}
    if isinstance(value, tuple):
        return [as_json(item) for item in value]
    return value.__name__ if callable(value) else value


def listing(presets: Mapping[str, Any]) -> str:
    """The presets and their fields for a terminal: a line each."""
    lines = []
    for preset, plan in presets.items():
        lines += [preset, *(f"  {name}={text}" for name, text in as_texts(plan).items())]
    return "\n".join(lines)


def _texts(changes: Changes) -> dict[str, str]:
    if isinstance(changes, Mapping):
        return dict(changes)
    found: dict[str, str] = {}
    for change in changes:
        name, sign, text = change.partition("=")
        require(bool(name and sign), f"a change must be FIELD=VALUE, not {change!r}")
        require(name not in found, f"{name} is given twice, as {found.get(name)} and as {text}")
        found[name] = text
    return found


def _fields(plan: Any, within: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(name, annotation, value) of each field that can be given as text."""
    for name, kind in get_type_hints(type(plan), include_extras=True).items():
        value = getattr(plan, name)
        if dataclasses.is_dataclass(kind):
            yield from _fields(value, f"{within}{name}.")
        elif get_origin(kind) is not Callable:
            yield f"{within}{name}", kind, value


def _replaced(plan: Any, values: Mapping[str, Any]) -> Any:
    direct = {name: value for name, value in values.items() if "." not in name}
    for head in dict.fromkeys(name.split(".")[0] for name in values if "." in name):
        inside = {
            name.removeprefix(f"{head}."): value
            for name, value in values.items()
            if name.startswith(f"{head}.")
        }
        direct[head] = _replaced(getattr(plan, head), inside)
    return dataclasses.replace(plan, **direct)
