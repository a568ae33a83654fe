"""Mixtures of experts store nearly as much as all their parameters, though few are active."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from factcap.figures.claims.claim import (
    Claim,
    Finding,
    Made,
    Panel,
    Row,
    Wanted,
    column,
    parameters_of,
    side_by_side,
)
from factcap.figures.fields import Count, Positive
from factcap.models import TransformerConfig

WHOLE, SMALL = "dense, as large", "dense, of the active size"


@dataclass(frozen=True)
class Settings:
    """Which runs are made.

    Attributes:
        width: of models of two blocks.
        experts: of each layer.
        hidden: units of an expert.
        active: experts that a token goes through, in different models.
        exposures: of each fact.
        bits_offered: for each parameter of the mixture.
    """

    width: Count = 16
    experts: Count = 32
    hidden: Count = 16
    active: tuple[Count, ...] = (1, 2)
    exposures: Count = 200
    bits_offered: Positive = 2.0


def _models(settings: Settings) -> dict[str, dict[str, Any]]:
    shape = {"width": settings.width, "depth": 2, "heads": max(1, settings.width // 16)}
    mixtures = {
        f"top-{active} of {settings.experts}": {
            **shape,
            "feed_forward": "experts",
            "experts": settings.experts,
            "hidden": settings.hidden,
            "active": active,
        }
        for active in settings.active
    }
    return {
        **mixtures,
        WHOLE: {**shape, "hidden": settings.experts * settings.hidden},
        SMALL: {**shape, "hidden": settings.active[0] * settings.hidden},
    }


def runs(settings: Settings, seeds: Sequence[int], folder: Path) -> list[Wanted]:
    """Mixtures, a dense model of all their parameters, and one of the active ones."""
    models = _models(settings)
    parameters = TransformerConfig(256, **models[WHOLE]).parameters
    return side_by_side(models, settings.bits_offered, parameters, settings.exposures, seeds)


def rows(settings: Settings, made: Made) -> list[dict[str, Any]]:
    """The row of a run, with bits for each active parameter."""
    active = TransformerConfig(256, **_models(settings)[made.wanted.labels["model"]])
    stored = made.run.measurement.unclipped_stored_bits
    return [
        made.row(
            active_parameters=active.active_parameters,
            bits_per_active_parameter=stored / active.active_parameters,
        )
    ]


def findings(settings: Settings, rows: Sequence[Row]) -> list[Finding]:
    """Bits of the dense model of the same size over those of each mixture, and what is active."""
    whole = column(rows, "stored_bits", model=WHOLE)
    found = []
    for active in settings.active:
        name = f"top-{active} of {settings.experts}"
        mixture = column(rows, "stored_bits", model=name)
        share = column(rows, "parameters", model=name) / column(
            rows, "active_parameters", model=name
        )
        found.append(
            Finding(
                f"bits of a dense model over a mixture {name} as large, "
                f"{share[0]:.1f} times fewer active",
                1.3,
                list(whole / mixture),
                (0.0, 1.5),
                (0.0, 2.5),
                parameters_of(rows),
            )
        )
    return found


CLAIM = Claim(
    title="Mixtures of experts store nearly as much as all their parameters",
    source="Allen-Zhu and Li 2404.05405",
    settings={
        "tiny": Settings(experts=4, active=(1,), exposures=5),
        "laptop": Settings(),
        "gpu": Settings(width=64, hidden=64, exposures=1000),
    },
    runs=runs,
    rows=rows,
    findings=findings,
    panel=Panel(
        "active_parameters",
        "stored_bits",
        "model",
        ("active parameters", "bits stored"),
        log=True,
    ),
    notes=(
        "Here a mixture stores more than a dense model as large, whose 512 units lie beside a "
        "stream of 16: at 200 exposures, with Muon, all at one learning rate."
    ),
)
