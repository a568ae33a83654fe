"""Int8 costs nothing, int4 two thirds: trained models with their weights rounded."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from factcap.figures.claims.claim import (
    Claim,
    Finding,
    Made,
    Panel,
    Row,
    Wanted,
    bitstrings_recipe,
    column,
    parameters_of,
    run_of,
)
from factcap.figures.fields import Count, Positive, must
from factcap.models import TransformerConfig, run_spec
from factcap.models.runs.rounded import measure_rounded

Bits = Annotated[int, must("2 to 16", lambda bits: 2 <= bits <= 16)]
AFTER, WITHIN = "rounded afterwards", "rounded in training"


@dataclass(frozen=True)
class Settings:
    """Which runs are made.

    Attributes:
        width: of models of two blocks.
        exposures: of each fact.
        bits_offered: for each parameter.
        bits: to which weights are rounded.
    """

    width: Count = 16
    exposures: Count = 400
    bits_offered: Positive = 3.0
    bits: tuple[Bits, ...] = (2, 3, 4, 5, 6, 8)


def _model(settings: Settings, **more: Any) -> dict[str, Any]:
    return {"width": settings.width, "depth": 2, "heads": max(1, settings.width // 16), **more}


def runs(settings: Settings, seeds: Sequence[int], folder: Path) -> list[Wanted]:
    """A run that is not rounded, and one a number of bits that is, in training."""
    parameters = TransformerConfig(256, **_model(settings)).parameters
    wanted = []
    for seed in seeds:
        facts = bitstrings_recipe(settings.bits_offered, parameters, seed)
        for bits in (0, *settings.bits):
            model = _model(settings, **({"weight_bits": bits} if bits else {}))
            spec = run_spec(run_of(facts, model, settings.exposures, seed))
            wanted.append(Wanted({"trained_bits": bits, "seed": seed}, spec))
    return wanted


def rows(settings: Settings, made: Made) -> list[dict[str, Any]]:
    """What the model knows with its weights as they were trained, or rounded to each number."""
    trained = made.wanted.labels["trained_bits"]
    job = made.wanted.spec.job(made.directory)
    rows = []
    for bits in (trained,) if trained else (0, *settings.bits):
        found = measure_rounded(job, bits)
        stored = found.measurement.unclipped_stored_bits
        usual = made.row(
            bits=bits or 32,
            how=WITHIN if trained else AFTER,
            weight_bits=found.weight_bits,
            bits_per_weight_bit=stored / found.weight_bits,
        )
        told = {"stored_bits": stored, "facts_known": found.measurement.facts_known}
        per_parameter = stored / found.measurement.parameters
        rows.append({**usual, **told, "bits_per_parameter": per_parameter})
    return rows


def findings(settings: Settings, rows: Sequence[Row]) -> list[Finding]:
    """What is left at each number of bits, of what is stored without rounding."""
    whole = column(rows, "bits_per_parameter", bits=32)
    size = parameters_of(rows)
    found = []

    def add(claim: str, values: Any, published: float, holds: Any, in_part: Any) -> None:
        found.append(Finding(claim, published, list(values), holds, in_part, size))

    for bits, share, holds, in_part in (
        (8, 1.0, (0.98, 1.02), (0.9, 1.1)),
        (4, 0.35, (0.25, 0.45), (0.1, 0.7)),
    ):
        if bits in settings.bits:
            after = column(rows, "bits_per_parameter", bits=bits, how=AFTER) / whole
            add(f"share of the bits that int{bits} leaves, {AFTER}", after, share, holds, in_part)
    if 4 in settings.bits:
        within = column(rows, "bits_per_parameter", bits=4, how=WITHIN) / whole
        add(f"share of the bits that int4 leaves, {WITHIN}", within, 0.35, (0.25, 0.45), (0.1, 0.7))
    best = max(
        (column(rows, "bits_per_weight_bit", bits=bits, how=WITHIN) for bits in settings.bits),
        key=lambda each: each.mean(),
    )
    add("most bits that a bit of weight stores, hard limit 1", best, 1.0, (0.0, 1.0), (0.0, 1.0))
    return found


CLAIM = Claim(
    title="Quantization: int8 costs nothing, int4 leaves 0.7 of 2 bits",
    source="Allen-Zhu and Li 2404.05405",
    settings={
        "tiny": Settings(exposures=20, bits=(3, 8)),
        "laptop": Settings(),
        "gpu": Settings(width=64, exposures=1000),
    },
    runs=runs,
    rows=rows,
    findings=findings,
    panel=Panel(
        "bits",
        "bits_per_parameter",
        "how",
        ("bits of a weight", "bits a parameter"),
        log=True,
        floor=0.0,
    ),
    notes=(
        "Steps of a channel follow its largest weight. Below 0 the rounded model is worse than a "
        "guess. In one seed steps of the least squared error leave 3 % of the bits with int4, "
        "where those of the largest weight leave -9 %, and 72 % in place of 68 % with int5. The "
        "models are full, which may be why rounding costs them more than it costs the large ones "
        "of the source."
    ),
)
