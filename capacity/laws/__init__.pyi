from .best_split import BestSplit, best_split, split_losses
from .curves import (
    EdgeWarning,
    Fit,
    fit_exposures,
    fit_membership,
    fit_parameters,
    membership_f1,
)
from .split_fit import DomainLaw
from .split_forms import FORMS, Form
from .split_heldout import HeldOut
from .split_law import SplitLaw, fit_splitting
from .split_runs import SplitRuns

__all__ = [
    "FORMS",
    "BestSplit",
    "DomainLaw",
    "EdgeWarning",
    "Fit",
    "Form",
    "HeldOut",
    "SplitLaw",
    "SplitRuns",
    "best_split",
    "fit_exposures",
    "fit_membership",
    "fit_parameters",
    "fit_splitting",
    "membership_f1",
    "split_losses",
]
