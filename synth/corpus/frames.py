"""Frames: the words that sentences have in common around two places that each fills with its own.

"Bo was born in Rome." and "Al was born in Oslo." have the frame "_ was born in _.". What stands in
the two places of a frame is what a sentence tells. Nothing is read but the sentences themselves.

Every way to open two places in a sentence is tried. A frame is worth the more the more sentences
have it, the rarer the words are that it keeps, and what it leaves open should be told again in
another frame:

    score = sum of the kept words' bits + 1 a word + 1.2 log2(share of the sentences with the frame)
            + 0.7 times the bits of the words in its places, if another sentence has the same two

with the bits of a word -log2 of the share of the sentences that it stands in. Each sentence takes
the frame of highest score. Then the shares are counted again among the frames that were taken, and
so on, five choices in all: frames that were right by chance, or cut through a name, lose their
sentences. A frame has four sentences or more, and what stands in nine of ten of them belongs to it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt64

# Words of a place, and of a sentence that is looked at, at the most.
_PLACE, LONGEST = 8, 24
# Frames are learned from as many sentences as can be opened in so many ways, which bounds memory.
_WAYS = 2_000_000
# Fewer sentences make no frame.
_LEAST = 4
# What stands in a place in more than this share of the sentences of a frame belongs to the frame.
_ALWAYS = 0.9
# The weights of the score: chosen on seeds 11 to 13 of ParaRel with PopQA, characters, made-up
# people, where 92 to 100 % of 900 to 9,000 documents got the two places that had been filled. On
# seeds 20 to 22 98 to 100 % of 4,000 did.
_A_WORD, _SHARE, _TOLD_AGAIN = 1.0, 1.2, 0.7
_ROUNDS = 4
_BASE = np.uint64(0x100000001B3)
_MIX = np.uint64(0x9E3779B97F4A7C15)

Words = tuple[str, ...]


@dataclass(frozen=True)
class Filled:
    """A sentence in its frame.

    Attributes:
        frame: a number; sentences of one frame have one.
        first: its first place, the words from one number up to another.
        second: its second.
    """

    frame: int
    first: tuple[int, int]
    second: tuple[int, int]


def fill_frames(sentences: Sequence[Words]) -> list[Filled | None]:
    """The frame of each sentence, and where its places are.

    Args:
        sentences: each once; those of more than 24 words have no frame.

    Returns:
        One a sentence; None for one that no other sentences are like.

    >>> names, towns = ["Bo", "Al", "Cy", "Di", "Ed"], ["Rome", "Oslo", "Bonn", "Lima", "Kyiv"]
    >>> told = [(n, "was", "born", "in", t) for n, t in zip(names, towns)]
    >>> fill_frames([*told, ("So", "it", "is")])[0], fill_frames([*told, ("So", "it", "is")])[-1]
    (Filled(frame=0, first=(0, 1), second=(4, 5)), None)
    """
    share = Counter(word for words in sentences for word in dict.fromkeys(words))
    numbers = {word: number for number, word in enumerate(share)}
    rng = np.random.default_rng(0)  # of which sentences are learned from, and of hashes
    text = _Text(
        np.array([any(map(str.isalnum, word)) for word in share], bool),
        [np.array([numbers[word] for word in words], np.int64) for words in sentences],
        -np.log2(np.array(list(share.values())) / max(len(sentences), 1)),
        rng.integers(2**64, size=len(numbers), dtype=np.uint64),
    )
    order = rng.permutation(len(sentences))
    ways = np.cumsum([len(_places(len(sentences[row]))) for row in order])
    learned = int(np.searchsorted(ways, _WAYS, side="right"))
    openings = _open(text, order[:learned])
    frames = _learn(openings, learned)
    found: list[Filled | None] = [None] * len(sentences)
    _fill(found, openings, frames)
    for first in range(learned, len(order), max(learned, 1)):
        _fill(found, _open(text, order[first : first + learned]), frames)
    return found


@dataclass(frozen=True)
class _Text:
    """Sentences as numbers of words.

    Attributes:
        spoken: which words are more than punctuation.
        sentences: their words.
        bits: of each word.
        hashes: a random number for each word.
    """

    spoken: Bool[np.ndarray, " vocabulary"]
    sentences: list[Int64[np.ndarray, "..."]]
    bits: Float64[np.ndarray, " vocabulary"]
    hashes: UInt64[np.ndarray, " vocabulary"]


@dataclass(frozen=True)
class _Openings:
    """Ways to open two places in sentences, a row each.

    Attributes:
        sentence: its number.
        places: where the first begins and ends, and the second.
        frame: hash of the words that are left, in their order.
        first: hash of what is in the first place.
        second: of what is in the second.
        kept: bits of the words that are left, and one more a word.
        opened: bits of those in the places.
    """

    sentence: Int64[np.ndarray, " rows"]
    places: Int64[np.ndarray, "rows 4"]
    frame: UInt64[np.ndarray, " rows"]
    first: UInt64[np.ndarray, " rows"]
    second: UInt64[np.ndarray, " rows"]
    kept: Float64[np.ndarray, " rows"]
    opened: Float64[np.ndarray, " rows"]

    @property
    def pair(self) -> UInt64[np.ndarray, " rows"]:
        """Hash of what is in the two places, in either order."""
        return self.first + self.second

    def take(self, rows: np.ndarray) -> "_Openings":
        """Some of the rows."""
        return _Openings(*(getattr(self, each.name)[rows] for each in fields(self)))


@dataclass(frozen=True)
class _Frames:
    """What was learned.

    Attributes:
        hashes: of the frames, in order.
        log_share: of the sentences that have each, in bits; -inf where too few do.
        told_again: hashes of what two sentences tell or more, in order.
    """

    hashes: UInt64[np.ndarray, " frames"]
    log_share: Float64[np.ndarray, " frames"]
    told_again: UInt64[np.ndarray, " pairs"]


@cache
def _places(words: int) -> Int64[np.ndarray, "ways 4"]:
    """All ways to open two places with a word between them, in a sentence of so many words."""
    words = words if words <= LONGEST else 0
    ways = [
        (a, b, c, d)
        for a in range(words)
        for b in range(a + 1, min(a + _PLACE, words) + 1)
        for c in range(b + 1, words)
        for d in range(c + 1, min(c + _PLACE, words) + 1)
    ]
    return np.array(ways, np.int64).reshape(-1, 4)


def _open(text: _Text, rows: Int64[np.ndarray, " sentences"]) -> _Openings:
    """Some sentences, opened in all ways."""
    lengths = np.array([len(text.sentences[row]) for row in rows], np.int64)
    parts = [
        _open_alike(text, rows[lengths == length], int(length)) for length in np.unique(lengths)
    ]
    if not parts:
        parts = [_open_alike(text, rows, 0)]
    names = [each.name for each in fields(_Openings)]
    return _Openings(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _open_alike(text: _Text, rows: Int64[np.ndarray, " sentences"], length: int) -> _Openings:
    """Sentences of one length, opened in all ways."""
    places = _places(length)
    words_SxL = np.array([text.sentences[row] for row in rows], np.int64).reshape(len(rows), length)
    bits = np.pad(np.cumsum(text.bits[words_SxL], axis=1), ((0, 0), (1, 0)))
    powers = np.cumprod(np.append(np.uint64(1), np.full(length, _BASE)))
    # Of the words up to each place: a polynomial, so that the hash of a part is a difference.
    hashes = np.zeros((len(rows), length + 1), np.uint64)
    for place in range(length):
        hashes[:, place + 1] = hashes[:, place] * _BASE + text.hashes[words_SxL[:, place]]
    nothing, end = np.zeros(len(places), np.int64), np.full(len(places), length)
    a, b, c, d = places.T

    def part(start: np.ndarray, stop: np.ndarray) -> UInt64[np.ndarray, "sentences ways"]:
        return hashes[:, stop] - hashes[:, start] * powers[stop - start]

    form = ((a * 64 + c - b) * 64 + length - d + 1).astype(np.uint64) * _MIX
    frame = ((part(nothing, a) * _MIX + part(b, c)) * _MIX + part(d, end)) * _MIX + form
    opened = bits[:, b] - bits[:, a] + bits[:, d] - bits[:, c]
    closed = length - (b - a) - (d - c)
    spoken = np.pad(np.cumsum(text.spoken[words_SxL], axis=1), ((0, 0), (1, 0)))
    usable = (spoken[:, b] > spoken[:, a]) & (spoken[:, d] > spoken[:, c])
    openings = _Openings(
        np.repeat(rows, len(places)),
        np.tile(places, (len(rows), 1)),
        frame.ravel(),
        _scattered(part(a, b)).ravel(),
        _scattered(part(c, d)).ravel(),
        (bits[:, -1:] - opened + _A_WORD * closed).ravel(),
        opened.ravel(),
    )
    return openings.take(usable.ravel())


def _scattered(hashes: UInt64[np.ndarray, "..."]) -> UInt64[np.ndarray, "..."]:
    """Hashes whose sums tell what was added."""
    mixed = (hashes ^ hashes >> np.uint64(31)) * _MIX
    return mixed ^ mixed >> np.uint64(29)


def _learn(openings: _Openings, sentences: int) -> _Frames:
    """The frames that sentences take, and what is told in two of them or more."""
    hashes, number, count = np.unique(openings.frame, return_inverse=True, return_counts=True)
    often = count[number] >= _LEAST
    openings, number = openings.take(often), number[often]
    varied = _varied(number, openings.first) & _varied(number, openings.second)
    openings, number = openings.take(varied), number[varied]
    count = np.bincount(number, minlength=len(hashes))
    told = np.unique(np.stack([openings.pair, openings.sentence.astype(np.uint64)]), axis=1)[0]
    pairs, times = np.unique(told, return_counts=True)
    again, log_share = pairs[times > 1], _log_share(count, sentences)
    for _ in range(_ROUNDS):
        taken, _ = _best(openings, _Frames(hashes, log_share, again))
        log_share = _log_share(np.bincount(number[taken], minlength=len(hashes)), sentences)
    kept = np.isfinite(log_share)
    return _Frames(hashes[kept], log_share[kept], again)


def _log_share(
    count: Int64[np.ndarray, " frames"], sentences: int
) -> Float64[np.ndarray, " frames"]:
    """Of the sentences that have a frame, in bits, one less; -inf where too few have it."""
    enough = count >= _LEAST
    log_share = np.full(len(count), -np.inf)
    log_share[enough] = np.log2((count[enough] - 1) / sentences)
    return log_share


def _varied(
    frame: Int64[np.ndarray, " rows"], place: UInt64[np.ndarray, " rows"]
) -> Bool[np.ndarray, " rows"]:
    """Whether the same does not nearly always stand in a place of a row's frame."""
    order = np.lexsort((place, frame))
    one, other = frame[order], place[order]
    begins = np.flatnonzero(
        np.append(True, (one[1:] != one[:-1]) | (other[1:] != other[:-1]))[: len(order)]
    )
    times = np.diff(np.append(begins, len(order)))
    sentences = np.bincount(frame)
    commonest = np.zeros(len(sentences))
    np.maximum.at(commonest, one[begins], times)
    return commonest[frame] <= _ALWAYS * sentences[frame]


def _best(
    openings: _Openings, frames: _Frames
) -> tuple[Int64[np.ndarray, " taken"], Int64[np.ndarray, " taken"]]:
    """Of each sentence that has a frame: the row of the best, and which frame that is."""
    at, known = _looked_up(openings.frame, frames.hashes)
    again = _looked_up(openings.pair, frames.told_again)[1]
    share = np.full(len(at), -np.inf)
    share[known] = frames.log_share[at[known]]
    score = openings.kept + _SHARE * share + _TOLD_AGAIN * again * openings.opened
    rows = np.flatnonzero(score > 0)
    # Rounded, so that the first of equal ones is taken however they were summed.
    rows = rows[np.lexsort((-score[rows].round(9), openings.sentence[rows]))]
    first = np.unique(openings.sentence[rows], return_index=True)[1]
    return rows[first], at[rows[first]]


def _looked_up(
    wanted: UInt64[np.ndarray, " rows"], ordered: UInt64[np.ndarray, " table"]
) -> tuple[Int64[np.ndarray, " rows"], np.ndarray]:
    """Where each stands in an ordered table, and whether it does."""
    if len(ordered) == 0:
        return np.zeros(len(wanted), np.int64), np.zeros(len(wanted), bool)
    at = np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)
    return at, ordered[at] == wanted


def _fill(found: list[Filled | None], openings: _Openings, frames: _Frames) -> None:
    """Enter what is found of the sentences that were opened."""
    for row, frame in zip(*_best(openings, frames), strict=True):
        a, b, c, d = openings.places[row].tolist()
        found[int(openings.sentence[row])] = Filled(int(frame), (a, b), (c, d))
