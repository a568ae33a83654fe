"""The flexible ceiling: gradient boosting on all that the law may use, and the relation."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from factcap.capacity.retention import CountedFacts, Shares
from factcap.capacity.retention.columns import raw_columns
from factcap.synth.libraries import library

# More kinds than this scikit-learn does not take; they are then numbers like others.
_MOST_KINDS = 250


def boosting_predictor(
    training: Sequence[CountedFacts],
) -> Callable[[CountedFacts], npt.NDArray[np.float64]]:
    """Gradient-boosted trees (scikit-learn) on squared error, as cross-validation takes them.

    The columns are all that the law may use, whether the object's name stands in the subject's,
    and the size. Facts of a relation that training saw are asked of trees that also know the
    relation, the others of trees that do not.

    Raises:
        BadInput: where scikit-learn is not installed.
    """
    ensemble = library("sklearn.ensemble", "predict")
    threadpool_limits = library("threadpoolctl", "predict").threadpool_limits
    shares = Shares(training)
    relations = np.unique(np.concatenate([facts.relation for facts in training]))
    accuracy = np.concatenate([facts.accuracy for facts in training])
    named = all(facts.names is not None for facts in training)

    def columns(facts: CountedFacts) -> npt.NDArray[np.float64]:
        found = [np.full(len(facts), np.log2(facts.size)), *raw_columns(facts, shares).values()]
        if named and facts.names is not None:
            found.append(facts.names.standing.astype(float))
        return np.column_stack(found)

    def relation(facts: CountedFacts) -> npt.NDArray[np.float64]:
        place = np.minimum(np.searchsorted(relations, facts.relation), len(relations) - 1)
        return np.where(relations[place] == facts.relation, place.astype(float), np.nan)

    def trees(**more: Any) -> Any:
        options: dict[str, Any] = {
            "learning_rate": 0.05,
            "max_iter": 300,
            "min_samples_leaf": 15,
            "l2_regularization": 1.0,
            "random_state": 0,
        }
        return ensemble.HistGradientBoostingRegressor(**options, **more)

    given = np.vstack([columns(facts) for facts in training])
    asked = np.concatenate([relation(facts) for facts in training])
    elsewhere = trees(categorical_features=None)
    kinds = [0] if len(relations) <= _MOST_KINDS else None
    within = trees(categorical_features=kinds)
    # Threads that wait for each other cost more than they save on so few facts.
    with threadpool_limits(1):
        elsewhere.fit(given, accuracy)
        within.fit(np.column_stack([asked, given]), accuracy)

    def predict(facts: CountedFacts) -> npt.NDArray[np.float64]:
        mine, place = columns(facts), relation(facts)
        with threadpool_limits(1):
            known = within.predict(np.column_stack([place, mine]))
            new = elsewhere.predict(mine)
        return np.clip(np.where(np.isnan(place), new, known), 0.0, 1.0)

    return predict
