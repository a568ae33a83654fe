"""What the labs share. It lies beside them, also in a copy: a lab says `from kit import check`."""

from kit import picture
from kit.own_rule import ByRule, train_by_rule
from kit.prediction import Given, predict, wait_for
from kit.training import Training, train_all
from kit.verdict import Verdict, attempt, between, check, near

__all__ = [
    "ByRule",
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
    "train_by_rule",
    "wait_for",
]
