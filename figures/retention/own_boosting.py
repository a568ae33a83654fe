"""The flexible ceiling of our own runs: gradient boosting on what the law is told of each fact."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from factcap.capacity.retention import Training
from factcap.synth.libraries import library


def boosted(
    seen: Sequence[tuple[Training, Float64[np.ndarray, "_"]]], asked: Training
) -> Float64[np.ndarray, " facts"]:
    """Recall that gradient-boosted trees (scikit-learn) expect of exposures, entropy and relation.

    Args:
        seen: each with the share of its runs that recalled each fact.
        asked: what is predicted.

    Raises:
        BadInput: where scikit-learn is not installed.
    """
    ensemble = library("sklearn.ensemble", "predict")
    threadpool_limits = library("threadpoolctl", "predict").threadpool_limits
    names = sorted({name for training, _ in seen for name in training.relations})

    def columns(training: Training) -> Float64[np.ndarray, "facts columns"]:
        relations = [[name == one for one in names] for name in training.relations]
        several = [np.array(relations, float)] if names else []
        return np.column_stack([np.log(training.exposures), training.entropy_bits, *several])

    trees = ensemble.GradientBoostingRegressor(
        n_estimators=100, learning_rate=0.05, subsample=0.5, min_samples_leaf=10, random_state=0
    )
    with threadpool_limits(1):
        trees.fit(
            np.vstack([columns(training) for training, _ in seen]),
            np.concatenate([recall for _, recall in seen]),
        )
        return np.clip(trees.predict(columns(asked)), 0.0, 1.0)
