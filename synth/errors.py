"""The one exception for input that cannot be used."""


class BadInput(ValueError):
    """A value, file or combination that cannot be used.

    The message is one line that says what is wrong and what would be right. The
    command line prints it and exits with 2.
    """


def require(condition: bool, message: str) -> None:
    """Raise `BadInput(message)` unless the condition holds."""
    if not condition:
        raise BadInput(message)
