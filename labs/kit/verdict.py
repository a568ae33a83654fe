"""Whether an answer is right: the check of an exercise."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import marimo as mo

Judge = Callable[[Any], bool]
_KINDS: dict[str, Literal["success", "warn", "neutral"]] = {
    "right": "success",
    "wrong": "warn",
    "unanswered": "neutral",
}


@dataclass(frozen=True)
class Verdict:
    """What a check says of an answer; in a notebook it shows as a colored line.

    Attributes:
        name: of the exercise.
        state: what it is.
        message: what to say of it, as Markdown.
    """

    name: str
    state: Literal["right", "wrong", "unanswered"]
    message: str

    @property
    def right(self) -> bool:
        """Whether the answer is right."""
        return self.state == "right"

    def __str__(self) -> str:
        return f"{self.name}: {self.state}. {self.message}"

    def _display_(self) -> Any:
        return mo.callout(mo.md(f"**Exercise {self.name}.** {self.message}"), _KINDS[self.state])


def check(
    name: str,
    answer: Any,
    right: Judge,
    *,
    hint: str,
    slips: Sequence[tuple[Judge, str]] = (),
    praise: str = "",
) -> Verdict:
    """Judge the answer to an exercise.

    Args:
        name: of the exercise, such as "1.2".
        answer: the student's. `...` and None are no answer yet, nor is what holds one of them. An
            exception is a wrong answer: see `attempt`.
        right: whether an answer is right.
        hint: what to say of a wrong one. It says where to look, not what comes out.
        slips: wrong answers that are often given, each with a hint of its own; the first that fits
            is taken.
        praise: what to say of a right one, after "Right."
    """
    if _is_blank(answer):
        return Verdict(name, "unanswered", "Not answered yet: replace the `...` above.")
    if isinstance(answer, Exception):
        problem = f"{type(answer).__name__}: {answer}"
        return Verdict(name, "wrong", f"Not yet: your code stopped with `{problem}`.")
    if _holds(right, answer):
        return Verdict(name, "right", f"Right. {praise}".strip())
    for slip, said in slips:
        if _holds(slip, answer):
            return Verdict(name, "wrong", f"Not yet. {said}")
    return Verdict(name, "wrong", f"Not yet. {hint}")


def attempt(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a student's function returns, or the exception with which it stops."""
    try:
        return function(*arguments)
    except Exception as error:  # whatever a student's code may raise
        return error


def near(value: float, tolerance: float = 0.01) -> Judge:
    """Judges whether a number is within a share of a value.

    >>> near(200)(201), near(200)(210)
    (True, False)
    """
    return lambda answer: math.isclose(float(answer), value, rel_tol=tolerance, abs_tol=1e-12)


def between(least: float, most: float) -> Judge:
    """Judges whether a number lies in a range, its ends included."""
    return lambda answer: least <= float(answer) <= most


def _is_blank(answer: Any) -> bool:
    if isinstance(answer, (list, tuple)):
        return any(map(_is_blank, answer))
    return answer is None or answer is ...


def _holds(judge: Judge, answer: Any) -> bool:
    """Whether it judges so; not if it stops, say at text that stands for a number."""
    try:
        return bool(judge(answer))
    except Exception:  # an answer may be anything at all
        return False
