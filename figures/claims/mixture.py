"""Facts mixed into other text are not learned at all below a threshold of their share."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from factcap.capacity import Background, threshold_ratio
from factcap.figures.claims.claim import (
    Claim,
    Finding,
    Made,
    Panel,
    Row,
    Wanted,
    chosen,
    run_of,
)
from factcap.figures.claims.facts import distinct_rows, facts_file, token_facts
from factcap.figures.fields import Count, Positive, ProperShare
from factcap.models import run_spec
from factcap.synth import FactSet, power_law
from factcap.synth.errors import require

# 3 value tokens of 128 after a key of 4.
_VOCABULARY, _KEY, _VALUE = 128, 4, 3
_BITS = 7.0 * _VALUE
ALONE, MIXED = "background alone", "mixed"


@dataclass(frozen=True)
class Settings:
    """Which runs are made.

    Attributes:
        width: of the model of two blocks that learns the mixtures.
        widths: of models that learn the background alone, from which its loss curve is fitted.
        facts: that are mixed in, all equally often.
        background: pieces of other text, whose frequency is a power law.
        exponent: of this law.
        ratios: shares of the draws that the facts have.
        draws: of all runs.
        bits_per_parameter: that models store in these draws, about: the capacity in the prediction.
        batch: facts a step.
    """

    width: Count = 16
    widths: tuple[Count, ...] = (8, 16, 24)
    facts: Count = 100
    background: Count = 20_000
    exponent: Positive = 1.0
    ratios: tuple[ProperShare, ...] = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
    draws: Count = 1_000_000
    bits_per_parameter: Positive = 2.3
    batch: Count = 128

    def __post_init__(self):
        require(len(self.widths) >= 2, "widths must be two or more, for a loss curve")
        require(tuple(sorted(self.ratios)) == self.ratios, "ratios must be given from low to high")


def _model(width: int) -> dict[str, Any]:
    return {"width": width, "depth": 2, "heads": max(1, width // 16)}


def _facts(settings: Settings, ratio: float, seed: int) -> FactSet:
    mixed = settings.facts if ratio else 0
    rng = np.random.default_rng(seed)
    count = settings.facts + settings.background
    keys = distinct_rows(count, _KEY, _VOCABULARY, rng)[settings.facts - mixed :]
    values = rng.integers(_VOCABULARY, size=(count, _VALUE))[settings.facts - mixed :]
    rest = (1 - ratio) * power_law(settings.background, settings.exponent)
    return token_facts(
        [keys[:mixed], keys[mixed:]],
        [values[:mixed], values[mixed:]],
        [2.0**_BITS] * 2,
        np.concatenate([np.full(mixed, ratio / settings.facts), rest]),
        _VOCABULARY,
        claim="mixture",
        facts=mixed,
        background=settings.background,
        exponent=settings.exponent,
        ratio=ratio,
        seed=seed,
    )


def runs(settings: Settings, seeds: Sequence[int], folder: Path) -> list[Wanted]:
    """A run for each ratio, and the background alone for each width."""
    points = [(ALONE, width, 0.0) for width in settings.widths]
    points += [(MIXED, settings.width, ratio) for ratio in settings.ratios]
    wanted = []
    for part, width, ratio in points:
        for seed in seeds:
            facts = _facts(settings, ratio, seed)
            path, exposures = facts_file(folder, facts), settings.draws / len(facts)
            config = run_of(path, _model(width), exposures, seed, batch=settings.batch)
            labels = {"part": part, "width": width, "ratio": ratio, "seed": seed}
            wanted.append(Wanted(labels, run_spec(config)))
    return wanted


def rows(settings: Settings, made: Made) -> list[dict[str, Any]]:
    """The row of a run: the share of the facts that is known, and the loss of the background."""
    found = made.run.measurement
    mixed = settings.facts if made.wanted.labels["ratio"] else 0
    weight = found.frequency[mixed:] / found.frequency[mixed:].sum()
    stored = (found.entropy_bits - found.nll_bits)[:mixed].sum()
    return [
        made.row(
            share_known=float(found.recall[:mixed].mean()) if mixed else 0.0,
            share_stored=float(stored / (mixed * _BITS)) if mixed else 0.0,
            background_bits=float(weight @ found.nll_bits[mixed:]),
        )
    ]


def fitted_background(rows: Sequence[Row], bits_per_parameter: float) -> Background:
    """L = A m^-a through the losses of the background alone, m the capacity of each model.

    Args:
        rows: of models that learned the background alone.
        bits_per_parameter: of capacity.
    """
    bits = np.log([bits_per_parameter * row["parameters"] for row in rows])
    loss = np.log([row["background_bits"] for row in rows])
    slope, start = np.polyfit(bits, loss, 1)
    return Background(scale=float(np.exp(start)), power=float(max(-slope, 1e-3)))


def threshold(ratios: Sequence[float], known: Sequence[float]) -> float:
    """The ratio at which half of the facts are known, between two in logarithms; or an end.

    >>> round(threshold([0.01, 0.1], [0.0, 1.0]), 4)
    0.0316
    """
    over = [place for place, share in enumerate(known) if share >= 0.5]
    if not over:
        return float(ratios[-1])
    last = over[0]
    if last == 0:
        return float(ratios[0])
    below, above = known[last - 1], known[last]
    part = (0.5 - below) / (above - below)
    low, high = np.log(ratios[last - 1]), np.log(ratios[last])
    return float(np.exp(low + part * (high - low)))


def findings(settings: Settings, rows: Sequence[Row]) -> list[Finding]:
    """The measured threshold over the predicted one, and what is stored well below it."""
    measured, lowest = [], []
    for seed in sorted({row["seed"] for row in rows}):
        alone = chosen(rows, part=ALONE, seed=seed)
        background = fitted_background(alone, settings.bits_per_parameter)
        mixed = [chosen(rows, part=MIXED, ratio=ratio, seed=seed)[0] for ratio in settings.ratios]
        capacity = settings.bits_per_parameter * mixed[0]["parameters"]
        predicted = threshold_ratio(capacity, 1 / settings.facts, background)
        found = threshold(settings.ratios, [row["share_known"] for row in mixed])
        measured.append(found / predicted)
        lowest.append(mixed[0]["share_known"])
    size = max(row["parameters"] for row in rows if row["part"] == MIXED)
    return [
        Finding(
            "ratio at which half of the facts are known over the threshold predicted",
            1.0,
            measured,
            (0.5, 2.0),
            (0.2, 5.0),
            size,
        ),
        Finding(
            f"share of the facts known at a ratio of {settings.ratios[0]:g}",
            0.0,
            lowest,
            (0.0, 0.02),
            (0.0, 0.2),
            size,
        ),
    ]


CLAIM = Claim(
    title="Below a ratio in the mixture facts are not learned at all",
    source="Gu et al. 2505.18091",
    settings={
        "tiny": Settings(widths=(8, 16), background=2000, ratios=(0.01, 0.3), draws=64_000),
        "laptop": Settings(),
        "gpu": Settings(
            width=64, widths=(16, 32, 64, 96), facts=1000, background=300_000, draws=30_000_000
        ),
    },
    runs=runs,
    rows=rows,
    findings=findings,
    panel=Panel("ratio", "share_known", "part", ("share of the draws", "share of the facts known")),
    notes=(
        "Of 100 facts next to none are known at a ratio of 0.01 or less, nine in ten at 0.1: there "
        "is a threshold. It lies higher than the capacity alone foretells. In 1,000,000 draws a "
        "fact at the predicted ratio is met 100 times, which may be too few to learn it beside the "
        "rest."
    ),
)
