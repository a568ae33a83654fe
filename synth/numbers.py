"""Numbers as people write them."""

import math

from factcap.synth.errors import require


def whole_number(text: str) -> int:
    """A whole number that may be written 1000000, 1_000_000 or 1e6.

    Raises:
        BadInput: for anything else.

    >>> whole_number("1e3")
    1000
    """
    try:
        number = float(text.replace("_", ""))
    except ValueError:
        number = math.nan
    require(number.is_integer(), f"{text!r} is not a whole number")
    return int(number)
