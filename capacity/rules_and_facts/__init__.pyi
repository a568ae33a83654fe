from .kernels import (
    ACTIVATIONS,
    KernelCoefficients,
    arc_cosine_kernel,
    kernel_coefficients,
    rbf_kernel,
)
from .learners import Learned, fit
from .optimum import (
    bayes_optimal_error,
    coincidence_ratio,
    optimal_ridge,
    separability_threshold,
)
from .solution import ConvergenceWarning, Solution, solve, solve_curve
from .tuning import best_ridge

__all__ = [
    "ACTIVATIONS",
    "ConvergenceWarning",
    "KernelCoefficients",
    "Learned",
    "Solution",
    "arc_cosine_kernel",
    "bayes_optimal_error",
    "best_ridge",
    "coincidence_ratio",
    "fit",
    "kernel_coefficients",
    "optimal_ridge",
    "rbf_kernel",
    "separability_threshold",
    "solve",
    "solve_curve",
]
