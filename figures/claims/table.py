"""The claims there are, their presets, and the rows of the table of findings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from factcap.figures.claims import exposures, quantization, skew, two_bits
from factcap.figures.claims.claim import Claim, Finding
from factcap.figures.fields import Seeds, one_of

# In the order of the page.
CLAIMS: Mapping[str, Claim] = {
    "two_bits": two_bits.CLAIM,
    "exposures": exposures.CLAIM,
    "quantization": quantization.CLAIM,
    "skew": skew.CLAIM,
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
    exposures: exposures.Settings
    quantization: quantization.Settings
    skew: skew.Settings


def _plan(preset: str, seeds: tuple[int, ...]) -> Plan:
    settings: dict[str, Any] = {name: claim.settings[preset] for name, claim in CLAIMS.items()}
    return Plan(tuple(CLAIMS), seeds, **settings)


PRESETS = {
    "tiny": replace(_plan("tiny", (0, 1)), claims=("exposures", "quantization")),
    "laptop": _plan("laptop", (0, 1, 2)),
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
