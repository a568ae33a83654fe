"""Before facts are learned there is a plateau, whose length grows with their number."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from factcap.figures.claims.claim import (
    Claim,
    Finding,
    Made,
    Panel,
    Row,
    Wanted,
    chosen,
    parameters_of,
    run_of,
)
from factcap.figures.fields import Count, NotNegative, Several, Share, Size
from factcap.models import run_spec
from factcap.synth.errors import require

# 2 value tokens of 64 after a key of 3.
_SHAPE = {"generator": "bitstrings", "vocabulary": 64, "length": 5, "key_length": 3}
_TOKEN_BITS = 6.0
NUMBER, SKEW = "number of facts", "skew"


@dataclass(frozen=True)
class Settings:
    """Which runs are made.

    Attributes:
        size: of the model.
        facts: numbers of facts, drawn equally often.
        steps: of each of these runs.
        batch: facts a step.
        exponents: of the power law of frequency, of the most facts.
        short: share of the steps that the runs of these exponents have.
        optimizer: of all runs.
        fallen: the plateau ends where the loss has fallen by this share.
    """

    size: Size = "29k"
    facts: tuple[Count, ...] = (300, 600, 1200, 2400)
    steps: Several = 10_000
    batch: Count = 16
    exponents: tuple[NotNegative, ...] = (0.0, 0.25, 0.5, 1.0)
    short: Share = 0.4
    optimizer: str = "adamw"
    fallen: Share = 0.05

    def __post_init__(self):
        require(len(self.facts) >= 2, "facts must be two numbers or more, for a power law")
        require(0 in self.exponents, "0 must be one of the exponents: skew is compared with none")


def runs(settings: Settings, seeds: Sequence[int], folder: Path) -> list[Wanted]:
    """A run for each number of facts, and shorter ones for each exponent."""
    points = [(NUMBER, facts, 0.0, settings.steps) for facts in settings.facts]
    short = round(settings.short * settings.steps)
    points += [(SKEW, max(settings.facts), exponent, short) for exponent in settings.exponents]
    wanted = []
    for part, facts, exponent, steps in points:
        for seed in seeds:
            recipe = {**_SHAPE, "facts": facts, "exponent": exponent, "seed": seed}
            exposures = steps * settings.batch / facts
            more = {"batch": settings.batch, "optimizer": settings.optimizer}
            spec = run_spec(run_of(recipe, settings.size, exposures, seed, **more))
            labels = {"part": part, "offered": facts, "exponent": exponent, "seed": seed}
            wanted.append(Wanted(labels, spec))
    return wanted


def plateau_steps(steps: np.ndarray, loss_bits: np.ndarray, fallen: float) -> float:
    """Steps until the loss has fallen by a share, between two means over 100 steps; inf: never.

    >>> round(plateau_steps(np.array([100, 200, 300]), np.array([6.0, 6.0, 5.4]), 0.05), 6)
    200.0
    """
    below = np.flatnonzero(loss_bits < (1 - fallen) * _TOKEN_BITS)
    if len(below) == 0:
        return float("inf")
    first = int(below[0])
    if first == 0:
        return float(steps[0] / 2)
    level, before, after = (1 - fallen) * _TOKEN_BITS, loss_bits[first - 1], loss_bits[first]
    # a mean over 100 steps stands for their middle
    width = float(steps[0])
    return float(steps[first - 1] - width / 2 + width * (before - level) / (before - after))


def rows(settings: Settings, made: Made) -> list[dict[str, Any]]:
    """The row of a run, with the length of its plateau."""
    lines = (made.directory / "metrics.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    steps, loss = (
        np.array([line[name] for line in found], float) for name in ("step", "loss_bits_per_token")
    )
    return [made.row(plateau_steps=plateau_steps(steps, loss, settings.fallen))]


def findings(settings: Settings, rows: Sequence[Row]) -> list[Finding]:
    """The power of the number of facts, and the exponent with which most facts are known."""
    size = parameters_of(rows)
    powers, best = [], []
    for seed in sorted({row["seed"] for row in rows}):
        numbers = chosen(rows, part=NUMBER, seed=seed)
        ended = [row for row in numbers if np.isfinite(row["plateau_steps"])]
        require(len(ended) >= 2, "fewer than two plateaus ended; give more steps")
        powers.append(
            np.polyfit(
                np.log([row["offered"] for row in ended]),
                np.log([row["plateau_steps"] for row in ended]),
                1,
            )[0]
        )
        known = {row["exponent"]: row["facts_known"] for row in chosen(rows, part=SKEW, seed=seed)}
        best.append(max(known, key=lambda exponent: known[exponent]))
    return [
        Finding(
            "power of the number of facts with which the plateau grows",
            0.81,
            [float(power) for power in powers],
            (0.6, 1.05),
            (0.2, 1.5),
            size,
        ),
        Finding(
            "exponent with which most facts are known at the end of a short training",
            None,
            best,
            (0.1, max(settings.exponents) - 0.1),
            (0.05, max(settings.exponents)),
            size,
        ),
    ]


CLAIM = Claim(
    title="The plateau grows with the number of facts, and skew shortens it",
    source="Zucchet et al. 2503.21676",
    settings={
        "tiny": Settings(size="8k", facts=(50, 100), steps=1500, exponents=(0.0, 1.0)),
        "laptop": Settings(),
        "gpu": Settings(
            size="0.2M", facts=(1000, 2000, 4000, 8000, 16_000), steps=30_000, batch=256
        ),
    },
    runs=runs,
    rows=rows,
    findings=findings,
    panel=Panel(
        "offered",
        "plateau_steps",
        "exponent",
        ("facts", "steps of the plateau"),
        log=True,
        log_y=True,
    ),
    notes=(
        "The plateau is taken to end where the loss has fallen by 5 %. All runs have as many "
        "steps, AdamW and batch 16. The power is no single one here: it is 1.0 from 300 to 600 "
        "facts and 2.7 from 1,200 to 2,400. A warm-up on a subset is not measured, nor what skew "
        "does to the plateau: of skewed facts the loss falls as soon as a few are known."
    ),
)
