"""Predictions that are not given: what waits for them is not measured."""


class Withheld:
    """In place of a prediction."""

    value = None


def unpredicted(*names: str) -> dict[str, Withheld]:
    """These predictions, not given."""
    return dict.fromkeys(names, Withheld())
