"""What the labs share. It lies beside them, also in a copy: a lab says `from kit import check`."""

from kit import picture
from kit.prediction import Given, predict, wait_for
from kit.training import Training, train_all
from kit.verdict import Verdict, attempt, between, check, near

__all__ = [
    "Given",
    "Training",
    "Verdict",
    "attempt",
    "between",
    "check",
    "near",
    "picture",
    "predict",
    "train_all",
    "wait_for",
]
