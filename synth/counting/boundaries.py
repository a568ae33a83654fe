"""Whether a match in UTF-8 is a whole word: no word character stands beside it."""

from functools import cache

import numpy as np
from jaxtyping import Bool, Int64, UInt8

# Bytes that text must have before its first and after its last match.
MARGIN = 4
_CODE_POINTS = 0x110000


def whole_words(
    text: UInt8[np.ndarray, " bytes"],
    start: Int64[np.ndarray, " matches"],
    stop: Int64[np.ndarray, " matches"],
) -> Bool[np.ndarray, " matches"]:
    r"""Which matches have no word character directly before and none directly after them.

    A word character is what `\w` of Python's `re` matches: letters and digits of all scripts, and
    the underscore.

    Args:
        text: UTF-8, with at least `MARGIN` bytes before and after each match.
        start: first byte of each match.
        stop: byte after its last.
    """
    before = start - 1
    for _ in range(3):
        before = before - (text[before] >> 6 == 0b10)
    is_word = _word_characters()
    return ~(is_word[_character(text, before)] | is_word[_character(text, stop)])


def _character(
    text: UInt8[np.ndarray, " bytes"], at: Int64[np.ndarray, " places"]
) -> Int64[np.ndarray, " places"]:
    """Code points of the characters that begin at these bytes."""
    lead, *rest = (text[at + place].astype(np.int64) for place in range(4))
    second, third, fourth = (byte & 0x3F for byte in rest)
    two = (lead & 0x1F) << 6 | second
    three = (lead & 0x0F) << 12 | second << 6 | third
    four = (lead & 0x07) << 18 | second << 12 | third << 6 | fourth
    found = np.select([lead < 0x80, lead < 0xE0, lead < 0xF0], [lead, two, three], four)
    return np.minimum(found, _CODE_POINTS - 1)


@cache
def _word_characters() -> Bool[np.ndarray, " characters"]:
    is_word = np.fromiter((chr(code).isalnum() for code in range(_CODE_POINTS)), bool)
    is_word[ord("_")] = True
    return is_word
