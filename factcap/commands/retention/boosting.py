"""The flexible ceiling: gradient boosting on all that the law may use, and more."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from factcap.capacity.retention import CountedFacts, Shares
from factcap.capacity.retention.columns import raw_columns
from factcap.capacity.retention.facts import join
from factcap.synth.errors import BadInput

_INNER_FOLDS = 5
# More kinds than this scikit-learn does not take; they are then numbers like others.
_MOST_KINDS = 250


def is_installed() -> bool:
    """Whether scikit-learn is there."""
    try:
        import sklearn  # noqa: F401
    except ImportError:
        return False
    return True


def boosting_predictor(
    training: Sequence[CountedFacts],
) -> Callable[[CountedFacts], npt.NDArray[np.float64]]:
    """Gradient-boosted trees (scikit-learn) on squared error, as cross-validation takes them.

    The columns are the law's, the relation as a category, whether the object's name stands in the
    subject's, the size, and the mean accuracy of the other training facts of the same answer
    (from inner folds, so that no fact sees its own).

    Raises:
        BadInput: where scikit-learn is not installed.
    """
    try:
        from sklearn.ensemble import HistGradientBoostingRegressor
    except ImportError:
        raise BadInput(
            "boosting needs scikit-learn: pip install 'factcap[predict]'; "
            "or name other --predictors"
        ) from None
    training = list(training)
    shares = Shares(training)
    relations = np.unique(np.concatenate([facts.relation for facts in training]))
    answers = np.concatenate([join(facts.relation, facts.object) for facts in training])
    accuracy = np.concatenate([facts.accuracy for facts in training])
    inner = np.random.default_rng(0).permutation(len(answers)) % _INNER_FOLDS
    usual = np.empty(len(answers))
    for fold in range(_INNER_FOLDS):
        rest = inner != fold
        usual[~rest] = _usual(answers[rest], accuracy[rest], answers[~rest])
    named = all(facts.names is not None for facts in training)
    columns = np.vstack([_columns(facts, shares, relations, named) for facts in training])
    kinds = len(relations) <= _MOST_KINDS
    trees = HistGradientBoostingRegressor(
        learning_rate=0.05,
        max_iter=300,
        min_samples_leaf=15,
        l2_regularization=1.0,
        categorical_features=[0] if kinds else None,
        random_state=0,
    )
    trees.fit(np.column_stack([columns, usual]), accuracy)

    def predict(facts: CountedFacts) -> npt.NDArray[np.float64]:
        own = _usual(answers, accuracy, join(facts.relation, facts.object))
        columns = _columns(facts, shares, relations, named)
        return np.clip(trees.predict(np.column_stack([columns, own])), 0.0, 1.0)

    return predict


def _columns(facts: CountedFacts, shares: Shares, relations: npt.NDArray, named: bool):
    place = np.minimum(np.searchsorted(relations, facts.relation), len(relations) - 1)
    relation = np.where(relations[place] == facts.relation, place.astype(float), np.nan)
    columns = [
        relation,
        np.full(len(facts), np.log2(facts.size)),
        *raw_columns(facts, shares).values(),
    ]
    if named and facts.names is not None:
        columns.append(facts.names.standing.astype(float))
    return np.column_stack(columns)


def _usual(
    known: npt.NDArray[np.str_], accuracy: npt.NDArray, asked: npt.NDArray[np.str_]
) -> npt.NDArray[np.float64]:
    """Mean accuracy of the known facts with each answer asked; NaN for an answer not known."""
    different, member = np.unique(known, return_inverse=True)
    mean = np.bincount(member, accuracy) / np.bincount(member)
    place = np.minimum(np.searchsorted(different, asked), len(different) - 1)
    return np.where(different[place] == asked, mean[place], np.nan)
