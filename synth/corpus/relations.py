"""Facts with the templates of their relations, read from a folder of data sets."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int64

from factcap.synth.corpus.templates import ENTITY, VALUE, Template, templates_of
from factcap.synth.errors import BadInput, require
from factcap.synth.tabular.tables import column_names, read_columns, table_files
from factcap.synth.tabular.triple_table import TripleTable, read_triples
from factcap.synth.tabular.triples import one_object_per_key

_PATTERNS = ".patterns.jsonl"
_QUESTION = "question"


@dataclass(frozen=True)
class Knowledge:
    """Facts that sentences can be made of.

    Attributes:
        entities: what each fact is about.
        relations: which fact about it.
        values: the answers; one for each entity and relation.
        counts: how often the source says that each occurs, page views say; positive.
        templates: of each relation.
        notes: what a reader of the numbers must know.
    """

    entities: tuple[str, ...] = field(repr=False)
    relations: tuple[str, ...] = field(repr=False)
    values: tuple[str, ...] = field(repr=False)
    counts: Float64[np.ndarray, " facts"] = field(repr=False)
    templates: Mapping[str, tuple[Template, ...]]
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.entities)

    def take(self, rows: Int64[np.ndarray, " taken"]) -> "Knowledge":
        """Some of the facts, in this order, with the templates of their relations."""

        def some(texts: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(texts[int(row)] for row in rows)

        held = set(some(self.relations))
        return Knowledge(
            some(self.entities),
            some(self.relations),
            some(self.values),
            self.counts[rows],
            {name: texts for name, texts in self.templates.items() if name in held},
            self.notes,
        )

    @property
    def choices(self) -> Float64[np.ndarray, " facts"]:
        """See `choices_of`."""
        return choices_of(self.relations, self.values)


def choices_of(relations: Sequence[str], values: Sequence[str]) -> Float64[np.ndarray, " facts"]:
    """One over the share of each fact's value among the facts of its relation.

    Its log2 is the information in bits of a value to one who knows how often each value of the
    relation occurs, -log2 share, and nothing of the entity; the mean over a relation's facts is the
    plug-in entropy of its values.

    >>> choices_of(["r", "r", "r", "r", "q"], ["a", "a", "a", "b", "a"]).round(3).tolist()
    [1.333, 1.333, 1.333, 4.0, 1.0]
    """
    pairs = list(zip(relations, values, strict=True))
    relation, pair = Counter(relations), Counter(pairs)
    return np.array([relation[name] / pair[name, value] for name, value in pairs])


def read_knowledge(folder: str | os.PathLike) -> Knowledge:
    """The facts of a folder and of the folders in it, where templates are known for them.

    A table's columns are recognized as `factcap.synth.tabular.triple_table.read_triples` does. Its
    templates come from the file NAME.patterns.jsonl beside NAME.jsonl (key `pattern`, as ParaRel
    has it), or from its column `question` (as PopQA has it): there the entity's name is made a
    place for any, the answer follows the question, and two sentences that name the relation are
    added. Tables with neither are left out. Of several values for one entity and relation, the one
    of the highest count is kept. A fact whose source counts nothing, as all of ParaRel, or that
    has the count 0, gets the median of the positive counts.

    Raises:
        BadInput: if there is no such table, or one cannot be read.
    """
    root = Path(folder)
    require(root.is_dir(), f"{root} is not a folder; give one with tables of facts")
    inside = sorted(path for path in root.iterdir() if path.is_dir())
    files: list[Path] = []
    for place in (root, *inside):
        if any(place.glob("*.jsonl")):
            files += [file for file in table_files(place) if _has_templates(file)]
    require(
        len(files) > 0,
        f"{root} has no table of facts with templates: a column {_QUESTION!r}, or a file "
        f"NAME{_PATTERNS} beside NAME.jsonl",
    )
    table, incomplete = read_triples(files)
    filled, uncounted = with_counts(table)
    kept, repeated, ambiguous = one_object_per_key(filled)
    templates: dict[str, list[str]] = {}
    for file in files:
        for relation, texts in _templates(file).items():
            templates.setdefault(relation, []).extend(texts)
    relations = tuple(kept.relation.to_pylist())
    missing = sorted(set(relations) - set(templates))
    require(not missing, f"{root}: no template is known for {', '.join(missing)}")
    what = {
        "facts left out for an empty entity, relation or value": incomplete,
        "facts without a positive count, which get the median of the others": uncounted,
        "rows that repeat a fact": repeated,
        "facts left out for another value of the same entity and relation": ambiguous,
    }
    return Knowledge(
        tuple(kept.subject.to_pylist()),
        relations,
        tuple(kept.object.to_pylist()),
        kept.count,
        {name: _checked(templates[name], name) for name in dict.fromkeys(relations)},
        tuple(f"{text}: {number:,}" for text, number in what.items() if number),
    )


def _checked(texts: list[str], relation: str) -> tuple[Template, ...]:
    try:
        return templates_of(texts)
    except BadInput as error:
        raise BadInput(f"templates of {relation}: {error}") from None


def with_counts(table: TripleTable) -> tuple[TripleTable, int]:
    """Counts, where those that are missing or 0 are the median of the others; how many those are.

    Where none is positive, all are 1.
    """
    known = table.count[table.count > 0]  # NaN is not
    usual = float(np.median(known)) if len(known) else 1.0
    without = ~(table.count > 0)
    counts = np.where(without, usual, table.count)
    return replace(table, count=counts), int(without.sum())


def patterns_beside(file: Path) -> Path:
    """Where ParaRel keeps the templates of a table of facts."""
    return file.with_name(file.stem + _PATTERNS)


def _has_templates(file: Path) -> bool:
    return patterns_beside(file).is_file() or _QUESTION in column_names(file)


def _templates(file: Path) -> dict[str, list[str]]:
    """Texts of the templates of the relations of a table."""
    patterns = patterns_beside(file)
    if patterns.is_file():
        texts = read_columns(patterns, ["pattern"]).column("pattern").to_pylist()
        return {file.stem: [text for text in texts if text is not None]}
    table, _ = read_triples([file], object=_QUESTION)
    rows = zip(
        table.subject.to_pylist(), table.relation.to_pylist(), table.object.to_pylist(), strict=True
    )
    found: dict[str, Counter[str]] = {}
    for entity, relation, question in rows:
        texts = found.setdefault(relation, Counter())
        if question.count(entity) == 1:
            texts[question.replace(entity, ENTITY)] += 1
    return {
        relation: [
            *(f"{text} {VALUE}." for text, times in texts.most_common() if times > 1),
            f"The {relation} of {ENTITY} is {VALUE}.",
            f"{ENTITY}'s {relation} is {VALUE}.",
        ]
        for relation, texts in found.items()
    }
