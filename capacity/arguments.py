"""Checks of arguments that several modules share: each names the argument and the range."""

import math


def require_whole(name: str, value: float, least: int = 1, most: float = math.inf) -> int:
    """The value as an int.

    Raises:
        ValueError: unless it is a whole number from `least` to `most`.
    """
    if not (math.isfinite(value) and least <= value <= most and value == int(value)):
        top = "" if most == math.inf else f" and <= {most:g}"
        raise ValueError(f"{name} must be a whole number >= {least}{top}, not {value}")
    return int(value)


def require_positive(name: str, value: float) -> None:
    """Raise `ValueError` unless the value is finite and above 0."""
    if not (value > 0 and math.isfinite(value)):
        raise ValueError(f"{name} must be finite and > 0, not {value}")


def require_choices(choices: float, least: float = 1) -> None:
    """Raise `ValueError` unless this many choices are finite and at least `least`."""
    if not (choices >= least and math.isfinite(choices)):
        raise ValueError(f"choices must be finite and >= {least:g}, not {choices}")
