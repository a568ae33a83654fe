"""The claims there are, their presets, and the rows of the table of findings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from factcap.figures.claims import (
    augmentation,
    experts,
    exposures,
    gated,
    junk,
    masks,
    mixture,
    plateau,
    quantization,
    random_sequences,
    skew,
    two_bits,
)
from factcap.figures.claims.claim import Claim, Finding
from factcap.figures.fields import Seeds, one_of

# In the order of the page.
CLAIMS: Mapping[str, Claim] = {
    "two_bits": two_bits.CLAIM,
    "random_sequences": random_sequences.CLAIM,
    "quantization": quantization.CLAIM,
    "gated": gated.CLAIM,
    "experts": experts.CLAIM,
    "masks": masks.CLAIM,
    "junk": junk.CLAIM,
    "mixture": mixture.CLAIM,
    "plateau": plateau.CLAIM,
    "exposures": exposures.CLAIM,
    "skew": skew.CLAIM,
    "augmentation": augmentation.CLAIM,
}

Name = Annotated[str, one_of(CLAIMS)]


@dataclass(frozen=True)
class Plan:
    """Which claims are measured, and how.

    Attributes:
        claims: their names.
        seeds: of facts, parameters and draws.
        two_bits: settings of this claim; and so on.
    """

    claims: tuple[Name, ...]
    seeds: Seeds
    two_bits: two_bits.Settings
    random_sequences: random_sequences.Settings
    quantization: quantization.Settings
    gated: gated.Settings
    experts: experts.Settings
    masks: masks.Settings
    junk: junk.Settings
    mixture: mixture.Settings
    plateau: plateau.Settings
    exposures: exposures.Settings
    skew: skew.Settings
    augmentation: augmentation.Settings


def _plan(preset: str, seeds: tuple[int, ...]) -> Plan:
    settings: dict[str, Any] = {name: claim.settings[preset] for name, claim in CLAIMS.items()}
    return Plan(tuple(CLAIMS), seeds, **settings)


_LAPTOP = _plan("laptop", (0, 1, 2))

PRESETS = {
    "tiny": replace(_plan("tiny", (0, 1)), claims=("exposures", "quantization")),
    "laptop": _LAPTOP,
    "overnight": replace(_LAPTOP, random_sequences=random_sequences.CLAIM.settings["overnight"]),
    "gpu": _plan("gpu", (0, 1, 2, 3, 4)),
}


def table_rows(
    claim: Claim, findings: Sequence[Finding], seeds: Sequence[int], command: str
) -> list[dict[str, Any]]:
    """The rows of the table of findings: see `factcap.figures.claims.page.COLUMNS`."""
    rows = []
    for finding in findings:
        measured, low, high = finding.measured()
        published = "" if finding.published is None else f"{finding.published:.3g}"
        rows.append(
            {
                "claim": finding.claim,
                "source": finding.source or claim.source,
                "published": published,
                "measured": f"{measured:.3g}",
                "low": f"{low:.3g}",
                "high": f"{high:.3g}",
                "seeds": len(seeds),
                "parameters": finding.parameters,
                "verdict": finding.verdict(),
                "command": command,
            }
        )
    return rows
