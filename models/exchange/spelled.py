"""The spelling of each kind of fact set: of what a generator makes, of triples, and of text."""

# pyright: reportMissingImports=false
# (An optional library.)

import re
from collections.abc import Callable
from typing import Any

from factcap.models.exchange.spelled_triples import triples_spelling
from factcap.models.exchange.spelling import Spelling, by_number, with_start, word_level
from factcap.synth import BIOGRAPHY_VOCABULARY, FactSet, Origin, cities
from factcap.synth.errors import BadInput, require
from factcap.synth.generators.names import GIVEN_ENDINGS, SURNAME_ENDINGS, SYLLABLES
from factcap.synth.generators.text import token_texts
from factcap.synth.libraries import library

# Of each city so many pieces are drawn, to see all pieces that there are.
_DRAWN_EACH = 20


def spelling_of(origin: Origin, vocabulary: int, facts: FactSet | None = None) -> Spelling:
    """How the facts of an origin are typed.

    Args:
        origin: of the facts.
        vocabulary: token ids of the model: one more than of the facts where they have no keys, and
            a start token before them.
        facts: the facts, or None where they are not at hand. The words of triples cannot be known
            without, and are typed as numbers then.

    Raises:
        BadInput: if a library is missing.
    """
    made = _BY_GENERATOR.get(origin.generator)
    if made is not None:
        return made(origin)
    if origin.generator == "triples" and facts is not None:
        return triples_spelling(facts)
    pieces = origin.vocabulary_size
    return by_number(pieces, has_start=vocabulary == pieces + 1)


def is_text(origin: Origin) -> bool:
    """Whether facts are documents, or what is asked of them, cut by a tokenizer of their own."""
    return origin.generator == "corpus"


def text_spelling(origin: Origin, definition: str) -> Spelling:
    """How documents are typed, with the tokenizer that cut them.

    Args:
        origin: of the documents, or of what is asked about them.
        definition: of their tokenizer, as JSON: see
            `factcap.synth.corpus.byte_pairs.BytePairs.definition`.

    Raises:
        BadInput: if it is no tokenizer, or one of another number of pieces.
    """
    try:
        tokenizer = library("tokenizers").Tokenizer.from_str(definition)
    except BadInput:
        raise
    except Exception as error:  # the library raises nothing narrower
        reason = str(error).splitlines()[0]
        raise BadInput(f"the tokenizer cannot be read ({reason})") from None
    # Documents are given their start token by the engine; what is asked of them begins with it.
    pieces = origin.vocabulary_size - (origin.arguments.get("rows") != "documents")
    found = tokenizer.get_vocab_size()
    require(found == pieces, f"the tokenizer has {found} pieces; the run's documents have {pieces}")
    note = "Text is typed as it is; the tokenizer puts the start token before it."
    return Spelling(with_start(tokenizer).to_str(), note, has_start=True)


def _phonebook(_: Origin) -> Spelling:
    # A syllable, an ending of a given name and one of a surname may have the same letters; the
    # space after a given name, and the length of a surname's ending, tell them apart.
    pieces = [*map(str, range(10)), *SYLLABLES]
    pieces += [f"{ending} " for ending in GIVEN_ENDINGS]
    pieces += SURNAME_ENDINGS
    given = _any_of(f"{ending} " for ending in GIVEN_ENDINGS)
    surname = f"(?:{_any_of(SURNAME_ENDINGS)})(?![a-z ])"
    definition = word_level(
        _numbered(pieces),
        f"{given}|{surname}|[a-z]{{2}}|[0-9]",
        normalizers=[library("tokenizers").normalizers.Lowercase()],
    )
    return Spelling(definition, "A key is typed as it is; names are read in lower case.")


def _token_strings(origin: Origin) -> Spelling:
    texts = _texts_of_tokens(origin.vocabulary_size)
    has_start = origin.arguments.get("key_length") == 0
    definition = word_level(_numbered(texts), _string(texts), has_start=has_start)
    note = f"A key is typed as it is, {len(texts[0])} characters a token."
    return Spelling(definition, note, has_start=has_start)


def _tuples(origin: Origin) -> Spelling:
    texts = _texts_of_tokens(origin.arguments["vocabulary"])
    attributes = [f" {number}" for number in range(origin.arguments["attributes"])]
    definition = word_level(
        _numbered([*texts, *attributes]), rf"(?<!:) [0-9]+|{_string(texts)}", removed=": "
    )
    return Spelling(definition, "A key is typed as it is, a colon before its value.", ": ")


def _biographies(origin: Origin) -> Spelling:
    words = BIOGRAPHY_VOCABULARY[: origin.vocabulary_size]
    definition = word_level(_numbered(words), "[^ .,]+|[.,]", removed=" ", spaced=True)
    return Spelling(definition, "A key is typed as it is, a space before its value.", " ")


def _cities(origin: Origin) -> Spelling:
    named = {name: origin.arguments[name] for name in ("vocabulary", "longest_key")}
    drawn = cities(**named, value_length=_DRAWN_EACH)
    pieces: dict[str, int] = {}
    for code, tokens, key, length in zip(
        drawn.values.to_pylist(), drawn.tokens, drawn.key_length, drawn.length, strict=True
    ):
        pieces |= zip(code.split("·"), tokens[key:length].tolist(), strict=True)
    normalizers = library("tokenizers").normalizers
    steps = [
        normalizers.Replace("‘", "'"),
        normalizers.Replace("’", "'"),
        normalizers.NFKD(),
        normalizers.StripAccents(),
        normalizers.Lowercase(),
    ]
    countries: list[str] = []
    if origin.arguments["attribute"] == "country":
        every = cities(**named, attribute="country").values.to_pylist()
        countries = [
            normalizers.Sequence(steps).normalize_str(f"·{country}")
            for country in sorted(set(every))
        ]
    pieces |= {country: named["vocabulary"] + place for place, country in enumerate(countries)}
    longest_first = sorted(pieces, key=len, reverse=True)
    definition = word_level(pieces, _any_of(longest_first), removed="·", normalizers=steps)
    note = (
        "A key is typed as it is, and read in lower case without accents; `·` stands before a "
        "value, and between the pieces of a code."
    )
    return Spelling(definition, note, "·")


_BY_GENERATOR: dict[str, Callable[[Origin], Spelling]] = {
    "biographies": _biographies,
    "bitstrings": _token_strings,
    "cities": _cities,
    "phonebook": _phonebook,
    "ruled_facts": _token_strings,
    "tuples": _tuples,
}


def _numbered(pieces: Any) -> dict[str, int]:
    return {piece: token for token, piece in enumerate(pieces)}


def _any_of(pieces: Any) -> str:
    return "|".join(map(re.escape, pieces))


def _texts_of_tokens(vocabulary: int) -> list[str]:
    texts = token_texts(vocabulary)
    return [bytes(text).decode("ascii") for text in texts]


def _string(texts: list[str]) -> str:
    return f"[0-9A-Za-z_-]{{{len(texts[0])}}}"
