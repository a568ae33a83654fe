"""`factcap generate domains`: facts of several domains, some of which all of them ask for."""

from dataclasses import dataclass
from pathlib import Path

from factcap.commands.terminal import Count, write_facts


@dataclass(frozen=True)
class Domains:
    """Facts of several domains: private ones, and shared ones that every domain asks for.

    The file has all facts, as often as they are drawn from the mixture; with --domain, as often as
    that domain asks for them: those of the others have frequency 0, and are only measured.
    """

    private: Count
    """Facts of each domain alone."""
    out: Path
    """The Parquet file to write."""
    shared: int = 0
    """Facts that every domain asks for."""
    domains: Count = 2
    """How many domains."""
    exponent: float = 0.0
    """Within a domain, frequency of the fact of rank i is proportional to i^-exponent."""
    vocabulary: Count = 64
    """Number of token ids."""
    value_length: int = 3
    """Tokens of a value that are the fact's own: its entropy."""
    rule_places: int = 0
    """Tokens of a value that follow a rule which all domains have in common."""
    domain: int | None = None
    """The domain that draws, from 0; the mixture unless given."""
    replay: float = 0.0
    """With --domain: share of the draws that come from the mixture."""
    seed: int = 0
    """Of keys, values and rule."""
    json: bool = False
    """Print JSON."""

    def run(self) -> None:
        """Write the file."""
        from factcap.synth import domains
        from factcap.synth.errors import require

        require(self.replay == 0 or self.domain is not None, "--replay needs --domain")
        made = domains(
            self.private,
            self.shared,
            count=self.domains,
            exponent=self.exponent,
            vocabulary=self.vocabulary,
            value_length=self.value_length,
            rule_places=self.rule_places,
            domain=self.domain,
            replay=self.replay,
            seed=self.seed,
        )
        write_facts(made.facts, self.out, self.json)
