"""Libraries of the extras, imported where they are needed."""

import importlib
from typing import Any

from factcap.synth.errors import BadInput


def library(name: str, extra: str = "hf") -> Any:
    """A module of an extra.

    Args:
        name: of the module.
        extra: that installs it.

    Raises:
        BadInput: if it is not there; the message says what to install.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        package = name.split(".")[0]
        raise BadInput(
            f"this needs the library {package}; install it with: pip install 'factcap[{extra}]'"
        ) from None
