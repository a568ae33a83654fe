"""Made-up person names: 2^30 of them, each of five pieces."""

import numpy as np
from jaxtyping import Int32, Int64

# Two letters each, so that the text of a name can be cut in one way only.
SYLLABLES = tuple(c + v for c in "bdfghjklmnprstvz" for v in "aeio")
GIVEN_ENDINGS = tuple(
    c + v
    for c in ("l", "n", "r", "s", "m", "v", "d", "t")
    for v in (*("a", "ia", "in", "o"), *("as", "en", "ie", "us"))
)
SURNAME_ENDINGS = tuple(
    c + v
    for c in ("b", "d", "l", "m", "n", "r", "s", "t")
    for v in (*("er", "son", "sen", "ez"), *("ini", "ov", "man", "ski"))
)

NAME_PIECES = (*SYLLABLES, *GIVEN_ENDINGS, *SURNAME_ENDINGS)
PIECES_IN_NAME = 5
NAMES = len(SYLLABLES) ** 3 * len(GIVEN_ENDINGS) * len(SURNAME_ENDINGS)

_PLACES = (0, 64, 0, 0, 128)  # where the pieces of each place begin in NAME_PIECES


def name_pieces(number: Int64[np.ndarray, " names"]) -> Int32[np.ndarray, "names 5"]:
    """The pieces of the names of these numbers in [0, NAMES): places in `NAME_PIECES`.

    A given name is a syllable and an ending, a surname two syllables and an ending.
    """
    return np.stack(
        [((number >> (6 * place)) & 63) + first for place, first in enumerate(_PLACES)],
        axis=1,
    ).astype(np.int32)
