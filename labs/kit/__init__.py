"""What the labs share. It lies beside them, also in a copy: a lab says `from kit import check`."""

from kit import picture
from kit.prediction import Given, predict, wait_for
from kit.verdict import Verdict, attempt, between, check, near

__all__ = [
    "Given",
    "Verdict",
    "attempt",
    "between",
    "check",
    "near",
    "picture",
    "predict",
    "wait_for",
]
