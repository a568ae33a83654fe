"""The spelling of triples: which text each token of a relation, a word or a character has."""

import re
from collections import defaultdict
from collections.abc import Sequence

from factcap.models.exchange.spelling import END, Spelling, word_level
from factcap.synth import FactSet
from factcap.synth.tabular.triples import END_TOKEN, Level, cut_text

# Words and characters as `cut_text` cuts them, written for Oniguruma.
_PATTERNS = {
    "word": r" ?[\p{L}\p{N}_]+| ?[^\p{L}\p{N}_\s]|\s",
    "character": r"(?m:.)",
}


def triples_spelling(facts: FactSet) -> Spelling:
    """How triples are typed: the relation, a colon, and what follows as it is.

    Tokens that none of these facts has are typed as numbers.

    Args:
        facts: as `factcap.synth.triples` makes them, or some of them.
    """
    level: Level = facts.origin.arguments["level"]
    keys, values = facts.keys.to_pylist(), facts.values.to_pylist()
    # At word level the space before a subject is its own; at character level it has none.
    after, between = (":", " ") if level == "word" else (": ", "")
    relations = _relations(facts, keys, level)
    pieces = {f"{name}{after}": token for token, name in relations.items()}
    for fact, (key, value) in enumerate(zip(keys, values, strict=True)):
        tokens = facts.tokens[fact, 1 : facts.length[fact] - 1].tolist()
        subject = key[len(relations[int(facts.tokens[fact, 0])]) + 2 :]
        pieces |= zip(cut_text(subject, level) + cut_text(value, level), tokens, strict=False)
    known = set(pieces.values())
    for token in range(facts.vocabulary_size):
        if token not in known:
            pieces[END if token == END_TOKEN else f"<{token}>"] = token
    names = sorted(relations.values(), key=len, reverse=True)
    beginning = rf"\A(?:{'|'.join(map(re.escape, names))}){after}"
    definition = word_level(pieces, f"{beginning}|{_PATTERNS[level]}", has_end=True)
    note = (
        "A key is typed as it is, `relation: subject`"
        + (", a space before its value" if between else "")
        + f"; `{END}` ends every value."
    )
    return Spelling(definition, note, between, has_end=True)


def _relations(facts: FactSet, keys: Sequence[str], level: Level) -> dict[int, str]:
    """The name of each relation, by its token."""
    found: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for relation, key, length in zip(
        facts.tokens[:, 0].tolist(), keys, facts.key_length.tolist(), strict=True
    ):
        found[relation].append((key, length - 1))
    return {relation: _name(rows, level) for relation, rows in found.items()}


def _name(rows: Sequence[tuple[str, int]], level: Level) -> str:
    """What stands before the colon in all keys of a relation: as short as their tokens allow.

    Args:
        rows: (key, tokens of its subject) of the relation's facts.
        level: at which texts are cut.
    """
    first, _ = rows[0]
    for colon in re.finditer(": ", first):
        name = first[: colon.start()]
        if all(
            key.startswith(f"{name}: ") and len(cut_text(key[len(name) + 2 :], level)) == subject
            for key, subject in rows
        ):
            return name
    return first.split(": ")[0]
