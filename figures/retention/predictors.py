"""The predictors that `factcap predict` compares, by name."""

from factcap.capacity.retention import (
    KINDS,
    Predictor,
    allocation_predictor,
    law_predictor,
    published_predictor,
)
from factcap.figures.retention.boosting import boosting_predictor

PREDICTORS: dict[str, Predictor] = {
    **{kind: published_predictor(kind) for kind in KINDS},
    "all_or_nothing": allocation_predictor("all_or_nothing"),
    "rate_distortion": allocation_predictor("rate_distortion"),
    "law": law_predictor,
    "boosting": boosting_predictor,
}
