"""Runs of our own: what they will know is said before they are trained, and then asked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64

from factcap.capacity.retention import (
    ExposureLaw,
    Training,
    calibration_error,
    fit_exposure_law,
    noise_ceiling,
    r_squared,
)
from factcap.figures.retention.own_plan import ASKED, FITTED, Condition
from factcap.synth import rank_size_exponent

COLUMNS = (
    *("facts_of", "scheme", "exponent", "load", "facts_seed", "runs", "facts", "parameters"),
    *("draws", "known", "known_predicted", "r2", "noise_ceiling", "r2_one_run"),
    *("r2_without_relations", "calibration_error", "price", "bits_per_parameter", "theta"),
    *("needed", "acquisition", "blur", "per_bit"),
)


@dataclass(frozen=True)
class Made:
    """A condition, and its runs.

    Attributes:
        condition: what was trained on.
        training: what is known of it before.
        recall: which facts each of its runs knows.
    """

    condition: Condition
    training: Training
    recall: Bool[np.ndarray, "runs facts"]


@dataclass(frozen=True)
class Told:
    """A condition that was predicted, and what its runs then knew.

    Attributes:
        condition: what was trained on.
        training: what was known of it before.
        predicted: probability of recall.
        without_relations: the same, by a law that is fitted to the same runs and told of no
            relations.
        accuracy: share of the runs that recall each fact.
        one_run: whether the first of them does.
        law: fitted to runs on other facts, with other seeds.
    """

    condition: Condition
    training: Training
    predicted: Float64[np.ndarray, " facts"]
    without_relations: Float64[np.ndarray, " facts"]
    accuracy: Float64[np.ndarray, " facts"]
    one_run: Float64[np.ndarray, " facts"]
    law: ExposureLaw


def tell(made: Sequence[Made]) -> list[Told]:
    """Fit a law for each source and scheme; predict the conditions that it was not fitted to."""
    found = []
    for kind in dict.fromkeys((one.condition.source, one.condition.scheme) for one in made):
        mine = [one for one in made if (one.condition.source, one.condition.scheme) == kind]
        seen = [one for one in mine if one.condition.role == FITTED]
        related = any(one.training.relations for one in seen)
        law = fit_exposure_law([(one.training, one.recall.mean(0)) for one in seen])
        plain = law
        if related:
            plain = fit_exposure_law([(_alike(one.training), one.recall.mean(0)) for one in seen])
        found += [_tell(one, law, plain) for one in mine if one.condition.role == ASKED]
    return found


def _alike(training: Training) -> Training:
    return replace(training, relations=())


def _tell(one: Made, law: ExposureLaw, plain: ExposureLaw) -> Told:
    return Told(
        one.condition,
        one.training,
        predicted=law.predict(one.training),
        without_relations=plain.predict(_alike(one.training)),
        accuracy=one.recall.mean(0),
        one_run=one.recall[0].astype(np.float64),
        law=law,
    )


def make_rows(told: Iterable[Told]) -> list[dict[str, Any]]:
    """The rows of the CSV: one a condition that was asked."""
    return [_row(one) for one in told]


def _row(one: Told) -> dict[str, Any]:
    condition, training, law = one.condition, one.training, one.law
    answers = np.full(len(one.accuracy), float(len(condition.seeds)))
    return {
        "facts_of": condition.source,
        "scheme": condition.scheme,
        "exponent": condition.exponent or rank_size_exponent(training.exposures),
        "load": condition.load,
        "facts_seed": condition.facts_seed,
        "runs": len(condition.seeds),
        "facts": len(one.accuracy),
        "parameters": training.parameters,
        "draws": round(training.exposures.sum()),
        "known": float(one.accuracy.sum()),
        "known_predicted": float(one.predicted.sum()),
        "r2": r_squared(one.accuracy, one.predicted),
        "noise_ceiling": noise_ceiling(one.accuracy, answers),
        "r2_one_run": r_squared(one.one_run, one.predicted),
        "r2_without_relations": r_squared(one.accuracy, one.without_relations),
        "calibration_error": calibration_error(one.accuracy, one.predicted),
        "price": law.price(training),
        "bits_per_parameter": law.bits_per_parameter,
        "theta": law.theta,
        "needed": law.needed,
        "acquisition": law.acquisition,
        "blur": law.blur,
        "per_bit": law.per_bit,
    }
