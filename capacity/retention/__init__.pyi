from .allocation import AllocationLaw, allocation_predictor, fit_allocation
from .columns import MODEL_DEVIATION, Columns
from .crossvalidation import (
    FOLDS,
    SPLITS,
    Predict,
    Predictor,
    Split,
    folds,
    held_out,
    held_out_model,
    smaller_models,
)
from .exposures import ExposureLaw, Training, fit_exposure_law
from .facts import CountedFacts, Names, answers_behind, compare_names
from .guess import Shares
from .hierarchy import fit_hierarchy
from .law import Coefficient, RetentionLaw, fit_law, law_predictor
from .posterior import Design, Posterior, Prior, draw_hierarchy, predict_hierarchy
from .published import (
    KINDS,
    PublishedFit,
    fit_published,
    mutual_information,
    published_bins,
    published_predictor,
    truncated_log,
)
from .scores import Scores, calibration_curve, calibration_error, noise_ceiling, r_squared, score

__all__ = [
    "FOLDS",
    "KINDS",
    "MODEL_DEVIATION",
    "SPLITS",
    "AllocationLaw",
    "Coefficient",
    "Columns",
    "CountedFacts",
    "Design",
    "ExposureLaw",
    "Names",
    "Posterior",
    "Predict",
    "Predictor",
    "Prior",
    "PublishedFit",
    "RetentionLaw",
    "Scores",
    "Shares",
    "Split",
    "Training",
    "allocation_predictor",
    "answers_behind",
    "calibration_curve",
    "calibration_error",
    "compare_names",
    "draw_hierarchy",
    "fit_allocation",
    "fit_exposure_law",
    "fit_hierarchy",
    "fit_law",
    "fit_published",
    "folds",
    "held_out",
    "held_out_model",
    "law_predictor",
    "mutual_information",
    "noise_ceiling",
    "predict_hierarchy",
    "published_bins",
    "published_predictor",
    "r_squared",
    "score",
    "smaller_models",
    "truncated_log",
]
