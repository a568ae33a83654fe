"""Gated feed-forward layers store less at few exposures, and as much at many."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
from factcap.figures.fields import Count, Positive
from factcap.models import TransformerConfig, run_spec

FORMS = ("gelu", "gated")


@dataclass(frozen=True)
class Settings:
    """Which runs are made.

    Attributes:
        width: of models of two blocks.
        exposures: of each fact.
        bits_offered: for each parameter.
        optimizers: for each form.
    """

    width: Count = 16
    exposures: tuple[Count, ...] = (100, 1000)
    bits_offered: Positive = 3.0
    optimizers: tuple[str, ...] = ("adamw", "muon")


def runs(settings: Settings, seeds: Sequence[int], folder: Path) -> list[Wanted]:
    """A run for each form, optimizer and number of exposures, on the same facts."""
    shape: dict[str, Any] = {
        "width": settings.width,
        "depth": 2,
        "heads": max(1, settings.width // 16),
    }
    parameters = TransformerConfig(256, **shape).parameters
    wanted = []
    for seed in seeds:
        facts = bitstrings_recipe(settings.bits_offered, parameters, seed)
        for form in FORMS:
            for optimizer in settings.optimizers:
                for exposures in settings.exposures:
                    model = {**shape, "feed_forward": form}
                    config = run_of(facts, model, exposures, seed, optimizer=optimizer)
                    labels = {"form": form, "optimizer": optimizer, "exposures": exposures}
                    series = {"series": f"{form}, {optimizer}", "seed": seed}
                    wanted.append(Wanted(labels | series, run_spec(config)))
    return wanted


def findings(settings: Settings, rows: Sequence[Row]) -> list[Finding]:
    """Bits of the usual form over those of the gated one."""
    published = {100: (1.3, (1.1, 1.5), (1.0, 2.0)), 1000: (1.0, (0.92, 1.08), (0.8, 1.25))}
    found = []
    for optimizer in settings.optimizers:
        for exposures in settings.exposures:
            if exposures in published:
                number, holds, in_part = published[exposures]
                which = {"optimizer": optimizer, "exposures": exposures}
                usual, gated = (
                    column(rows, "bits_per_parameter", form=form, **which) for form in FORMS
                )
                claim = f"bits of gelu over gated, {exposures:,} exposures, {optimizer}"
                found.append(
                    Finding(claim, number, list(usual / gated), holds, in_part, parameters_of(rows))
                )
    return found


CLAIM = Claim(
    title="Gated feed-forward layers store less at few exposures",
    source="Allen-Zhu and Li 2404.05405",
    settings={
        "tiny": Settings(exposures=(100,), optimizers=("muon",), bits_offered=0.1),
        "laptop": Settings(),
        "gpu": Settings(width=64),
    },
    runs=runs,
    rows=one_row,
    findings=findings,
    panel=Panel(
        "exposures", "bits_per_parameter", "series", ("exposures", "bits a parameter"), log=True
    ),
    notes=(
        "All forms have the learning rate that was tuned for GELU, 0.32 / width. At these "
        "sizes the gated layer stores more at few exposures, with AdamW as with Muon, and "
        "both store the same at 1,000. Other rates do not change it: of half, once, twice and four "
        "times the default, each form at the best for it, GELU over gated is 0.73 with AdamW and "
        "0.91 with Muon, in one seed at 100 exposures."
    ),
)
