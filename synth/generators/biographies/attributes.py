"""The attributes of a person, as codes and as text, and the bits that they hold."""

import math
from functools import cache
from itertools import chain, product

import numpy as np
import pyarrow as pa
from jaxtyping import Int32

from factcap.synth.generators.biographies.lists import (
    CITIES,
    DAYS,
    EMPLOYER_CITIES,
    EMPLOYERS,
    MAJORS,
    MONTHS,
    PRONOUNS,
    UNIVERSITIES,
    YEARS,
)

ATTRIBUTES = ("birthdate", "birthplace", "university", "major", "employer", "pronoun")
CHOICES = (
    len(YEARS) * len(MONTHS) * len(DAYS),
    len(CITIES),
    len(UNIVERSITIES),
    len(MAJORS),
    len(EMPLOYERS),
    len(PRONOUNS),
)
PERSON_BITS = math.log2(math.prod(CHOICES))

_BIRTHPLACE = ATTRIBUTES.index("birthplace")
_EMPLOYER = ATTRIBUTES.index("employer")
# Where the values of each attribute begin among all.
_FIRST = np.array([sum(CHOICES[:place]) for place in range(len(CHOICES))], np.int32)
_CITY_OF = np.array(EMPLOYER_CITIES, np.int32)


@cache
def value_texts() -> pa.StringArray:
    """The texts of all values, attribute by attribute, each in the order of its codes.

    A value and another of its attribute differ in a word before the shorter one ends, so that
    none needs a token to say where it ends.

    >>> value_texts()[0].as_py(), len(value_texts())
    ('1 January 1900', 68065)
    """
    dates = (f"{day} {month} {year}" for year, month, day in product(YEARS, MONTHS, DAYS))
    lists = (dates, CITIES, UNIVERSITIES, MAJORS, EMPLOYERS, PRONOUNS)
    return pa.array(list(chain.from_iterable(lists)), pa.string())


def value_rows(attributes: Int32[np.ndarray, "people 6"]) -> Int32[np.ndarray, "people 6"]:
    """The place of each value in `value_texts()`.

    Args:
        attributes: codes, in the order of `ATTRIBUTES`.
    """
    return attributes + _FIRST


def work_city_rows(attributes: Int32[np.ndarray, "people 6"]) -> Int32[np.ndarray, " people"]:
    """The place in `value_texts()` of the city that each person works in.

    The employer decides it, so that it holds no bits of its own.

    >>> value_texts().take(pa.array(work_city_rows(np.zeros((1, 6), np.int32)))).to_pylist()
    ['Alderbridge']
    """
    return _CITY_OF[attributes[:, _EMPLOYER]] + _FIRST[_BIRTHPLACE]
