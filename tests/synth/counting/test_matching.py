"""Names found at once, against looking for each by itself."""

import re

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from factcap.synth.counting.boundaries import MARGIN, whole_words
from factcap.synth.counting.matching import Matcher, compile_names
from factcap.synth.counting.names import fold, gather_names
from factcap.synth.counting.tally import Tallier, no_documents

# Letters of one to four bytes, a mark, signs, a digit, and what folds to two characters.
LETTERS = st.text("aAbß éÉЖж中𝒜_-.1\u0301\nİ", max_size=12)
NAMES = st.lists(st.text("aAbß éЖж中_-1", min_size=1, max_size=4), min_size=1, max_size=3)
FACTS = st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=6)


def stands(name: str, text: str, words: bool) -> bool:
    return bool(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)) if words else name in text


def by_hand(facts, texts, ignore_case, words):
    """Documents that hold subject, object and both, for each fact."""
    same = str.casefold if ignore_case else str
    counts = []
    for names in facts:
        held = [
            [any(stands(same(name), same(text), words) for name in one) for text in texts]
            for one in names
        ]
        both = [all(each) for each in zip(*held, strict=True)]
        counts.append([sum(held[0]), sum(held[1]), sum(both)])
    return counts


@given(FACTS, st.lists(LETTERS, max_size=6), st.booleans(), st.booleans())
@example([(["York"], ["New York"])], ["New York", "New Yorker York", "York"], False, True)
@example([(["aa"], ["aaa", "a"])], ["aaaa", "aa", "", "a\na"], False, False)
@example([(["STRASSE"], ["é"])], ["Straße É", "strasse"], True, True)
@example([(["a\nb"], ["b"])], ["a", "b", "a\nb"], False, False)
def test_counts_are_those_of_looking_for_each(facts, texts, ignore_case, words):
    subjects, objects = zip(*facts, strict=True)
    names = gather_names(subjects, objects, ignore_case=ignore_case)
    matcher = Matcher(names.names, compile_names(names.names), words=words)
    tallier = Tallier(names)
    total = no_documents(names)
    encoded = [text.encode() for text in texts]
    # Counts do not depend on what is looked at together.
    for some in (encoded[:2], encoded[2:]):
        total += tallier(
            *matcher.find([fold(text) if ignore_case else text for text in some]), len(some)
        )
    assert total.documents == len(texts)
    found = [total.entity[names.subject], total.entity[names.object], total.pair]
    assert np.transpose(found).tolist() == by_hand(facts, texts, ignore_case, words)


@given(st.text())
def test_folded_bytes_are_folded_text(text):
    assert fold(text.encode()).decode() == text.casefold()


def test_word_characters_are_those_of_python():
    surrogates = range(0xD800, 0xE000)
    characters = [chr(code) for code in range(0x110000) if code not in surrogates]
    # The name x, with the character before it and no other, and the same after it.
    for side, text in (
        (0, "-".join(f"{each}x" for each in characters)),
        (1, "-".join(f"x{each}" for each in characters)),
    ):
        data = np.frombuffer((" " * MARGIN + text + " " * MARGIN).encode(), np.uint8)
        length = np.array([len(each.encode()) for each in characters])
        first = MARGIN + np.cumsum(length + 2) - (length + 2)
        start = first + (length if side == 0 else 0)
        wanted = [not re.match(r"\w", each) for each in characters]
        assert whole_words(data, start, start + 1).tolist() == wanted


def test_a_document_counts_once_and_aliases_are_one_entity():
    names = gather_names(
        [["Rome", "Roma"], ["Roma", "Rome"]], [["Italy"], ["Rome"]], ignore_case=False
    )
    assert names.subject[0] == names.subject[1]
    matcher = Matcher(names.names, compile_names(names.names), words=False)
    texts = [b"Rome, Roma, Rome: Italy", b"Roma", b"Italy"]
    tally = Tallier(names)(*matcher.find(texts), len(texts))
    assert tally.entity[names.subject].tolist() == [2, 2]
    assert tally.entity[names.object].tolist() == [2, 1]
    assert tally.pair.tolist() == [1, 1]
