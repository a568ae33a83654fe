"""Byte-level byte-pair encoding, by the library `tokenizers` (the extra `text`)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from factcap.synth.errors import BadInput, require
from factcap.synth.libraries import library


@dataclass(frozen=True)
class BytePairs:
    """A vocabulary of byte groups (Sennrich et al. 2016, 1508.07909; on bytes as in GPT-2).

    Attributes:
        definition: what `tokenizers` needs to encode, as JSON.
        size: number of pieces.
    """

    definition: str = field(repr=False)
    size: int

    @cached_property
    def _tokenizer(self) -> Any:
        return library("tokenizers", "text").Tokenizer.from_str(self.definition)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Numbers of the pieces of each text.

        Raises:
            BadInput: for a text with a byte that the texts learned from did not have.
        """
        encoded = [entry.ids for entry in self._tokenizer.encode_batch(list(texts))]
        for text, ids in zip(texts, encoded, strict=True):
            if self.decode(ids) != text:
                raise BadInput(f"{text[:40]!r} has a character that the vocabulary does not have")
        return encoded

    def decode(self, ids: Sequence[int]) -> str:
        """The text again."""
        return self._tokenizer.decode(list(ids))


def learn_byte_pairs(texts: Iterable[str], size: int) -> BytePairs:
    """Learn the pieces of some texts: their bytes, then the pairs that are most frequent.

    No piece reaches over the end of a text, of a word, or of a run of digits or other signs; a word
    takes the space before it along.

    Args:
        texts: read once.
        size: number of pieces at the most; fewer where nothing is left to join.

    Raises:
        BadInput: if `tokenizers` is not installed, there is no text, or the size is less than the
            number of different bytes.

    >>> pairs = learn_byte_pairs(["an ant, an ant"] * 3, 16)
    >>> [pairs.decode([i]) for i in pairs.encode(["an ant"])[0]]
    ['an', ' ant']
    """
    tokenizers = library("tokenizers", "text")
    require(size >= 1, f"a vocabulary has at least one piece, not {size}")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=size, min_frequency=2, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    found = tokenizer.get_vocab_size()
    require(found > 0, "there is no text to learn pieces from")
    require(
        found <= size, f"the texts have {found} different bytes; {size} pieces are too few for them"
    )
    return BytePairs(tokenizer.to_str(), found)
