"""Stored bits against exposures: which law fits, by leaving out one number of exposures in turn."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from jaxtyping import Float64
from scipy import optimize

from factcap.figures.claims.claim import (
    Claim,
    Finding,
    Panel,
    Row,
    Wanted,
    bitstrings_recipe,
    column,
    one_row,
    parameters_of,
    run_of,
)
from factcap.figures.fields import Count, Positive, Size, one_of
from factcap.models import named_size, run_spec
from factcap.models.training.optim import OPTIMIZERS
from factcap.synth.errors import require

Points = Float64[np.ndarray, " points"]


# How far from its start the logarithm of a constant is sought.
_REACH = 4.0


@dataclass(frozen=True)
class Law:
    """Bits a parameter against exposures.

    Attributes:
        at: from exposures and constants, all above 0.
        start: where the search for the constants begins.
    """

    at: Callable[[Points, Any], Points]
    start: tuple[float, ...]


LAWS = {
    "exponential": Law(lambda e, c: c[0] * -np.expm1(-e / c[1]), (2.0, 100.0)),
    "exponential after a plateau": Law(
        lambda e, c: c[0] * -np.expm1(-np.maximum(e - c[2], 0) / c[1]), (2.0, 100.0, 5.0)
    ),
    "hyperbola": Law(lambda e, c: c[0] * e / (e + c[1]), (2.0, 100.0)),
    "hyperbola with a power": Law(
        lambda e, c: c[0] * e ** c[2] / (e ** c[2] + c[1] ** c[2]), (2.0, 100.0, 1.0)
    ),
    "logarithm": Law(lambda e, c: c[0] * np.log1p(e / c[1]), (0.5, 10.0)),
    "power": Law(lambda e, c: c[0] * e ** c[1], (0.5, 0.3)),
}


def fitted(law: Law, exposures: Points, bits: Points) -> Callable[[Points], Points]:
    """The law with the constants of least squares."""

    def off(logs: Any) -> Points:
        return law.at(exposures, np.exp(logs)) - bits

    middle = np.log(law.start)
    # Within these ends no power overflows.
    ends = (middle - _REACH, middle + _REACH)
    tries = [optimize.least_squares(off, middle + by, bounds=ends) for by in (-1.0, 0.0, 1.0)]
    found = min(tries, key=lambda one: one.cost)
    return lambda at: law.at(at, np.exp(found.x))


def left_out_error(law: Law, exposures: Points, bits: Points) -> float:
    """Root mean square error at each number of exposures of the law fitted to all others."""
    errors = []
    for number in range(len(exposures)):
        kept = np.arange(len(exposures)) != number
        predicted = fitted(law, exposures[kept], bits[kept])(exposures[[number]])
        errors.append(float(predicted[0] - bits[number]))
    return float(np.sqrt(np.mean(np.square(errors))))


@dataclass(frozen=True)
class Settings:
    """Which runs are made.

    Attributes:
        size: of the model.
        exposures: of each fact, in different runs.
        bits_offered: for each parameter.
        optimizers: for all exposures.
    """

    size: Size = "8k"
    exposures: tuple[Count, ...] = (25, 50, 100, 200, 400, 800, 1600)
    bits_offered: Positive = 3.6
    optimizers: tuple[Annotated[str, one_of(OPTIMIZERS)], ...] = ("muon",)

    def __post_init__(self):
        count = len(self.exposures)
        require(count >= 5, f"laws need 5 numbers of exposures at least, not {count}")


def runs(settings: Settings, seeds: Sequence[int], folder: Path) -> list[Wanted]:
    """A run for each optimizer and number of exposures."""
    parameters = named_size(settings.size, 256).parameters
    return [
        Wanted(
            {"optimizer": optimizer, "exposures": exposures, "seed": seed},
            run_spec(
                run_of(
                    bitstrings_recipe(settings.bits_offered, parameters, seed),
                    settings.size,
                    exposures,
                    seed,
                    optimizer=optimizer,
                )
            ),
        )
        for optimizer in settings.optimizers
        for exposures in settings.exposures
        for seed in seeds
    ]


def findings(settings: Settings, rows: Sequence[Row]) -> list[Finding]:
    """For each optimizer the error of the exponential law over that of others."""
    exposures = np.array(sorted({row["exposures"] for row in rows}), float)
    found = []
    for optimizer in settings.optimizers:
        bits = [
            column(rows, "bits_per_parameter", optimizer=optimizer, exposures=at)
            for at in exposures
        ]
        errors = {
            name: np.array(
                [left_out_error(law, exposures, of_seed) for of_seed in np.transpose(bits)]
            )
            for name, law in LAWS.items()
        }
        hyperbola, after = (
            list(errors["exponential"] / np.maximum(errors[name], 1e-9))
            for name in ("hyperbola", "exponential after a plateau")
        )
        found += [
            Finding(
                f"left-out error of the exponential over that of a hyperbola, {optimizer}",
                1.0,
                hyperbola,
                (0.0, 1.1),
                (0.0, 1.5),
                parameters_of(rows),
            ),
            Finding(
                f"left-out error of the exponential over that of one after a plateau, {optimizer}",
                None,
                after,
                (1.1, 1e9),
                (1.02, 1e9),
                parameters_of(rows),
                source="this project",
            ),
        ]
    return found


CLAIM = Claim(
    title="Stored bits saturate exponentially in exposures",
    source="Lu et al. 2406.15720",
    settings={
        "tiny": Settings(exposures=(2, 4, 8, 16, 32)),
        "laptop": Settings(),
        "gpu": Settings(size="0.2M", optimizers=("adamw", "muon")),
    },
    runs=runs,
    rows=one_row,
    findings=findings,
    panel=Panel(
        "exposures", "bits_per_parameter", "optimizer", ("exposures", "bits a parameter"), log=True
    ),
    notes=(
        "The form is ours; the source says that the bits saturate. A hyperbola, E / (E + c), "
        "foretells a number of exposures that was left out better than an exponential does. A "
        "plateau does not show with Muon from 25 exposures on. With AdamW, in one seed, it is the "
        "same: the error of the exponential is 1.6 times that of the hyperbola, and no plateau "
        "shows."
    ),
)
