"""What is said to the user in one line: of input that cannot be used, and of what to know."""


class BadInput(ValueError):
    """A value, file or combination that cannot be used.

    The message is one line that says what is wrong and what would be right. The
    command line prints it and exits with 2.
    """


class Notice(UserWarning):
    """A warning for whoever gave a command; the command line prints it as one line."""


def require(condition: bool, message: str) -> None:
    """Raise `BadInput(message)` unless the condition holds."""
    if not condition:
        raise BadInput(message)
