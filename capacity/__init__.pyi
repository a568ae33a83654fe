from . import memorized_prior, retention, rules_and_facts, splitting
from .bounds.all_or_nothing import all_or_nothing_bound
from .bounds.asymptotics import (
    all_or_nothing_deficit,
    captured_mass,
    deficit_exponent,
    joint_coding_multiplier,
)
from .bounds.bound import Bound
from .bounds.even_spreading import even_spreading
from .bounds.exceptions import exception_bits, least_exception_error
from .bounds.harmonic import generalized_harmonic
from .bounds.inverse import (
    largest_load,
    most_facts_known_whole,
    smallest_budget,
    smallest_power_law_budget,
)
from .bounds.luck import log2_chance, log2_chance_known, luck_bound, most_known_by_luck
from .bounds.power_law import PowerLawBound, power_law_bound
from .bounds.rate_distortion import rate_distortion_bound
from .classical import (
    BINARY_WEIGHT_CAPACITY,
    binary_entropy,
    error_floor,
    gardner_bits,
    gardner_capacity,
    gardner_overlap,
    log2_dichotomies,
    log2_separable_probability,
    separable_probability,
)
from .knowledge import (
    KnowledgeRun,
    biography_capacity_ratio,
    bit_complexity,
    capacity_ratio,
    max_capacity_ratio,
    read_knowledge_runs,
)
from .laws.best_split import BestSplit, best_split
from .laws.curves import (
    EdgeWarning,
    Fit,
    fit_exposures,
    fit_membership,
    fit_parameters,
    membership_f1,
)
from .laws.split_law import SplitLaw, fit_splitting
from .laws.split_runs import SplitRuns
from .losses import (
    RecallRange,
    StoredBits,
    calibrated_accuracy_range,
    fano_accuracy,
    recall_range,
    stored_bits,
)
from .mixture import (
    Allocation,
    Background,
    Subsampling,
    allocate,
    best_subsample,
    subsample,
    threshold_capacity,
    threshold_ratio,
)

__all__ = [
    "BINARY_WEIGHT_CAPACITY",
    "Allocation",
    "Background",
    "BestSplit",
    "Bound",
    "EdgeWarning",
    "Fit",
    "KnowledgeRun",
    "PowerLawBound",
    "RecallRange",
    "SplitLaw",
    "SplitRuns",
    "StoredBits",
    "Subsampling",
    "all_or_nothing_bound",
    "all_or_nothing_deficit",
    "allocate",
    "best_split",
    "best_subsample",
    "binary_entropy",
    "biography_capacity_ratio",
    "bit_complexity",
    "calibrated_accuracy_range",
    "capacity_ratio",
    "captured_mass",
    "deficit_exponent",
    "error_floor",
    "even_spreading",
    "exception_bits",
    "fano_accuracy",
    "fit_exposures",
    "fit_membership",
    "fit_parameters",
    "fit_splitting",
    "gardner_bits",
    "gardner_capacity",
    "gardner_overlap",
    "generalized_harmonic",
    "joint_coding_multiplier",
    "largest_load",
    "least_exception_error",
    "log2_chance",
    "log2_chance_known",
    "log2_dichotomies",
    "log2_separable_probability",
    "luck_bound",
    "max_capacity_ratio",
    "membership_f1",
    "memorized_prior",
    "most_facts_known_whole",
    "most_known_by_luck",
    "power_law_bound",
    "rate_distortion_bound",
    "read_knowledge_runs",
    "recall_range",
    "retention",
    "rules_and_facts",
    "separable_probability",
    "smallest_budget",
    "smallest_power_law_budget",
    "splitting",
    "stored_bits",
    "subsample",
    "threshold_capacity",
    "threshold_ratio",
]
