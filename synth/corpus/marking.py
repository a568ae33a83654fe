"""Marks that nobody made: what documents tell, found by the frames that they share."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from factcap.synth.corpus.documents import Document, Span
from factcap.synth.corpus.frames import LONGEST, fill_frames
from factcap.synth.corpus.templates import ENTITY, VALUE

_WORD = re.compile(r"\w+|[^\w\s]")
# Sentences end with a line, or behind a word that ends in two small letters or digits, or in two
# capitals or digits: not behind "J.", nor behind a question, whose answer belongs to it. Letters
# that are not English count as small.
_END = re.compile(r"\n+|(?:(?<=[^\W_A-Z]{2}[.!])|(?<=[A-Z0-9]{2}[.!]))\s+")
# Of a frame that tells facts this share of the sentences, or more, has something in a place that
# another sentence has in one too. Sentences of prose have a word in common, but little else: of
# 600 sentences of this project's pages 47 have a frame, and none is left.
_FILLED_AGAIN = 0.2
# An entity has one value: as many sentences of a frame have different ones. Of "He was born in
# Rome.", which many men and women were, half have.
_DIFFERENT = 0.75
# Two frames are of one relation if this share of their facts is the same.
_ALIKE = 0.1


def find_marks(documents: Sequence[Document]) -> tuple[Document, ...]:
    """The documents with marks in place of those that they have, if any.

    A sentence in a frame (see `factcap.synth.corpus.frames`) tells a fact, if what stands in the
    places of this frame stands in those of other sentences often enough. Of the two places of the
    frame the one that is filled in more ways is the entity, the other the value; of a fact that is
    told in several frames, most of them decide. Frames that tell facts in common are one relation.

    Args:
        documents: their spans are not read.

    Returns:
        The same texts in the same order. A document none of whose sentences tells a fact has no
        mark.
    """
    told = _telling(_told(documents))
    entity_first = _entity_first(told)
    names = _relations(told, entity_first)
    spans: list[list[Span]] = [[] for _ in documents]
    for each in told:
        first = entity_first[each.texts]
        entity, value = each.texts if first else each.texts[::-1]
        start, end = each.places[first]
        spans[each.document].append(Span(entity, names[each.frame], value, start, end))
    return tuple(
        replace(document, spans=tuple(own)) for document, own in zip(documents, spans, strict=True)
    )


@dataclass(frozen=True)
class _Told:
    """A sentence in its frame.

    Attributes:
        document: that it stands in.
        frame: its number.
        texts: in the two places.
        places: where they begin and end in the document.
        around: the sentence before, between and behind them.
    """

    document: int
    frame: int
    texts: tuple[str, str]
    places: tuple[tuple[int, int], tuple[int, int]]
    around: tuple[str, str, str]

    @property
    def fact(self) -> frozenset[str]:
        """What is told, whichever stands first."""
        return frozenset(self.texts)


def _told(documents: Sequence[Document]) -> list[_Told]:
    """The sentences that have a frame, in their order."""
    sentences: dict[tuple[str, ...], list[tuple[int, list[tuple[int, int]]]]] = defaultdict(list)
    for number, document in enumerate(documents):
        begin = 0
        for end in [*_END.finditer(document.text), None]:
            stop = len(document.text) if end is None else end.start()
            places = [match.span() for match in _WORD.finditer(document.text, begin, stop)]
            if 3 <= len(places) <= LONGEST:
                words = tuple(document.text[start:end] for start, end in places)
                sentences[words].append((number, places))
            begin = stop if end is None else end.end()
    found: list[_Told] = []
    for filled, where in zip(fill_frames(list(sentences)), sentences.values(), strict=True):
        if filled is None:
            continue
        for number, places in where:
            text = documents[number].text
            (a, b), (c, d) = (
                (places[start][0], places[stop - 1][1])
                for start, stop in (filled.first, filled.second)
            )
            begin, end = places[0][0], places[-1][1]
            around = (text[begin:a], text[b:c], text[d:end])
            found.append(
                _Told(number, filled.frame, (text[a:b], text[c:d]), ((a, b), (c, d)), around)
            )
    return sorted(found, key=lambda each: (each.document, each.places))


def _telling(told: Sequence[_Told]) -> list[_Told]:
    """Those whose frames tell facts, by what they are filled with."""
    filled: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for each in told:
        filled[each.frame].add(each.texts)
    times = Counter(text for own in filled.values() for texts in own for text in set(texts))
    telling: set[int] = set()
    for frame, own in filled.items():
        again = sum(any(times[text] > 1 for text in texts) for texts in own)
        ways = max(len(set(texts)) for texts in zip(*own, strict=True))
        if again >= _FILLED_AGAIN * len(own) and ways >= _DIFFERENT * len(own):
            telling.add(frame)
    return [each for each in told if each.frame in telling]


def _entity_first(told: Sequence[_Told]) -> dict[tuple[str, str], bool]:
    """Whether the entity is the first of two texts, for all that stand so in some sentence.

    In each frame the place that is filled in more ways speaks for its texts. Then each frame goes
    with the most of its sentences, and each two texts with the most of their frames.
    """
    ways: dict[int, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    for each in told:
        for texts, text in zip(ways[each.frame], each.texts, strict=True):
            texts.add(text)
    of_frame = {frame: len(first) - len(second) for frame, (first, second) in ways.items()}
    of_texts: Counter[tuple[str, str]] = Counter()
    for _ in range(2):
        of_texts = Counter()
        for each in told:
            # What stands the other way around speaks for the other order.
            first, second = each.texts
            of_texts[first, second] += of_frame[each.frame]
            of_texts[second, first] -= of_frame[each.frame]
        of_frame = dict.fromkeys(of_frame, 0)
        for each in told:
            of_frame[each.frame] += of_texts[each.texts]
    return {each.texts: of_texts[each.texts] >= 0 for each in told}


def _relations(
    told: Sequence[_Told], entity_first: Mapping[tuple[str, str], bool]
) -> dict[int, str]:
    """The relation of each frame, named by that of its frames that is told most often.

    Two frames are of one relation if they have two facts in common, and a tenth of the facts of the
    one that tells fewer. So are those that another one joins.
    """
    facts: dict[int, set[frozenset[str]]] = defaultdict(set)
    frames: dict[frozenset[str], set[int]] = defaultdict(set)
    times: Counter[int] = Counter()
    names: dict[int, str] = {}
    for each in told:
        facts[each.frame].add(each.fact)
        frames[each.fact].add(each.frame)
        times[each.frame] += 1
        before, between, behind = each.around
        one, other = (ENTITY, VALUE) if entity_first[each.texts] else (VALUE, ENTITY)
        names.setdefault(each.frame, before + one + between + other + behind)
    common: Counter[tuple[int, int]] = Counter()
    for own in frames.values():
        common.update(combinations(sorted(own), 2))
    joined = {frame: frame for frame in facts}

    def root(frame: int) -> int:
        while joined[frame] != frame:
            frame = joined[frame]
        return frame

    for (one, other), number in common.items():
        if number >= max(2, _ALIKE * min(len(facts[one]), len(facts[other]))):
            joined[root(one)] = root(other)
    members: dict[int, list[int]] = defaultdict(list)
    for frame in facts:
        members[root(frame)].append(frame)
    return {
        frame: names[max(own, key=lambda one: (times[one], names[one]))]
        for own in members.values()
        for frame in own
    }
