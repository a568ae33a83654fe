"""English biographies of six sentences, each from one of fifty templates, made many at a time."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions at run time.)

from itertools import product

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int32, Integer

from factcap.synth.generators.biographies.attributes import (
    ATTRIBUTES,
    value_rows,
    value_texts,
    work_city_rows,
)
from factcap.synth.generators.biographies.lists import (
    FIRST_NAMES,
    LAST_NAMES,
    MIDDLE_NAMES,
    PRONOUNS,
)

OPENERS = (
    "",
    "Records show that ",
    "According to friends, ",
    "By all accounts, ",
    "It is known that ",
)
# The verb phrases of each sentence, as many in each; an opener and a verb phrase make a template.
# "their" becomes "his" or "her".
VERBS = {
    "birthdate": (
        "was born on",
        "came into the world on",
        "entered the world on",
        "began life on",
        "drew their first breath on",
        "was brought into the world on",
        "counts their birthdays from",
        "first saw the light of day on",
        "has a birth certificate dated",
        "joined the family on",
    ),
    "birthplace": (
        "was born in",
        "hails from",
        "comes originally from",
        "is a native of",
        "began life in the city of",
        "took their first steps in",
        "has their roots in",
        "spent the first days of life in",
        "owes their earliest memories to",
        "was welcomed by proud parents in",
    ),
    "university": (
        "studied at",
        "graduated from",
        "earned a degree from",
        "received their education at",
        "completed their studies at",
        "holds a diploma from",
        "attended lectures at",
        "was taught by the faculty of",
        "spent their student years at",
        "passed their final exams at",
    ),
    "major": (
        "majored in",
        "specialized in",
        "took a degree in",
        "was trained in",
        "chose the field of",
        "wrote a thesis in",
        "focused their studies on",
        "built their expertise in",
        "devoted their student years to",
        "completed a course of study in",
    ),
    "employer": (
        "works for",
        "is employed by",
        "has a position with",
        "earns their salary at",
        "built their career at",
        "joined the staff of",
        "took a job with",
        "spends their working days at",
        "signed a contract with",
        "found their calling at",
    ),
    "work city": (
        "works in",
        "goes to work in",
        "holds a job in",
        "has an office in",
        "commutes to an office in",
        "is stationed for work in",
        "has their workplace in",
        "pursues their career in",
        "carries out their duties in",
        "practices their profession in",
    ),
}
SENTENCES = tuple(VERBS)
TEMPLATES = len(OPENERS) * len(VERBS["birthdate"])

_VERBS_EACH = len(VERBS["birthdate"])
_POSSESSIVES = ("his", "her")
_PRONOUN = ATTRIBUTES.index("pronoun")


def _leads() -> list[str]:
    """What comes before the verb of a later sentence: opener by pronoun."""
    pairs = product(OPENERS, PRONOUNS)
    return [f" {opener}{subject if opener else subject.capitalize()}" for opener, subject in pairs]


def _phrases() -> list[str]:
    """What stands between subject and value: sentence by verb by pronoun."""
    verbs = (verb for phrases in VERBS.values() for verb in phrases)
    return [f" {verb} ".replace("their", their) for verb, their in product(verbs, _POSSESSIVES)]


_OPENER_TEXTS = pa.array(OPENERS)
_NAME_TEXTS = (
    pa.array([name + " " for name in FIRST_NAMES]),
    pa.array([name + " " for name in MIDDLE_NAMES]),
    pa.array(LAST_NAMES),
)
_LEAD_TEXTS = pa.array(_leads())
_PHRASE_TEXTS = pa.array(_phrases())


def render(
    names: Int32[np.ndarray, "people 3"],
    attributes: Int32[np.ndarray, "people 6"],
    order: Integer[np.ndarray, "people 6"],
    templates: Integer[np.ndarray, "people 6"],
) -> pa.StringArray:
    """One biography a person.

    The first sentence names the person, the others say "he" or "she".

    Args:
        names: places in the lists of first, middle and last names.
        attributes: codes, in the order of `ATTRIBUTES`.
        order: the sentences (places in `SENTENCES`) in the order of the text.
        templates: the template of each sentence, in the order of the text, in [0, TEMPLATES).

    >>> first = np.zeros((1, 6), np.int32)
    >>> text = render(first[:, :3], first, np.arange(6)[None], first + 14)[0].as_py()
    >>> text[:77]
    'Records show that Ada Ambabel Abberg drew his first breath on 1 January 1900.'
    """
    # The last sentence is about the work city; no sentence is about the pronoun.
    values = value_rows(attributes)
    values[:, _PRONOUN] = work_city_rows(attributes)
    values = np.take_along_axis(values, order, axis=1)
    openers, verbs = np.divmod(templates, _VERBS_EACH)
    pronoun = attributes[:, _PRONOUN, None]
    leads = openers * len(PRONOUNS) + pronoun
    phrases = (order * _VERBS_EACH + verbs) * len(_POSSESSIVES) + pronoun
    ended = pc.binary_join_element_wise(value_texts(), "", ".")
    pieces = [_OPENER_TEXTS.take(pa.array(openers[:, 0]))]
    pieces += [table.take(pa.array(names[:, i])) for i, table in enumerate(_NAME_TEXTS)]
    for place in range(len(SENTENCES)):
        if place > 0:
            pieces.append(_LEAD_TEXTS.take(pa.array(leads[:, place])))
        pieces.append(_PHRASE_TEXTS.take(pa.array(phrases[:, place])))
        pieces.append(ended.take(pa.array(values[:, place])))
    return pc.binary_join_element_wise(*pieces, "")
