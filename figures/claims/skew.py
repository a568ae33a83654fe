"""The gap between the limit and the best that training knows widens with skew."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from factcap.figures.claims.claim import (
    Claim,
    Finding,
    Panel,
    Row,
    Wanted,
    chosen,
    one_row,
    parameters_of,
    run_of,
)
from factcap.figures.fields import Count, NotNegative, Positive, Size
from factcap.models import named_size, run_spec
from factcap.synth.errors import require

ORDINARY, SELECTED = "ordinary", "worth"
# Facts of 3 value tokens of 128 after a key of 4.
_VOCABULARY, _BITS = 128, 21
_SHAPE = {"generator": "bitstrings", "vocabulary": _VOCABULARY, "length": 7, "key_length": 4}


@dataclass(frozen=True)
class Settings:
    """Which runs are made.

    Attributes:
        size: of the model.
        bits_per_parameter: that it stores of uniform facts, about; it sets the sizes of the sets.
        draws: facts drawn in a run, scoring included.
        batch: facts a step.
        exponents: of the power law of frequency.
        loads: bits of the facts, as multiples of what is stored.
    """

    size: Size = "8k"
    bits_per_parameter: Positive = 2.38
    draws: Count = 448_000
    batch: Count = 128
    exponents: tuple[NotNegative, ...] = (0.0, 0.75, 1.5)
    loads: tuple[Positive, ...] = (0.5, 0.7, 0.85, 1.0, 1.5)

    def __post_init__(self):
        require(0 in self.exponents, "0 must be one of the exponents: it sets the limit")


def runs(settings: Settings, seeds: Sequence[int], folder: Path) -> list[Wanted]:
    """A run for each exponent and number of facts; of the largest exponent one with selection."""
    most = max(settings.exponents)
    pairs = [(ORDINARY, exponent) for exponent in settings.exponents] + [(SELECTED, most)]
    return [
        _run(settings, scheme, exponent, load, seed)
        for scheme, exponent in pairs
        for load in settings.loads
        for seed in seeds
    ]


def _run(settings: Settings, scheme: str, exponent: float, load: float, seed: int) -> Wanted:
    stored = settings.bits_per_parameter * named_size(settings.size, _VOCABULARY).parameters
    facts = max(1, round(load * stored / _BITS))
    recipe = {**_SHAPE, "facts": facts, "exponent": exponent, "seed": seed}
    more: dict[str, Any] = {"batch": settings.batch}
    if scheme != ORDINARY:
        more["select"] = scheme
    config = run_of(recipe, settings.size, settings.draws / facts, seed, **more)
    series = f"exponent {exponent:g}" + ("" if scheme == ORDINARY else f", {scheme}")
    labels = {"scheme": scheme, "exponent": exponent, "load": load, "series": series}
    return Wanted({**labels, "seed": seed}, run_spec(config))


def best_shares(rows: Sequence[Row], scheme: str, exponent: float) -> np.ndarray:
    """Most facts known over all set sizes, as a share of those that fit; one a seed.

    What fits is the most stored bits of uniform facts, over the bits of a fact.
    """
    shares = []
    for seed in sorted({row["seed"] for row in rows}):
        uniform = chosen(rows, scheme=ORDINARY, exponent=0.0, seed=seed)
        limit = max(row["stored_bits"] for row in uniform) / _BITS
        known = max(
            row["facts_known"] for row in chosen(rows, scheme=scheme, exponent=exponent, seed=seed)
        )
        shares.append(min(known / limit, 1.0))
    return np.array(shares)


def findings(settings: Settings, rows: Sequence[Row]) -> list[Finding]:
    """The gap at the most skew less that at none, and what selection closes of it."""
    most = max(settings.exponents)
    gaps = {exponent: 1 - best_shares(rows, ORDINARY, exponent) for exponent in settings.exponents}
    left = 1 - best_shares(rows, SELECTED, most)
    size = parameters_of(rows)
    closed = 1 - left / np.maximum(gaps[most], 1e-9)
    return [
        Finding(
            f"gap between limit and best, as a share of the limit, at exponent {most:g} less at 0",
            None,
            list(gaps[most] - gaps[0.0]),
            (0.05, 1.0),
            (0.0, 1.0),
            size,
        ),
        Finding(
            f"share of the gap at exponent {most:g} that selection (worth) closes",
            None,
            list(np.clip(closed, -1, 1)),
            (0.5, 1.0),
            (0.1, 1.0),
            size,
            source="this project",
        ),
    ]


CLAIM = Claim(
    title="The gap at the best size widens with skew",
    source="Ye, Feldman and Talwar, PMLR 306",
    settings={
        "tiny": Settings(draws=32_000, exponents=(0.0, 1.0), loads=(0.3, 1.0)),
        "laptop": Settings(),
        "gpu": Settings(size="0.2M", draws=12_000_000, batch=512),
    },
    runs=runs,
    rows=one_row,
    findings=findings,
    panel=Panel("load", "facts_known", "series", ("load", "facts known"), log=True),
    notes=(
        "Facts are counted here, not queries. Of five set sizes the best is taken, that of which "
        "most facts are known. At a high exponent rare facts are met too seldom, whatever the "
        "size of the set. By queries it is the other way round: at exponent 1.5 ordinary training "
        "answers 96 % of what the bound allows, since the frequent facts are known."
    ),
)
