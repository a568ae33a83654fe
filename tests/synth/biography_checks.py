"""How the tests make and read biographies, a second time and slowly; and a test of uniformity."""

import math
import re
from itertools import islice
from typing import NamedTuple

import numpy as np

from factcap.synth.generators.biographies.attributes import ATTRIBUTES, CHOICES, value_texts
from factcap.synth.generators.biographies.lists import FIRST_NAMES, LAST_NAMES, MIDDLE_NAMES
from factcap.synth.generators.biographies.text import OPENERS, SENTENCES, VERBS

_TEXTS = iter(value_texts().to_pylist())
VALUES = {
    attribute: list(islice(_TEXTS, choices))
    for attribute, choices in zip(ATTRIBUTES, CHOICES, strict=True)
}
VERB_OF = [(sentence, verb) for sentence, verbs in VERBS.items() for verb in verbs]
_VERBS = "|".join(
    re.escape(verb).replace("their", "(?:his|her)")
    for _, verb in sorted(VERB_OF, key=lambda pair: -len(pair[1]))
)
_SENTENCE = re.compile(
    rf"({'|'.join(OPENERS[1:])}|)([Hh]e|[Ss]he|\w+ \w+ \w+) ({_VERBS}) ([A-Z0-9][\w ]*)\."
)


class Sentence(NamedTuple):
    opener: str
    subject: str
    verb: str
    about: str
    value: str


def assert_uniform(numbers, choices):
    """Pearson's chi-square within five standard deviations of its mean under uniformity."""
    expected = len(numbers) / choices
    counts = np.bincount(numbers, minlength=choices)
    assert len(counts) == choices
    statistic, degrees = np.sum((counts - expected) ** 2 / expected), choices - 1
    assert abs(statistic - degrees) < 5 * math.sqrt(2 * degrees) + 5


def full_name(codes) -> str:
    first, middle, last = codes
    return f"{FIRST_NAMES[first]} {MIDDLE_NAMES[middle]} {LAST_NAMES[last]}"


def templates(sentence: str) -> list[str]:
    """All templates of a sentence in the order of their numbers."""
    return [
        f"{opener}{{subject}} {verb.replace('their', '{their}')} {{value}}."
        for opener in OPENERS
        for verb in VERBS[sentence]
    ]


def fill(template: str, *, pronoun: str, value: str, name: str | None) -> str:
    """One sentence; about a name, or a pronoun where that is None."""
    subject = name or (pronoun.capitalize() if template.startswith("{subject}") else pronoun)
    return template.format(subject=subject, their={"he": "his", "she": "her"}[pronoun], value=value)


def parse(text: str) -> list[Sentence]:
    """The sentences of a biography; fails unless every one follows a template."""
    about = {verb.replace("their", their): s for s, verb in VERB_OF for their in ("his", "her")}
    sentences = []
    for part in text.split(". "):
        match = _SENTENCE.fullmatch(part.removesuffix(".") + ".")
        assert match, part
        opener, subject, verb, value = match.groups()
        sentences.append(Sentence(opener, subject, verb, about[verb], value))
    assert sorted(s.about for s in sentences) == sorted(SENTENCES)
    return sentences
