"""The user's own facts: triples of subject, relation and object from CSV, JSONL or Parquet."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions at run time.)

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Int32, Int64

from factcap.synth.entropy import PlugIn, plug_in_entropy
from factcap.synth.errors import require
from factcap.synth.factset import FactSet, Origin
from factcap.synth.frequency import empirical
from factcap.synth.tabular.tables import table_files
from factcap.synth.tabular.triple_table import TripleTable, read_triples

Level = Literal["word", "character"]

# A word takes the space before it along, so that the pieces joined give the text back.
_WORDS = re.compile(r" ?\w+| ?[^\w\s]|\s")
# Ends every value.
END_TOKEN = 0
_RELATIONS_NOTED = 20


def triples(
    paths: str | os.PathLike | Sequence[str | os.PathLike],
    *,
    subject: str | None = None,
    relation: str | None = None,
    object: str | Sequence[str] | None = None,
    count: str | None = None,
    level: Level = "word",
    facts: int | None = None,
    seed: int | None = None,
) -> FactSet:
    """Facts from tables of subject, relation, object and, where there is one, a count.

    `factcap.synth.tabular.triple_table.read_triples` says which columns are recognized. Rows become
    facts so:

    * Rows with the same triple are one fact and their counts add up; without a count column each
      row counts 1, so that the frequency is that of the rows.
    * A missing count is taken as the smallest positive one of the input: the fact occurs, and it
      is the rare ones whose count nobody wrote down.
    * Of several objects for one subject and relation, the one of the highest count is kept (of
      equal ones the first), because recall asks for one answer.

    **Tokens.** Token 0 ends every value; without it, one could not tell a model that knows "New"
    from one that knows "New York". Each relation is a token. A key is the relation, then the
    subject; a value is the object, then token 0. At word level, texts are cut into words and
    single other characters, each with the space before it; at character level, into characters.
    Case is kept, and both ways give the text back, so that no two keys have the same tokens.

    **Entropy.** That of a relation's objects, each fact counted once: choices = 2^entropy, the
    same for all facts of a relation. The notes of `origin` give three reservations in numbers or
    words. The plug-in estimate is biased low. Objects are not uniform, so that always guessing the
    commonest one is right more often than once in `choices`, and costs no memory. A subject may
    tell of its object (a French name), which lowers what there is to memorize.

    Entropies and vocabulary are those of the whole input, so that `facts=n` gives a prefix of the
    larger set.

    Args:
        paths: a file, several, or a folder; .csv, .tsv, .jsonl, .ndjson or .parquet.
        subject: name of the subject's column.
        relation: name of the relation's column.
        object: name of the object's column; or, of a table with one row a subject, a sequence of
            columns, each of which is a relation.
        count: name of the count's column.
        level: "word" or "character".
        facts: take the first so many; None takes all.
        seed: None leaves the facts in the order of the files (where that is by count, the first
            are the most frequent); a number shuffles them.

    Raises:
        BadInput: for input that cannot be read, a missing column, a count that is negative or not
            a number, no triple at all, or more facts asked for than there are.
    """
    require(level in ("word", "character"), f"level must be 'word' or 'character', not {level!r}")
    require(seed is None or seed >= 0, f"seed must be >= 0, not {seed}")
    files = table_files(paths)
    rows, incomplete = read_triples(
        files, subject=subject, relation=relation, object=object, count=count
    )
    counted, uncounted = _fill_counts(rows)
    table, repeated, ambiguous = one_object_per_key(counted)
    available = len(table.count)
    taken = available if facts is None else facts
    require(
        1 <= taken <= available, f"there are {available} facts; ask for 1 to that many, not {taken}"
    )
    relations, relation_number = _number(table.relation)
    objects, object_number = _number(table.object)
    subjects, subject_number = _number(table.subject)
    estimate = plug_in_entropy(object_number, relation_number)
    texts, different = _cut([*subjects, *objects], level, first_token=1 + len(relations))
    order = np.arange(available)
    if seed is not None:
        order = np.random.default_rng(seed).permutation(available)
    order = order[:taken]
    table = table.take(order)
    tokens, key_length, length = _lay_out(
        texts,
        relation_tokens=1 + relation_number[order],
        subjects=subject_number[order],
        objects=len(subjects) + object_number[order],
    )
    changes = {
        "triples left out for an empty subject, relation or object": incomplete,
        "triples without a count, which take the smallest positive one": uncounted,
        "rows that repeat a triple, whose counts add up": repeated,
        "triples left out for another object of the same key, of higher count or first": ambiguous,
    }
    notes = [f"{what}: {number:,}" for what, number in changes.items() if number]
    return FactSet(
        keys=pc.binary_join_element_wise(table.relation, table.subject, ": "),
        values=table.object,
        choices=np.exp2(estimate.bits)[relation_number[order]],
        frequency=empirical(table.count),
        tokens=tokens,
        key_length=key_length,
        length=length,
        origin=Origin(
            generator="triples",
            arguments={
                "files": [file.name for file in files],
                "subject": subject,
                "relation": relation,
                "object": object if object is None or isinstance(object, str) else list(object),
                "count": count,
                "level": level,
                "facts": taken,
            },
            seed=seed,
            vocabulary_size=1 + len(relations) + different,
            notes=(*notes, *_entropy_notes(relations, estimate)),
        ),
    )


def _fill_counts(table: TripleTable) -> tuple[TripleTable, int]:
    """Counts without gaps, and how many were missing among others that were not."""
    missing = np.isnan(table.count)
    if missing.all():
        return replace(table, count=np.ones(len(missing))), 0
    positive = table.count[table.count > 0]
    filled = np.where(missing, positive.min() if len(positive) else 1.0, table.count)
    return replace(table, count=filled), int(missing.sum())


def one_object_per_key(table: TripleTable) -> tuple[TripleTable, int, int]:
    """Merge equal triples, keep one object a key; how many rows were merged, triples dropped."""
    subjects, subject = _number(table.subject)
    objects, object_ = _number(table.object)
    _, relation = _number(table.relation)
    # Numbering the keys anew keeps the products below the number of rows squared.
    _, key = np.unique(relation * len(subjects) + subject, return_inverse=True)
    triple = key * len(objects) + object_
    _, first, group = np.unique(triple, return_index=True, return_inverse=True)
    count = np.bincount(group, weights=table.count)
    merged = replace(table.take(first), count=count)
    ranked = np.lexsort((first, -count, key[first]))
    is_best = np.diff(key[first][ranked], prepend=-1) > 0
    best = ranked[is_best]
    in_order = best[np.argsort(first[best])]
    return merged.take(in_order), len(key) - len(first), len(first) - len(best)


def _number(column: pa.StringArray) -> tuple[list[str], Int64[np.ndarray, " rows"]]:
    """The different texts in the order of their first rows, and each row's number among them."""
    encoded = column.dictionary_encode()
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.int64)


class _Texts(NamedTuple):
    """Texts as tokens, one after the other."""

    tokens: Int32[np.ndarray, " tokens"]
    start: Int64[np.ndarray, " texts"]
    length: Int64[np.ndarray, " texts"]

    def chain(self, numbers: Int64[np.ndarray, " picked"]) -> Int32[np.ndarray, " out"]:
        """The tokens of the texts with these numbers."""
        length = self.length[numbers]
        shift = self.start[numbers] - (np.cumsum(length) - length)
        return self.tokens[np.arange(length.sum()) + np.repeat(shift, length)]


def cut_text(text: str, level: Level) -> list[str]:
    """The pieces of a subject or an object, each a token.

    >>> cut_text("New York, USA", "word")
    [' New', ' York', ',', ' USA']
    """
    # The space in front makes the first word of a text the same token as elsewhere.
    return _WORDS.findall(f" {text}") if level == "word" else list(text)


def _cut(texts: list[str], level: Level, first_token: int) -> tuple[_Texts, int]:
    """Texts as tokens, numbered by their first occurrence, and how many different ones."""
    cut = [cut_text(text, level) for text in texts]
    length = np.array([len(pieces) for pieces in cut], np.int64)
    encoded = pa.array(chain.from_iterable(cut), pa.string()).dictionary_encode()
    tokens = encoded.indices.to_numpy() + np.int32(first_token)
    return _Texts(tokens, np.cumsum(length) - length, length), len(encoded.dictionary)


def _lay_out(
    texts: _Texts,
    *,
    relation_tokens: Int64[np.ndarray, " facts"],
    subjects: Int64[np.ndarray, " facts"],
    objects: Int64[np.ndarray, " facts"],
) -> tuple[
    Int32[np.ndarray, "facts longest"], Int32[np.ndarray, " facts"], Int32[np.ndarray, " facts"]
]:
    """Token rows (relation, subject, object, end), key lengths and lengths."""
    key_length = 1 + texts.length[subjects]
    end = key_length + texts.length[objects]
    position = np.arange(end.max() + 1)
    tokens = np.full((len(end), len(position)), END_TOKEN, np.int32)
    tokens[:, 0] = relation_tokens
    tokens[_between(position, np.ones_like(key_length), key_length)] = texts.chain(subjects)
    tokens[_between(position, key_length, end)] = texts.chain(objects)
    return tokens, key_length.astype(np.int32), (end + 1).astype(np.int32)


def _between(
    position: Int64[np.ndarray, " longest"],
    start: Int64[np.ndarray, " facts"],
    stop: Int64[np.ndarray, " facts"],
) -> Bool[np.ndarray, "facts longest"]:
    return (position >= start[:, None]) & (position < stop[:, None])


def _entropy_notes(relations: list[str], estimate: PlugIn) -> list[str]:
    """What a reader must know of the entropies: in general, then for the largest relations."""
    largest = np.argsort(-estimate.items, kind="stable")[:_RELATIONS_NOTED]
    general = (
        "a fact's entropy is the plug-in estimate from its relation's objects, biased low; "
        "objects are not uniform, and a subject may tell of its object"
    )
    each = [
        f"{relations[i]}: {estimate.items[i]:,} facts, {estimate.different[i]:,} objects, "
        f"{estimate.bits[i]:.2f} bits, low by about {estimate.bias_bits[i]:.2f}; "
        f"the commonest object is right for {estimate.commonest[i]:.1%}"
        for i in largest
    ]
    more = len(relations) - len(each)
    return [general, *each, *([f"and {more:,} smaller relations"] if more else [])]
