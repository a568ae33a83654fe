"""Where a piece of a text lies among the tokens of the text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int32, Int64

from factcap.synth.errors import BadInput, require


@dataclass(frozen=True)
class Tokens:
    """A text as tokens.

    Attributes:
        text: the text.
        ids: its tokens, after those that a tokenizer puts before every text.
        starts: the character at which each begins; 0 of what stands before the text.
        ends: the character after its last.
    """

    text: str
    ids: Int32[np.ndarray, " tokens"]
    starts: Int64[np.ndarray, " tokens"]
    ends: Int64[np.ndarray, " tokens"]

    def find(self, start: int, end: int) -> tuple[int, int]:
        """The tokens of these characters: the first, and the one after the last.

        The space before them goes with them, where it is a token of its own or part of their first.
        A token that holds other text too, before or behind, is theirs if it holds one of them.
        """
        with_space = start - (start > 0 and self.text[start - 1] == " ")
        theirs = (self.ends > start) | ((self.starts >= with_space) & (self.ends > with_space))
        theirs &= self.starts < end
        if not theirs.any():
            return 0, 0
        return int(np.argmax(theirs)), len(theirs) - int(np.argmax(theirs[::-1]))


class Tokenizer:
    """Cuts texts as a model's own tokenizer does, in one piece.

    What it puts before a text, a start token say, stays; what it puts behind is left out, since the
    text goes on. A whole document, and a text that begins with what is to be predicted, gets the
    model's start token, or where it has none its end token, as the evaluation harness of EleutherAI
    does.

    Args:
        tokenizer: of `transformers`; it tells the place of each token.
        name: of the model, for messages.
        vocabulary: how many tokens the model knows.
    """

    def __init__(self, tokenizer: Any, name: str, vocabulary: int):
        self._tokenizer = tokenizer
        self._name = name
        self._vocabulary = vocabulary
        bos, eos = tokenizer.bos_token_id, tokenizer.eos_token_id
        self.start = bos if bos is not None else eos

    def cut(self, texts: Sequence[str]) -> list[Tokens]:
        """Tokens of each text.

        Raises:
            BadInput: for a token that the model does not know.
        """
        if not texts:
            return []
        found = self._tokenizer(
            list(texts),
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
            return_attention_mask=False,
            padding=False,
            truncation=False,
        )
        largest = max((max(ids) for ids in found["input_ids"] if ids), default=0)
        require(
            largest < self._vocabulary,
            f"the tokenizer of {self._name} is not its own: it has the token {largest:,}, "
            f"the model knows {self._vocabulary:,} tokens",
        )
        parts = zip(
            texts,
            found["input_ids"],
            found["offset_mapping"],
            found["special_tokens_mask"],
            strict=True,
        )
        return [_tokens(*part) for part in parts]

    def started(self, tokens: Tokens, *, needed: bool = True) -> Tokens:
        """The same after a start token, unless something stands before the text already.

        Args:
            tokens: of a text.
            needed: whether its first token is to be predicted.

        Raises:
            BadInput: if it is needed and the tokenizer has none.
        """
        if (len(tokens.ids) and tokens.ends[0] == 0) or (self.start is None and not needed):
            return tokens
        if self.start is None:
            raise BadInput(
                f"the tokenizer of {self._name} has no start token, so that nothing can be "
                "predicted at the beginning of a text"
            )
        return Tokens(
            tokens.text,
            np.insert(tokens.ids, 0, self.start),
            np.insert(tokens.starts, 0, 0),
            np.insert(tokens.ends, 0, 0),
        )

    def check(self, tokens: Tokens, start: int, end: int) -> None:
        """Raise `BadInput` unless the tokens up to `end` hold all that is to be read there.

        Args:
            tokens: of a text.
            start: where in it the value begins.
            end: where it ends.
        """
        last = tokens.find(start, end)[1]
        unknown = self._tokenizer.unk_token_id
        # GPT-2 calls its end token unknown, too; it stands in no text.
        wrong = unknown is not None and bool(
            np.any(tokens.ids[:last][tokens.ends[:last] > 0] == unknown)
        )
        held = np.zeros(len(tokens.text) + 1, np.int64)
        np.add.at(held, tokens.starts[:last], 1)
        np.add.at(held, tokens.ends[:last], -1)
        held = np.cumsum(held)[:end] > 0
        lost = [place for place in np.flatnonzero(~held) if not tokens.text[place].isspace()]
        value = tokens.text[start:end]
        require(
            not wrong and not lost,
            f"the tokenizer of {self._name} cannot write {value!r} after "
            f"{tokens.text[max(0, start - 40) : start]!r}",
        )


def _tokens(
    text: str, ids: list[int], offsets: list[tuple[int, int]], special: list[int]
) -> Tokens:
    count = len(ids)
    while count and special[count - 1] and offsets[count - 1] == (0, 0):
        count -= 1
    places = np.array(offsets[:count], np.int64).reshape(count, 2)
    return Tokens(text, np.array(ids[:count], np.int32), places[:, 0], places[:, 1])
