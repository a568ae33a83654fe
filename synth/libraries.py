"""The libraries of the extra `hf` that read and write its formats."""

import importlib
from typing import Any

from factcap.synth.errors import BadInput


def library(name: str) -> Any:
    """A module of the extra `hf`; raises `BadInput` that says what to install."""
    try:
        return importlib.import_module(name)
    except ImportError:
        package = name.split(".")[0]
        raise BadInput(
            f"this needs the library {package}; install it with: pip install 'factcap[hf]'"
        ) from None
