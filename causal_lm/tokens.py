"""Where a piece of a text lies among the tokens of the text."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from factcap.synth.errors import BadInput, require


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text as tokens, in the order of the text. Plain lists: a text is short, and there are many.

    Attributes:
        text: the text.
        ids: its tokens, after those that a tokenizer puts before every text.
        starts: the character at which each begins; 0 of what stands before the text. They do not
            fall.
        ends: the character after its last. They do not fall.
    """

    text: str
    ids: list[int]
    starts: list[int]
    ends: list[int]

    def find(self, start: int, end: int) -> tuple[int, int]:
        """The tokens of these characters: the first, and the one after the last.

        The space before them goes with them, where it is a token of its own or part of their first.
        A token that holds other text too, before or behind, is theirs if it holds one of them.
        """
        first = bisect_right(self.ends, start)
        if start > 0 and self.text[start - 1] == " ":
            with_space = bisect_right(self.ends, start - 1, hi=first)
            first = bisect_left(self.starts, start - 1, lo=with_space, hi=first)
        last = bisect_left(self.starts, end)
        return (first, last) if first < last else (0, 0)


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
            list(texts), return_attention_mask=False, padding=False, truncation=False
        )
        largest = max((max(ids) for ids in found["input_ids"] if ids), default=0)
        require(
            largest < self._vocabulary,
            f"the tokenizer of {self._name} is not its own: it has the token {largest:,}, "
            f"the model knows {self._vocabulary:,} tokens",
        )
        return [_tokens(*part) for part in zip(texts, found.encodings, strict=True)]

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
            [self.start, *tokens.ids],
            [0, *tokens.starts],
            [0, *tokens.ends],
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
        wrong = unknown in tokens.ids[:last] and any(
            each == unknown and behind > 0
            for each, behind in zip(tokens.ids[:last], tokens.ends, strict=False)
        )
        reached, lost = 0, False
        for first, behind in zip(tokens.starts[:last], tokens.ends, strict=False):
            if first > reached:
                lost = lost or not tokens.text[reached:first].isspace()
            if behind > reached:
                reached = behind
        lost = lost or bool(tokens.text[reached:end].strip())
        value = tokens.text[start:end]
        require(
            not wrong and not lost,
            f"the tokenizer of {self._name} cannot write {value!r} after "
            f"{tokens.text[max(0, start - 40) : start]!r}",
        )


def _tokens(text: str, encoding: Any) -> Tokens:
    """The encoding of a text by the library `tokenizers`, without what stands behind the text."""
    offsets, special = encoding.offsets, encoding.special_tokens_mask
    count = len(offsets)
    while count and special[count - 1] and offsets[count - 1] == (0, 0):
        count -= 1
    starts, ends = [list(part) for part in zip(*offsets[:count], strict=True)] or ([], [])
    return Tokens(text, encoding.ids[:count], starts, ends)
