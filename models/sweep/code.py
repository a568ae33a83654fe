"""Which code makes a run today: its training, and what makes its own facts."""

from collections.abc import Mapping
from typing import Any

from factcap.models.runs.code.digest import TRAINING, code_digest

# Takes the facts from what a generator makes. Of the generators it names it needs but one.
_MAKING = "factcap.models.sweep.making"


def source_of(config: Mapping[str, Any]) -> str:
    """The function that makes or reads the facts of a run; empty for a run that was given them.

    Args:
        config: the run's, or its `recipe` alone.
    """
    if "recipe" not in config:
        return ""
    return f"factcap.synth.{config['recipe'].get('generator', 'load')}"


def code_today(source: str) -> str:
    """The hash of the code that makes a run whose facts come from this source.

    Where another generator changes, the hash stays.

    Args:
        source: as `source_of` gives it.

    Raises:
        LookupError: if there is no such function.
    """
    return code_digest(*TRAINING, source, alone=(_MAKING,)) if source else code_digest(*TRAINING)
