"""Predictions for facts, objects, relations and models that the fit has not seen."""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
from jaxtyping import Float64, Int64

from factcap.capacity.retention.facts import CountedFacts

# What says of each fact how likely it is answered.
Predict = Callable[[CountedFacts], npt.NDArray[np.float64]]
# A fit takes the training facts, an item a model, and returns what predicts.
Predictor = Callable[[Sequence[CountedFacts]], Predict]
# What is held out: facts at random, all facts of an object, of a relation, or a model.
Split = Literal["facts", "objects", "relations", "models"]
# All that can be held out.
SPLITS: tuple[Split, ...] = ("facts", "objects", "relations", "models")
# So many parts are held out one after the other.
FOLDS = 5


def folds(
    facts: CountedFacts, split: Split, *, number: int = FOLDS, seed: int = 0
) -> Int64[np.ndarray, " facts"]:
    """The fold of each fact: whole objects or relations stay together.

    Args:
        facts: what is split.
        split: "facts", "objects" or "relations". A fact that is there twice is in one fold.
        number: of folds; fewer where there are fewer objects or relations.
        seed: of the draw.

    Raises:
        ValueError: for another split, or where there is only one thing to split.
    """
    if split == "facts":
        names = facts.keys()
    elif split in ("objects", "relations"):
        names = facts.object if split == "objects" else facts.relation
    else:
        raise ValueError(f"folds are over facts, objects or relations, not {split}")
    different, member = np.unique(names, return_inverse=True)
    if len(different) < 2:
        raise ValueError(f"holding out {split} needs two at least, not {len(different)}")
    order = np.random.default_rng(seed).permutation(len(different))
    return (order % number)[member]


def held_out(
    facts: CountedFacts, predictor: Predictor, split: Split, *, number: int = FOLDS, seed: int = 0
) -> Float64[np.ndarray, " facts"]:
    """Predict each fact from the other folds alone; the predictor never sees its accuracy.

    Args:
        facts: of one model.
        predictor: is fitted to the training folds, and then given the held-out facts blind.
        split: what is held out: "facts", "objects" or "relations".
        number: of folds.
        seed: of the folds.
    """
    fold = folds(facts, split, number=number, seed=seed)
    predicted = np.empty(len(facts))
    for one in np.unique(fold):
        predict = predictor([facts.take(fold != one)])
        predicted[fold == one] = predict(facts.take(fold == one).blind())
    return predicted


def smaller_models(several: Sequence[CountedFacts], asked: CountedFacts) -> list[CountedFacts]:
    """The models of the same corpus with fewer parameters, which a held-out model is told from."""
    return [
        facts for facts in several if facts.documents == asked.documents and facts.size < asked.size
    ]


def held_out_model(
    several: Sequence[CountedFacts], asked: CountedFacts, predictor: Predictor
) -> Float64[np.ndarray, " facts"]:
    """Predict all facts of a model from the smaller models of its corpus.

    The facts may be the same: what is held out is the model. So an answer's effect on the smaller
    models is carried over, but no accuracy of the model asked is seen.

    Raises:
        ValueError: where there is no smaller model.
    """
    training = smaller_models(several, asked)
    if not training:
        raise ValueError(f"no smaller model of the corpus of {asked.model} is given")
    return predictor(training)(asked.blind())
