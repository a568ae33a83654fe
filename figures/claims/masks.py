"""Feed-forward masks chosen by the key: does capacity follow all parameters or the active ones?"""

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

MASKED, WHOLE, SMALL, MIXTURE = "masked", "dense, full size", "dense, active size", "mixture"


@dataclass(frozen=True)
class Settings:
    """Which runs are made.

    Attributes:
        width: of models of two blocks.
        hidden: units of a feed-forward layer.
        active: of these, units that a key leaves.
        exposures: of each fact.
        bits_offered: for each parameter of the full model.
    """

    width: Count = 16
    hidden: Count = 256
    active: Count = 64
    exposures: Count = 400
    bits_offered: Positive = 2.5


def _models(settings: Settings) -> dict[str, dict[str, Any]]:
    shape = {"width": settings.width, "depth": 2, "heads": max(1, settings.width // 16)}
    hidden, active = settings.hidden, settings.active
    mixture = {"experts": max(2, hidden // active), "active": 1, "hidden": active}
    return {
        MASKED: {**shape, "feed_forward": "masked", "hidden": hidden, "active": active},
        WHOLE: {**shape, "hidden": hidden},
        SMALL: {**shape, "hidden": active},
        MIXTURE: {**shape, "feed_forward": "experts", **mixture},
    }


def runs(settings: Settings, seeds: Sequence[int], folder: Path) -> list[Wanted]:
    """The masked model, a mixture, and dense models of the full and of the active size."""
    models = _models(settings)
    parameters = TransformerConfig(256, **models[WHOLE]).parameters
    return side_by_side(models, settings.bits_offered, parameters, settings.exposures, seeds)


def rows(settings: Settings, made: Made) -> list[dict[str, Any]]:
    """The row of a run, with bits for each active parameter and each operation of training."""
    model = TransformerConfig(256, **_models(settings)[made.wanted.labels["model"]])
    stored = made.run.measurement.unclipped_stored_bits
    return [
        made.row(
            active_parameters=model.active_parameters,
            bits_per_active_parameter=stored / model.active_parameters,
            bits_per_gigaflop=1e9 * stored / made.run.outcome["ledger"]["flops"],
        )
    ]


def findings(settings: Settings, rows: Sequence[Row]) -> list[Finding]:
    """Where the masked model lies between the dense one of its active size and the full one."""
    bits = {name: column(rows, "stored_bits", model=name) for name in _models(settings)}
    size = parameters_of(rows)
    span = bits[WHOLE] - bits[SMALL]
    named = f"{settings.hidden} units cut to {settings.active}, one mask a fact"
    return [
        Finding(
            f"{MASKED} between the active size (0) and the full size (1), {named}",
            1.0,
            list((bits[MASKED] - bits[SMALL]) / span),
            (0.7, 10.0),
            (0.1, 10.0),
            size,
        ),
        Finding(
            "bits of the masked model over those of a mixture of experts of its sizes",
            None,
            list(bits[MASKED] / bits[MIXTURE]),
            (1.0, 10.0),
            (0.7, 10.0),
            size,
            source="this project",
        ),
    ]


CLAIM = Claim(
    title="A model cut down by the input comes near the full one",
    source="IFPruning 2501.02086",
    settings={
        "tiny": Settings(hidden=64, active=16, exposures=5),
        "laptop": Settings(),
        "gpu": Settings(width=64, hidden=768, active=256, exposures=1000),
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
        "Bits follow all parameters and not the active ones: with a mask a fact the cut model "
        "stores more than the full one at 400 exposures, of which the full one keeps 1.85 bits a "
        "parameter and the cut one 1.97, its predictor counted. Masks are trained from the start "
        "with the rest, in one stage; the source has two."
    ),
)
