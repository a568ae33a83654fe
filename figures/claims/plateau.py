"""Before facts are learned there is a plateau, whose length grows with their number."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from factcap.figures.claims.claim import (
    Claim,
    Finding,
    Made,
    Panel,
    Row,
    Wanted,
    chosen,
    column,
    parameters_of,
    run_of,
)
from factcap.figures.fields import Count, NotNegative, ProperShare, Several, Share, Size, must
from factcap.models import TrainConfig, run_spec
from factcap.synth.errors import require

# 2 value tokens of 64 after a key of 3.
_SHAPE = {"generator": "bitstrings", "vocabulary": 64, "length": 5, "key_length": 3}
_TOKEN_BITS = 6.0
NUMBER, SKEW = "number of facts", "skew"
# Some of the facts first, and then all of them.
SUBSET, AFTER_SUBSET = "a subset alone", "after a subset"
# Of the learning rate, as a run without a parent has it.
_USUAL = TrainConfig()


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
        subset: share of the most facts that a warm-up has.
        subset_steps: share of the steps that it takes.
        optimizer: of all runs.
        fallen: the plateau ends where the loss has fallen by this share.
    """

    size: Size = "29k"
    facts: tuple[Count, ...] = (300, 600, 1200, 2400)
    steps: Several = 10_000
    batch: Count = 16
    exponents: tuple[NotNegative, ...] = (0.0, 0.25, 0.5, 1.0)
    short: Share = 0.4
    subset: ProperShare = 0.25
    subset_steps: Annotated[float, must("in [0.1, 0.35]", lambda x: 0.1 <= x <= 0.35)] = 0.2
    optimizer: str = "adamw"
    fallen: Share = 0.05

    def __post_init__(self):
        require(len(self.facts) >= 2, "facts must be two numbers or more, for a power law")
        require(0 in self.exponents, "0 must be one of the exponents: skew is compared with none")


def runs(settings: Settings, seeds: Sequence[int], folder: Path) -> list[Wanted]:
    """A run for each number of facts, shorter ones for each exponent, and one with a warm-up."""
    wanted = []
    for of_all_seeds in zip(*(_configs(settings, seed) for seed in seeds), strict=True):
        for part, config in of_all_seeds:
            facts = config["facts"]
            offered, exponent = facts["facts"], facts["exponent"]
            series = f"{part}, exponent {exponent:g}" if part == SKEW else part
            labels = {"part": part, "offered": offered, "exponent": exponent, "series": series}
            wanted.append(Wanted({**labels, "seed": config["seed"]}, run_spec(config)))
    return wanted


def _configs(settings: Settings, seed: int) -> list[tuple[str, dict[str, Any]]]:
    """The runs of a seed, with what each is for."""
    most, short = max(settings.facts), round(settings.short * settings.steps)
    points = [(NUMBER, (facts, 0.0, settings.steps)) for facts in settings.facts]
    points += [(SKEW, (most, exponent, short)) for exponent in settings.exponents]
    return [
        *((part, _config(settings, *numbers, seed)) for part, numbers in points),
        *_with_warm_up(settings, seed),
    ]


def _config(
    settings: Settings, facts: int, exponent: float, steps: float, seed: int, **more: Any
) -> dict[str, Any]:
    recipe = {**_SHAPE, "facts": facts, "exponent": exponent, "seed": seed}
    usual = {"batch": settings.batch, "optimizer": settings.optimizer}
    exposures = steps * settings.batch / facts
    return run_of(recipe, settings.size, exposures, seed, **usual, **more)


def _with_warm_up(settings: Settings, seed: int) -> list[tuple[str, dict[str, Any]]]:
    """A run on a subset and one on all facts that goes on from it, with as many steps in all.

    Their learning rate is that of one run of all steps. Sets of one seed are nested.
    """
    share, most = settings.subset_steps, max(settings.facts)
    few = max(1, round(settings.subset * most))
    before = round(share * settings.steps)
    rate = {"warmup": _USUAL.warmup / share, "decay": 0.0}
    first = _config(settings, few, 0.0, before, seed, **rate)
    rate = {"decay": _USUAL.decay / (1 - share)}
    then = _config(settings, most, 0.0, settings.steps - before, seed, **rate, parent=first)
    return [(SUBSET, first), (AFTER_SUBSET, then)]


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
    """The row of a run, with the length of its plateau, the steps on a subset counted."""
    lines = (made.directory / "metrics.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    steps, loss = (
        np.array([line[name] for line in found], float) for name in ("step", "loss_bits_per_token")
    )
    before = made.run.outcome.get("parent", {"steps": 0})["steps"]
    return [made.row(plateau_steps=before + plateau_steps(steps, loss, settings.fallen))]


def findings(settings: Settings, rows: Sequence[Row]) -> list[Finding]:
    """The power of the number of facts, the best exponent, and what a warm-up changes.

    Where no fact is known without a warm-up, those known with one are compared with 1 fact.

    Raises:
        BadInput: if too few plateaus ended.
    """
    size = parameters_of(rows)
    warmed = {"part": AFTER_SUBSET}
    cold = {"part": NUMBER, "offered": max(settings.facts)}
    ends, ends_cold = (column(rows, "plateau_steps", **part) for part in (warmed, cold))
    require(
        bool(np.isfinite([ends, ends_cold]).all()),
        "the plateau of the most facts must end with a warm-up and without; give more steps",
    )
    shorter = list(ends / ends_cold)
    known, known_cold = (column(rows, "facts_known", **part) for part in (warmed, cold))
    gained = list(known / np.maximum(known_cold, 1))
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
        skewed = {row["exponent"]: row["facts_known"] for row in chosen(rows, part=SKEW, seed=seed)}
        best.append(max(skewed, key=lambda exponent: skewed[exponent]))
    warm_up = f"with a warm-up on {settings.subset:.0%} of the facts over without"
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
        Finding(
            f"steps of the plateau {warm_up}",
            None,
            shorter,
            (0.0, 0.9),
            (0.0, 1.0),
            size,
        ),
        Finding(
            f"facts known at the end {warm_up}",
            None,
            gained,
            (1.1, 1e9),
            (1.0, 1e9),
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
        "series",
        ("facts", "steps of the plateau"),
        log=True,
        log_y=True,
    ),
    notes=(
        "The plateau is taken to end where the loss has fallen by 5 %. All runs have as many "
        "steps, AdamW and batch 16. The power is no single one here: it is 1.0 from 300 to 600 "
        "facts and 2.7 from 1,200 to 2,400. The warm-up has the first fifth of the steps, at the "
        "same learning rate. Without it 6 % of the 2,400 facts are known at the end, so that "
        "there is much to gain. What skew does to the plateau is not measured: of skewed facts "
        "the loss falls as soon as a few are known."
    ),
)
