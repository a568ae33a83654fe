"""Biographies as tokens: words and punctuation, each a token, and back to the same text."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions at run time.)

import re
from functools import cache
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int32

from factcap.synth.errors import BadInput
from factcap.synth.generators.biographies.attributes import ATTRIBUTES, value_texts
from factcap.synth.generators.biographies.lists import (
    CITIES,
    DAYS,
    EMPLOYERS,
    FIRST_NAMES,
    LAST_NAMES,
    MAJORS,
    MIDDLE_NAMES,
    MONTHS,
    PRONOUNS,
    UNIVERSITIES,
    YEARS,
)
from factcap.synth.generators.biographies.text import OPENERS, VERBS

_SENTENCE_WORDS = re.findall(
    r"\w+|[.,]", " ".join([*OPENERS, *chain.from_iterable(VERBS.values()), "He She his her."])
)
# The words of facts come first: a model of facts alone needs no more than those.
_FACT_WORDS = tuple(
    dict.fromkeys(
        chain(
            *(",", ATTRIBUTES, FIRST_NAMES, MIDDLE_NAMES, LAST_NAMES, DAYS, MONTHS, YEARS, CITIES),
            chain.from_iterable(text.split() for text in (*UNIVERSITIES, *MAJORS, *EMPLOYERS)),
            PRONOUNS,
        )
    )
)
# The words of biographies and the marks between them; a token is the place of its word here.
BIOGRAPHY_VOCABULARY = tuple(
    dict.fromkeys(chain(_FACT_WORDS, (w for w in _SENTENCE_WORDS if w != "their")))
)
FACT_VOCABULARY_SIZE = len(_FACT_WORDS)

_WORDS = pa.array(BIOGRAPHY_VOCABULARY)
_NUMBER = {word: token for token, word in enumerate(BIOGRAPHY_VOCABULARY)}
_NAME_TOKENS = tuple(
    np.array([_NUMBER[name] for name in names], np.int32)
    for names in (FIRST_NAMES, MIDDLE_NAMES, LAST_NAMES)
)
_PUNCTUATION = (".", ",")


def tokenize_biographies(texts: pa.StringArray) -> pa.ListArray:
    """The tokens of biographies, or of the keys and values of their facts.

    A token is a word or a punctuation mark, a place in `BIOGRAPHY_VOCABULARY`. Nothing is lost:
    `detokenize_biographies` gives the same texts.

    Args:
        texts: texts with single spaces between words.

    Returns:
        For each text a list of int32.

    Raises:
        BadInput: for a word that no biography has.

    >>> tokens = tokenize_biographies(pa.array(["Ada Ambade Abcroft, major"]))
    >>> detokenize_biographies(tokens).to_pylist()
    ['Ada Ambade Abcroft, major']
    """
    for mark in _PUNCTUATION:
        texts = pc.replace_substring(texts, mark, " " + mark)
    words = pc.split_pattern(texts, " ")
    tokens = pc.index_in(words.values, value_set=_WORDS)
    if tokens.null_count:
        word = words.values.filter(pc.is_null(tokens))[0].as_py()
        raise BadInput(f"no biography has the word {word!r}, so that it has no token")
    return pa.ListArray.from_arrays(words.offsets, tokens)


def detokenize_biographies(tokens: pa.ListArray) -> pa.StringArray:
    """The texts that `tokenize_biographies` gives these tokens.

    >>> detokenize_biographies(pa.array([[1, 0], []], pa.list_(pa.int32()))).to_pylist()
    ['birthdate,', '']
    """
    words = pa.ListArray.from_arrays(tokens.offsets, _WORDS.take(tokens.values))
    texts = pc.binary_join(words, " ")
    for mark in _PUNCTUATION:
        texts = pc.replace_substring(texts, " " + mark, mark)
    return texts


def key_tokens(names: Int32[np.ndarray, "people 3"]) -> Int32[np.ndarray, "people 6 5"]:
    """The tokens of the keys of each person's facts: name, comma, attribute.

    Args:
        names: places in the lists of first, middle and last names.
    """
    tokens = np.empty((len(names), len(ATTRIBUTES), 5), np.int32)
    for place, table in enumerate(_NAME_TOKENS):
        tokens[:, :, place] = table[names[:, place], None]
    tokens[:, :, 3] = _NUMBER[","]
    tokens[:, :, 4] = [_NUMBER[attribute] for attribute in ATTRIBUTES]
    return tokens


@cache
def value_tokens() -> tuple[Int32[np.ndarray, "values 4"], Int32[np.ndarray, " values"]]:
    """The tokens of each of `value_texts`, padded with 0 on the right, and how many they are."""
    lists = tokenize_biographies(value_texts())
    length = np.diff(lists.offsets.to_numpy()).astype(np.int32)
    tokens = np.zeros((len(length), int(length.max())), np.int32)
    tokens[np.arange(tokens.shape[1]) < length[:, None]] = lists.values.to_numpy()
    return tokens, length
