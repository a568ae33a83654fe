"""Runs of our own: what they will know is said before they are trained, and then asked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
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
from factcap.figures.retention.own_boosting import boosted
from factcap.figures.retention.own_plan import ASKED, FITTED, POWER_LAW, Condition
from factcap.synth import rank_size_exponent

COLUMNS = (
    *("facts_of", "scheme", "exponent", "load", "facts_seed", "runs", "facts", "parameters"),
    *("draws", "known", "known_predicted", "r2", "noise_ceiling", "r2_one_run"),
    *("r2_without_relations", "r2_boosting", "r2_by_power_law", "calibration_error", "price"),
    *("bits_per_parameter", "theta", "needed", "acquisition", "blur", "per_bit"),
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
        beside: what else was predicted of each fact, by name: `without_relations`, the same law
            told of no relations; `boosting`, the flexible ceiling, on a corpus where scikit-learn
            is installed; and `by_power_law`, the law that was fitted to facts by a power law, of
            other sources.
        accuracy: share of the runs that recall each fact.
        one_run: whether the first of them does.
        law: fitted to runs on other facts, with other seeds.
    """

    condition: Condition
    training: Training
    predicted: Float64[np.ndarray, " facts"]
    beside: Mapping[str, Float64[np.ndarray, " facts"]]
    accuracy: Float64[np.ndarray, " facts"]
    one_run: Float64[np.ndarray, " facts"]
    law: ExposureLaw


def tell(made: Sequence[Made]) -> list[Told]:
    """Fit a law for each source and scheme; predict the conditions that it was not fitted to."""
    found = []
    laws: dict[tuple[str, str], ExposureLaw] = {}
    for kind in dict.fromkeys((one.condition.source, one.condition.scheme) for one in made):
        mine = [one for one in made if (one.condition.source, one.condition.scheme) == kind]
        seen = [one for one in mine if one.condition.role == FITTED]
        known = [(one.training, one.recall.mean(0)) for one in seen]
        laws[kind] = fit_exposure_law(known)
        plain, flexible = laws[kind], False
        if any(training.relations for training, _ in known):
            plain = fit_exposure_law([(_alike(training), recall) for training, recall in known])
            flexible = find_spec("sklearn") is not None
        for one in mine:
            if one.condition.role == ASKED:
                beside = {"without_relations": plain.predict(_alike(one.training))}
                if flexible:
                    beside["boosting"] = boosted(known, one.training)
                elsewhere = laws.get((POWER_LAW, one.condition.scheme))
                if elsewhere and one.condition.source != POWER_LAW:
                    beside["by_power_law"] = elsewhere.predict(one.training)
                found.append(_tell(one, laws[kind], beside))
    return found


def _alike(training: Training) -> Training:
    return replace(training, relations=())


def _tell(one: Made, law: ExposureLaw, beside: Mapping[str, Float64[np.ndarray, " facts"]]) -> Told:
    return Told(
        one.condition,
        one.training,
        predicted=law.predict(one.training),
        beside=beside,
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
    price = law.price(training)
    scarce: dict[str, float | None] = {
        "bits_per_parameter": law.bits_per_parameter,
        "theta": law.theta,
        "needed": law.needed,
    }
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
        **{
            f"r2_{name}": r_squared(one.accuracy, one.beside[name]) if name in one.beside else None
            for name in ("without_relations", "boosting", "by_power_law")
        },
        "calibration_error": calibration_error(one.accuracy, one.predicted),
        "price": price,
        # Where everything fits, or all facts have equally many bits, runs tell nothing of some.
        **(scarce if price > 0 else dict.fromkeys(scarce)),
        "acquisition": law.acquisition,
        "blur": law.blur,
        "per_bit": law.per_bit if np.ptp(training.entropy_bits) > 0 else None,
    }
