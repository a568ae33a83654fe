from .curves import (
    EdgeWarning,
    Fit,
    fit_exposures,
    fit_membership,
    fit_parameters,
    membership_f1,
)

__all__ = [
    "EdgeWarning",
    "Fit",
    "fit_exposures",
    "fit_membership",
    "fit_parameters",
    "membership_f1",
]
