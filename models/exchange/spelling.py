"""How facts are written as text, so that a tokenizer gives the tokens that a model has learned."""

# pyright: reportMissingImports=false
# (An optional library.)

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Bool

from factcap.synth import FactSet
from factcap.synth.libraries import library

START, END = "<|start|>", "<|end|>"


@dataclass(frozen=True)
class Spelling:
    """A tokenizer, and how a fact is typed for it.

    Attributes:
        definition: what `tokenizers` needs to encode, as JSON: the content of tokenizer.json.
        note: how a key is typed, in a sentence.
        between: what is typed between a key and its value.
        has_start: whether a token `START` is put before every text.
        has_end: whether a token `END` follows every value.
        by_number: whether a token is typed as its number, as in `<17>`.
    """

    definition: str = field(repr=False)
    note: str
    between: str = ""
    has_start: bool = False
    has_end: bool = False
    by_number: bool = False

    @property
    def special(self) -> dict[str, str]:
        """The special tokens, by the names that `transformers` has for them.

        Padding takes a token that no key and no value has, where there is one.
        """
        start = {"bos_token": START, "pad_token": START} if self.has_start else {}
        end = {"eos_token": END, "pad_token": END} if self.has_end else {}
        return start | end

    def special_ids(self) -> dict[str, int | None]:
        """Their numbers, as config.json names them; padding, which is masked, has one always."""
        tokenizer = self.tokenizer()
        found = {f"{name}_id": tokenizer.token_to_id(text) for name, text in self.special.items()}
        return {"bos_token_id": None, "eos_token_id": None, "pad_token_id": 0} | found

    def tokenizer(self) -> Any:
        """The tokenizer of the library `tokenizers`."""
        return library("tokenizers").Tokenizer.from_str(self.definition)

    def texts(self, facts: FactSet) -> list[tuple[str, str]]:
        """(what is typed to ask, what then is the answer) of each fact."""
        end = END if self.has_end else ""
        if self.by_number:
            rows = zip(facts.tokens.tolist(), facts.key_length, facts.length, strict=True)
            return [
                (numbers(row[:key]), numbers(row[key:length]) + end) for row, key, length in rows
            ]
        return plain_texts(facts, self.between, end)

    def misspelled(self, facts: FactSet) -> Bool[np.ndarray, " facts"]:
        """Of which facts the tokenizer gives other tokens than the model has learned."""
        tokenizer, texts = self.tokenizer(), self.texts(facts)
        keys = _encoded(tokenizer, [key for key, _ in texts])
        wholes = _encoded(tokenizer, [key + value for key, value in texts])
        start = tokenizer.token_to_id(START) if self.has_start else None
        wrong = np.empty(len(facts), bool)
        for fact, tokens in enumerate(facts.tokens.tolist()):
            # The engine puts the start token before facts that do not begin with it themselves.
            first = [] if start in (None, tokens[0]) else [start]
            key, whole = facts.key_length[fact], tokens[: facts.length[fact]]
            wrong[fact] = keys[fact] != first + whole[:key] or wholes[fact] != first + whole
        return wrong


def plain_texts(facts: FactSet, between: str = "", end: str = "") -> list[tuple[str, str]]:
    """(key, value with what stands before and after it) of each fact.

    A space at the end of a key is given to the value: tokens of text begin with spaces.

    Args:
        facts: to be typed.
        between: what is typed between a key and its value where there is no such space.
        end: what is typed after every value.
    """
    return [
        (key.removesuffix(" "), f"{' ' if key.endswith(' ') else between}{value}{end}")
        for key, value in zip(facts.keys.to_pylist(), facts.values.to_pylist(), strict=True)
    ]


def _encoded(tokenizer: Any, texts: Sequence[str]) -> list[list[int] | None]:
    """Tokens of each text; None where the tokenizer cannot write it."""

    def tokens(text: str) -> list[int] | None:
        try:
            return tokenizer.encode(text).ids
        except Exception:  # the library raises nothing narrower
            return None

    return [tokens(text) for text in texts]


def numbers(tokens: Sequence[int]) -> str:
    """Tokens typed as numbers.

    >>> numbers([3, 17])
    '<3><17>'
    """
    return "".join(f"<{token}>" for token in tokens)


def by_number(vocabulary: int, *, has_start: bool) -> Spelling:
    """The spelling of facts whose tokens have no text of their own."""
    pieces = {f"<{token}>": token for token in range(vocabulary)}
    definition = word_level(pieces, r"<\d+>", has_start=has_start)
    note = "Tokens are typed as their numbers, as in `<17><3>`: they have no text of their own."
    return Spelling(definition, note, has_start=has_start, by_number=True)


def word_level(
    pieces: Mapping[str, int],
    pattern: str,
    *,
    removed: str = "",
    normalizers: Sequence[Any] = (),
    has_start: bool = False,
    has_end: bool = False,
    spaced: bool = False,
) -> str:
    """The definition of a tokenizer that cuts texts by a pattern and looks up what it has cut.

    A text that has something else in it is refused by the library.

    Args:
        pieces: number of the token of each piece.
        pattern: of a piece, a regular expression as Oniguruma takes them.
        removed: characters that only stand between pieces.
        normalizers: what is done to a text first.
        has_start: whether a token `START`, the next after the pieces, is put before every text.
        has_end: whether `END` is among the pieces.
        spaced: whether a space stands between two pieces, but before a comma or a full stop.
    """
    tk = library("tokenizers")
    tokenizer = tk.Tokenizer(tk.models.WordLevel(dict(pieces)))
    if normalizers:
        tokenizer.normalizer = tk.normalizers.Sequence(list(normalizers))
    rest = f"[^{removed}]" if removed else r"(?m:.)"
    tokenizer.pre_tokenizer = tk.pre_tokenizers.Split(
        tk.Regex(f"{pattern}|{rest}"), "removed", invert=True
    )
    tokenizer.decoder = tk.decoders.WordPiece(cleanup=True) if spaced else tk.decoders.Fuse()
    if has_end:
        tokenizer.add_special_tokens([END])
    return with_start(tokenizer).to_str() if has_start else tokenizer.to_str()


def with_start(tokenizer: Any) -> Any:
    """The tokenizer, with a new token `START`, the next after its own, before every text."""
    tk = library("tokenizers")
    tokenizer.add_special_tokens([START])
    tokenizer.post_processor = tk.processors.TemplateProcessing(
        single=f"{START} $A",
        pair=f"{START} $A $B",
        special_tokens=[(START, tokenizer.token_to_id(START))],
    )
    return tokenizer
