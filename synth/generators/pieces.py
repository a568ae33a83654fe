"""A small vocabulary of frequent letter groups, for names."""

import re
from collections import Counter
from collections.abc import Sequence

from factcap.synth.errors import require

_LONGEST = 4


def learn_pieces(words: Sequence[str], size: int) -> tuple[str, ...]:
    """The pieces that a set of words is cut into: all its characters, and frequent groups.

    Groups of 2 to 4 letters are ranked by the characters that they would save if nothing
    overlapped, count times (length - 1); ties go to the alphabet.

    Args:
        words: the words, in any order.
        size: number of pieces in all; at least the number of different characters.

    Raises:
        BadInput: if `size` is below the number of different characters, or above that of
            characters and groups.

    >>> learn_pieces(["banana", "bandana"], 6)
    ('a', 'b', 'd', 'n', 'ana', 'an')
    """
    characters = sorted(set("".join(words)))
    require(
        size >= len(characters),
        f"{size} pieces are too few for {len(characters)} different characters",
    )
    counts = Counter(
        word[start : start + length]
        for word in words
        for length in range(2, _LONGEST + 1)
        for start in range(len(word) - length + 1)
    )
    most = len(characters) + len(counts)
    require(size <= most, f"the words have {most} different pieces, not {size}; ask for fewer")
    ranked = sorted(counts, key=lambda group: (-counts[group] * (len(group) - 1), group))
    return (*characters, *ranked[: size - len(characters)])


def tokenize(words: Sequence[str], pieces: Sequence[str]) -> list[list[int]]:
    """Cut each word into pieces from its left, the longest that fits first; piece numbers.

    >>> pieces = learn_pieces(["banana", "bandana"], 6)
    >>> [[pieces[i] for i in ids] for ids in tokenize(["banana"], pieces)]
    [['b', 'ana', 'n', 'a']]
    """
    number = {piece: i for i, piece in enumerate(pieces)}
    longest_first = sorted(pieces, key=len, reverse=True)
    cut = re.compile("|".join(map(re.escape, longest_first))).findall
    return [[number[piece] for piece in cut(word)] for word in words]
