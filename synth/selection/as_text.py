"""Arrays as text, in the JSON of a saved state."""

import base64
import zlib

import numpy as np
from jaxtyping import Float64


def packed(array: Float64[np.ndarray, " facts"]) -> str:
    """Numbers as text, for JSON."""
    return base64.b64encode(zlib.compress(array.tobytes())).decode()


def unpacked(text: str) -> Float64[np.ndarray, " facts"]:
    """The numbers again."""
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), np.float64).copy()
