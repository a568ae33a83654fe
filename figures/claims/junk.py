"""Junk in the mixture: what it costs facts that are rare, and a domain token in front of them."""

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
    column,
    parameters_of,
    run_of,
)
from factcap.figures.claims.facts import distinct_rows, facts_file, token_facts
from factcap.figures.fields import Count, Positive, ProperShare, Size
from factcap.models import named_size, run_spec
from factcap.synth import FactSet

ALONE, MIXED, MARKED = "no junk", "junk", "junk, domain token"
# 3 value tokens of 256 after a key of 4; the token after them marks the domain.
_TOKENS, _KEY, _VALUE = 256, 4, 3
_BITS = 8 * _VALUE


@dataclass(frozen=True)
class Settings:
    """Which runs are made.

    Attributes:
        size: of the model.
        exposures: of a useful fact.
        bits_offered: of useful facts, for each parameter.
        junk: share of the draws that junk has; each piece of it is met once.
        optimizer: of all runs.
    """

    size: Size = "8k"
    exposures: tuple[Count, ...] = (100,)
    bits_offered: Positive = 1.5
    junk: ProperShare = 7 / 8
    optimizer: str = "adamw"


def _facts(settings: Settings, form: str, exposures: int, seed: int) -> FactSet:
    parameters = named_size(settings.size, _TOKENS + 1).parameters
    useful = max(1, round(settings.bits_offered * parameters / _BITS))
    junk = 0
    if form != ALONE:
        junk = round(useful * exposures * settings.junk / (1 - settings.junk))
    rng = np.random.default_rng([seed, exposures])
    keys = distinct_rows(useful + junk, _KEY, _TOKENS, rng)
    values = rng.integers(_TOKENS, size=(useful + junk, _VALUE))
    marked = keys[:useful]
    if form == MARKED:
        marked = np.hstack([np.full((useful, 1), _TOKENS), marked])
    return token_facts(
        [marked, keys[useful:]],
        [values[:useful], values[useful:]],
        [2.0**_BITS] * 2,
        np.repeat([float(exposures), 1.0], [useful, junk]),
        _TOKENS + 1,
        claim="junk",
        form=form,
        useful=useful,
        junk=junk,
        exposures=exposures,
        seed=seed,
    )


def runs(settings: Settings, seeds: Sequence[int], folder: Path) -> list[Wanted]:
    """For each number of exposures the useful facts alone, among junk, and marked among junk."""
    wanted = []
    for exposures in settings.exposures:
        for form in (ALONE, MIXED, MARKED):
            for seed in seeds:
                facts = _facts(settings, form, exposures, seed)
                useful = int((facts.frequency == facts.frequency.max()).sum())
                share = 1.0 if form == ALONE else 1 - settings.junk
                config = run_of(
                    facts_file(folder, facts),
                    settings.size,
                    exposures * useful / share / len(facts),
                    seed,
                    optimizer=settings.optimizer,
                )
                labels = {"form": form, "useful_exposures": exposures, "seed": seed}
                wanted.append(Wanted(labels, run_spec(config)))
    return wanted


def rows(settings: Settings, made: Made) -> list[dict[str, Any]]:
    """The row of a run, with what is stored of the useful facts."""
    found = made.run.measurement
    useful = found.frequency > 0.5 * found.frequency.max()
    stored = float((found.entropy_bits - found.nll_bits)[useful].sum())
    return [
        made.row(
            useful_facts=int(useful.sum()),
            useful_known=int(found.recall[useful].sum()),
            useful_bits_per_parameter=stored / found.parameters,
        )
    ]


def findings(settings: Settings, rows: Sequence[Row]) -> list[Finding]:
    """What junk costs at the fewest exposures, and what is left of it with a domain token."""
    few, size = min(settings.exposures), parameters_of(rows)

    def bits(form: str, exposures: int) -> np.ndarray:
        name = "useful_bits_per_parameter"
        return np.maximum(column(rows, name, form=form, useful_exposures=exposures), 1e-3)

    found = [
        Finding(
            f"useful bits without junk over with 7/8 junk, {few} exposures",
            20.0,
            list(bits(ALONE, few) / bits(MIXED, few)),
            (10.0, 1e9),
            (1.5, 1e9),
            size,
        )
    ]
    found += [
        Finding(
            f"useful bits among junk over without, domain token, {exposures} exposures",
            1.0,
            list(bits(MARKED, exposures) / bits(ALONE, exposures)),
            (0.8, 1.2),
            (0.3, 1.5),
            size,
        )
        for exposures in settings.exposures
    ]
    return found


CLAIM = Claim(
    title="Junk takes the room of rare facts, and a domain token restores it",
    source="Allen-Zhu and Li 2404.05405",
    settings={
        "tiny": Settings(exposures=(4,)),
        "laptop": Settings(),
        "gpu": Settings(size="0.1M", exposures=(100, 300)),
    },
    runs=runs,
    rows=rows,
    findings=findings,
    panel=Panel(
        "useful_exposures",
        "useful_bits_per_parameter",
        "form",
        ("exposures of a useful fact", "useful bits a parameter"),
        log=True,
    ),
    notes=(
        "AdamW at its default rate, and junk of which no piece comes twice. The domain token "
        "multiplies the useful bits by 3 to 20, and leaves them far below those without junk. "
        "With Muon, in one seed, there are 54 times fewer useful bits with junk, and with the "
        "token nearly half (0.46) of those without junk. "
        "The preset `gpu` has 300 exposures too."
    ),
)
