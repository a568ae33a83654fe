"""Runs of our own: what they will know is said before they are trained, and then asked."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from jaxtyping import Float64

from factcap.capacity.retention import (
    ExposureLaw,
    Training,
    calibration_error,
    fit_exposure_law,
    noise_ceiling,
    r_squared,
)
from factcap.figures.fields import Count, Positive, Several, Size, one_of
from factcap.figures.runs import Finished
from factcap.figures.selection.experiment import BITS, KEY, ORDINARY, VALUE, VOCABULARY
from factcap.models import RunSpec, named_size, run_spec
from factcap.synth import power_law
from factcap.synth.selection import SCHEMES

COLUMNS = (
    *("scheme", "exponent", "load", "facts_seed", "runs", "facts", "parameters", "draws"),
    *("known", "known_predicted", "r2", "noise_ceiling", "r2_one_run", "calibration_error"),
    *("bits_per_parameter", "theta", "needed", "acquisition", "blur"),
)
FITTED, ASKED = "fitted", "asked"


@dataclass(frozen=True)
class Plan:
    """Which runs the law is fitted to, and which it is asked of.

    Attributes:
        size: of the model.
        bits_per_parameter: that it stores in these draws, measured before; it says how many facts
            are offered at a load.
        draws: facts drawn in a run, scoring included.
        batch: facts a step.
        schemes: ordinary training, and selections; each has constants of its own.
        fitted_exponents: of the power law of frequency, in the runs that the law is fitted to.
        fitted_loads: entropy of their facts, as multiples of what the model stores.
        exponents: of the runs that are predicted; other ones.
        loads: of the runs that are predicted; other ones.
        repeats: runs of the same facts, with other first parameters and draws; the accuracy on a
            fact is the share of them that recall it.
    """

    size: Size = "8k"
    bits_per_parameter: Positive = 2.38
    draws: Count = 448_000
    batch: Count = 128
    schemes: tuple[Annotated[str, one_of((ORDINARY, *SCHEMES))], ...] = (ORDINARY, "worth")
    fitted_exponents: tuple[Positive, ...] = (0.8, 1.3)
    fitted_loads: tuple[Positive, ...] = (1.0, 2.0, 4.0)
    exponents: tuple[Positive, ...] = (0.9, 1.1)
    loads: tuple[Positive, ...] = (1.5, 3.0)
    repeats: Several = 4

    def offered(self, load: float) -> int:
        """Facts offered at a load."""
        return max(round(load * self.bits_per_parameter * self.parameters / BITS), 1)

    @property
    def parameters(self) -> int:
        """Of the model."""
        return named_size(self.size, VOCABULARY).parameters


PRESETS = {
    "tiny": Plan(draws=64_000, fitted_loads=(2.0,), exponents=(1.0,), loads=(1.5,), repeats=2),
    "laptop": Plan(),
    "gpu": Plan(size="0.2M", draws=12_000_000, batch=512, repeats=8),
}


@dataclass(frozen=True)
class Condition:
    """Facts and a way to train on them.

    Attributes:
        role: `FITTED` or `ASKED`.
        scheme: `ORDINARY`, or by which facts are selected.
        exponent: of the power law.
        load: of the facts offered.
        facts_seed: of the facts; no two conditions have the same.
        seeds: of the runs.
    """

    role: str
    scheme: str
    exponent: float
    load: float
    facts_seed: int
    seeds: tuple[int, ...]


def conditions(plan: Plan) -> list[Condition]:
    """What is trained on: the conditions of the fit, one run each, then those that are asked."""
    fitted = [(s, load) for s in plan.fitted_exponents for load in plan.fitted_loads]
    asked = [(s, load) for s in plan.exponents for load in plan.loads]
    found = []
    for scheme in plan.schemes:
        for number, (exponent, load) in enumerate(fitted):
            found.append(Condition(FITTED, scheme, exponent, load, number, (0,)))
        for number, (exponent, load) in enumerate(asked, len(fitted)):
            seeds = tuple(range(1, plan.repeats + 1))
            found.append(Condition(ASKED, scheme, exponent, load, number, seeds))
    return found


def specs(plan: Plan, condition: Condition) -> Iterator[RunSpec]:
    """The runs of a condition."""
    facts = plan.offered(condition.load)
    recipe = {
        "generator": "bitstrings",
        "facts": facts,
        "vocabulary": VOCABULARY,
        "length": KEY + VALUE,
        "key_length": KEY,
        "exponent": condition.exponent,
        "seed": condition.facts_seed,
    }
    for seed in condition.seeds:
        settings: dict[str, Any] = {
            "facts": recipe,
            "model": plan.size,
            "exposures": plan.draws / facts,
            "fewest_steps": 0,
            "batch": plan.batch,
            "saturate": False,
            "seed": seed,
            "select": None if condition.scheme == ORDINARY else {"scheme": condition.scheme},
        }
        yield run_spec(settings)


def training(plan: Plan, condition: Condition) -> Training:
    """What is known before: frequencies, entropies and the size of the model.

    A training that selects draws its facts otherwise; its exposures too are those of the frequency.
    """
    facts = plan.offered(condition.load)
    frequency = power_law(facts, condition.exponent)
    return Training(plan.draws * frequency, np.full(facts, BITS), plan.parameters)


@dataclass(frozen=True)
class Told:
    """A condition that was predicted, and what its runs then knew.

    Attributes:
        condition: what was trained on.
        exposures: of each fact.
        predicted: probability of recall.
        accuracy: share of the runs that recall each fact.
        one_run: whether the first of them does.
        law: fitted to runs of other facts, exponents, loads and seeds.
    """

    condition: Condition
    exposures: Float64[np.ndarray, " facts"]
    predicted: Float64[np.ndarray, " facts"]
    accuracy: Float64[np.ndarray, " facts"]
    one_run: Float64[np.ndarray, " facts"]
    law: ExposureLaw


def tell(plan: Plan, made: Iterable[tuple[Condition, Sequence[Finished]]]) -> list[Told]:
    """Fit the law of each scheme, and predict the conditions that it was not fitted to.

    Args:
        plan: of the runs.
        made: the conditions of the plan, each with its runs.
    """
    recalls = [(condition, [_recall(run) for run in runs]) for condition, runs in made]
    laws = {
        scheme: fit_exposure_law(
            [
                (training(plan, condition), np.mean(recall, axis=0))
                for condition, recall in recalls
                if (condition.role, condition.scheme) == (FITTED, scheme)
            ]
        )
        for scheme in plan.schemes
    }
    found = []
    for condition, recall in recalls:
        if condition.role == ASKED:
            law, before = laws[condition.scheme], training(plan, condition)
            accuracy = np.mean(recall, axis=0)
            predicted = law.predict(before)
            found.append(Told(condition, before.exposures, predicted, accuracy, recall[0], law))
    return found


def make_rows(plan: Plan, told: Iterable[Told]) -> list[dict[str, Any]]:
    """The rows of the CSV: one a condition that was asked."""
    return [_row(plan, one) for one in told]


def _row(plan: Plan, one: Told) -> dict[str, Any]:
    condition, law = one.condition, one.law
    answers = np.full(len(one.accuracy), float(len(condition.seeds)))
    constants: Mapping[str, float] = {
        "bits_per_parameter": law.bits_per_parameter,
        "theta": law.theta,
        "needed": law.needed,
        "acquisition": law.acquisition,
        "blur": law.blur,
    }
    return {
        "scheme": condition.scheme,
        "exponent": condition.exponent,
        "load": condition.load,
        "facts_seed": condition.facts_seed,
        "runs": len(condition.seeds),
        "facts": len(one.accuracy),
        "parameters": plan.parameters,
        "draws": plan.draws,
        "known": float(one.accuracy.sum()),
        "known_predicted": float(one.predicted.sum()),
        "r2": r_squared(one.accuracy, one.predicted),
        "noise_ceiling": noise_ceiling(one.accuracy, answers),
        "r2_one_run": r_squared(one.one_run, one.predicted),
        "calibration_error": calibration_error(one.accuracy, one.predicted),
        **constants,
    }


def _recall(run: Finished) -> Float64[np.ndarray, " facts"]:
    return run.measurement.recall.astype(np.float64)
