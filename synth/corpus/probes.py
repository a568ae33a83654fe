"""Facts as a language model is asked for them: prompts, and the answers that are accepted."""

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64

from factcap.synth.corpus.relations import choices_of, patterns_beside, with_counts
from factcap.synth.corpus.templates import Template, templates_of
from factcap.synth.errors import BadInput, require
from factcap.synth.frequency import empirical
from factcap.synth.tabular.tables import column_names, read_columns, table_files
from factcap.synth.tabular.triple_table import read_triples
from factcap.synth.tabular.triples import one_object_per_key

_QUESTION, _ANSWERS = "question", "possible_answers"
# How Mallen et al. 2023 ask PopQA.
_QUESTION_FORM = "Q: [X] A: [Y]"


@dataclass(frozen=True)
class Prompt:
    """A text that asks for a fact.

    Attributes:
        text: what stands before the answer.
        template: the number of its template among those of the relation.
    """

    text: str
    template: int


@dataclass(frozen=True)
class Probes:
    """Facts, and the prompts that ask for each.

    Attributes:
        entities: what each fact is about.
        relations: which fact about it.
        values: the answers.
        accepted: of each fact all answers that count as right, the value first.
        prompts: of each fact, at least one.
        templates: texts of the templates of each relation, by their numbers.
        frequency: of each fact; sums to 1.
        notes: what a reader of the numbers must know.
    """

    entities: tuple[str, ...] = field(repr=False)
    relations: tuple[str, ...] = field(repr=False)
    values: tuple[str, ...] = field(repr=False)
    accepted: tuple[tuple[str, ...], ...] = field(repr=False)
    prompts: tuple[tuple[Prompt, ...], ...] = field(repr=False)
    templates: Mapping[str, tuple[str, ...]]
    frequency: Float64[np.ndarray, " facts"] = field(repr=False)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.entities)

    @property
    def entropy_bits(self) -> Float64[np.ndarray, " facts"]:
        """-log2 of the share of each value within its relation: see `choices_of`."""
        return np.log2(choices_of(self.relations, self.values))


def commonest(relations: Sequence[str], values: Sequence[str]) -> Bool[np.ndarray, " facts"]:
    """Which facts have the commonest value of their relation; of equally common ones the first.

    Whoever always says this value is right for these facts and has memorized none.

    >>> commonest(["r", "r", "r", "q", "q"], ["a", "b", "b", "c", "d"]).tolist()
    [False, True, True, True, False]
    """
    pairs = list(zip(relations, values, strict=True))
    found: dict[str, str] = {}
    for (relation, value), _ in Counter(pairs).most_common():
        found.setdefault(relation, value)
    return np.array([found.get(relation) == value for relation, value in pairs])


def read_probes(path: str | os.PathLike, templates: str | os.PathLike | None = None) -> Probes:
    """Facts of a table, or of a folder of tables, with prompts.

    Columns of subject, relation, object and count are recognized as
    `factcap.synth.tabular.triple_table.read_triples` does. Prompts come from the templates that are
    given; else from the file NAME.patterns.jsonl beside NAME.jsonl, as ParaRel has it; else from
    the column `question`, as PopQA has it, in the form in which Mallen et al. 2023 (2212.10511) ask
    it, "Q: ... A:". A template whose value comes before the entity cannot ask, and is left out.
    The column `possible_answers`, a JSON list as in PopQA, names the answers that are accepted.

    Of several values for one entity and relation, the one of the highest count is kept, of equal
    ones the first. A fact without a positive count gets the median of the others.

    Args:
        path: .csv, .tsv, .jsonl, .ndjson or .parquet, or a folder of them.
        templates: a table with the column `pattern`, "[X] was born in [Y].", and perhaps the column
            `relation`; without it each template asks for every relation.

    Raises:
        BadInput: for a file that cannot be read, a template without one `[X]` and one `[Y]`, or a
            relation without a template that can ask.
    """
    files = table_files(path)
    table, incomplete = read_triples(files)
    filled, uncounted = with_counts(table)
    kept, repeated, ambiguous = one_object_per_key(filled)
    entities, relations, values = (
        tuple(column.to_pylist()) for column in (kept.subject, kept.relation, kept.object)
    )
    keys, names = list(zip(entities, relations, strict=True)), list(dict.fromkeys(relations))
    if templates is None:
        texts, questions = _templates_of_tables(files)
    else:
        given, questions = read_templates(templates), {}
        texts = {name: [*given.get(name, ()), *given.get("", ())] for name in names}
    asking = {name: _asking(texts[name], name) for name in names if name in texts}
    answers = _listed_answers(files)
    what = {
        "facts left out for an empty entity, relation or value": incomplete,
        "facts without a positive count, which get the median of the others": uncounted,
        "rows that repeat a fact": repeated,
        "facts left out for another value of the same entity and relation": ambiguous,
        "templates left out because the value comes before the entity": sum(
            len(dict.fromkeys(texts[name])) - len(some) for name, some in asking.items()
        ),
    }
    return Probes(
        entities,
        relations,
        values,
        tuple(
            _accepted(value, answers.get(key, ())) for key, value in zip(keys, values, strict=True)
        ),
        tuple(_prompts(*key, asking, questions) for key in keys),
        {
            name: tuple(each.text for each in asking[name]) if name in asking else (_QUESTION_FORM,)
            for name in names
        },
        empirical(kept.count),
        tuple(f"{text}: {number:,}" for text, number in what.items() if number),
    )


def _templates_of_tables(
    files: Sequence[Path],
) -> tuple[dict[str, list[str]], dict[tuple[str, str], str]]:
    """Templates by relation where they lie beside a table, else its questions by fact."""
    texts: dict[str, list[str]] = {}
    questions: dict[tuple[str, str], str] = {}
    for file in files:
        beside = patterns_beside(file)
        if beside.is_file():
            for relation, some in read_templates(beside).items():
                texts.setdefault(relation or file.stem, []).extend(some)
            continue
        require(
            _QUESTION in column_names(file),
            f"no template is known for {file}; give --templates FILE with a column pattern, "
            "as in '[X] was born in [Y].'",
        )
        questions.update(_cells(file, _QUESTION))
    return texts, questions


def _listed_answers(files: Sequence[Path]) -> dict[tuple[str, str], list[tuple[str, ...]]]:
    """The lists of accepted answers by (entity, relation)."""
    found: dict[tuple[str, str], list[tuple[str, ...]]] = {}
    for file in files:
        if _ANSWERS in column_names(file):
            for key, cell in _cells(file, _ANSWERS):
                found.setdefault(key, []).append(_answers(cell, file))
    return found


def read_templates(path: str | os.PathLike) -> dict[str, list[str]]:
    """Texts of templates by relation; "" for those of every relation.

    Raises:
        BadInput: if the file cannot be read or has no column `pattern`.
    """
    [file] = table_files(path) if Path(path).is_file() else [Path(path)]
    require(file.is_file(), f"{file} does not exist; give a file with a column pattern")
    names = column_names(file)
    require(
        "pattern" in names,
        f"{file} has no column 'pattern' with templates as '[X] was born in [Y].'; it has "
        + ", ".join(map(repr, names)),
    )
    wanted = [name for name in ("pattern", "relation") if name in names]
    found: dict[str, list[str]] = {}
    for row in read_columns(file, wanted).to_pylist():
        if row["pattern"] is not None:
            found.setdefault(row.get("relation") or "", []).append(row["pattern"])
    return found


def _asking(texts: list[str], relation: str) -> tuple[Template, ...]:
    require(bool(texts), f"no template is known for {relation}")
    try:
        return tuple(each for each in templates_of(texts) if each.promptable)
    except BadInput as error:
        raise BadInput(f"templates of {relation}: {error}") from None


def _prompts(
    entity: str,
    relation: str,
    asking: Mapping[str, tuple[Template, ...]],
    questions: Mapping[tuple[str, str], str],
) -> tuple[Prompt, ...]:
    if relation in asking:
        return tuple(
            Prompt(each.prompt(entity), number) for number, each in enumerate(asking[relation])
        )
    require(
        (entity, relation) in questions, f"there is no question for the {relation} of {entity!r}"
    )
    form = Template(_QUESTION_FORM)
    return (Prompt(form.prompt(questions[entity, relation]), 0),)


def _cells(file: Path, name: str) -> list[tuple[tuple[str, str], str]]:
    table, _ = read_triples([file], object=name)
    keys = zip(table.subject.to_pylist(), table.relation.to_pylist(), strict=True)
    return list(zip(keys, table.object.to_pylist(), strict=True))


def _answers(cell: str, file: Path) -> tuple[str, ...]:
    try:
        found = json.loads(cell)
    except ValueError:
        found = None
    if not (isinstance(found, list) and all(isinstance(each, str) for each in found)):
        raise BadInput(f"{file}: {_ANSWERS!r} must be a JSON list of texts, not {cell[:40]!r}")
    return tuple(each.strip() for each in found if each.strip())


def _accepted(value: str, lists: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    # Two people of one name have a list each: that counts which has the value.
    of_value = next((some for some in lists if value in some), ())
    return tuple(dict.fromkeys((value, *of_value)))
