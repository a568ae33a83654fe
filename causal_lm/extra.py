"""Whether the libraries are there that this folder needs: the extra `hf`."""

from importlib.util import find_spec

from factcap.synth.errors import BadInput


def require_extra(*names: str) -> None:
    """Raise `BadInput`, with what to install, unless PyTorch, `transformers` and these are there.

    It is asked before any other module of this folder is imported.

    Args:
        names: further libraries.
    """
    missing = [name for name in ("torch", "transformers", *names) if find_spec(name) is None]
    if missing:
        raise BadInput(f"this needs {', '.join(missing)}; install with pip install 'factcap[hf]'")
