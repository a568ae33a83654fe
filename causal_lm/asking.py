"""What is asked of a model: facts of each kind as passages of its tokens."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from jaxtyping import Float64, Int64

from factcap.causal_lm.checkpoint import Checkpoint
from factcap.causal_lm.passages import Passage, Passages
from factcap.causal_lm.tokens import Tokenizer
from factcap.synth.corpus import Document, Probes, load_documents, read_probes
from factcap.synth.corpus.relations import choices_of
from factcap.synth.errors import BadInput, require
from factcap.synth.factset import FactSet
from factcap.synth.parquet import load
from factcap.synth.tabular.tables import column_names

# Texts that are cut into tokens at a time.
_TEXTS = 1024
# A model's vocabulary is often filled up to a multiple of a power of two, up to this one.
_FILLED = 128


@dataclass(frozen=True)
class Facts:
    """What a measurement says something of, a row a fact.

    Attributes:
        entities: what each is about; of a fact set its key.
        relations: which fact about it.
        values: the answers.
        entropy_bits: of each.
        frequency: of each; sums to 1.
        notes: what a reader of the numbers must know.
    """

    entities: tuple[str, ...] = field(repr=False)
    relations: tuple[str, ...] = field(repr=False)
    values: tuple[str, ...] = field(repr=False)
    entropy_bits: Float64[np.ndarray, " facts"]
    frequency: Float64[np.ndarray, " facts"]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class Asked:
    """The passages that ask for facts.

    A fact is asked by one prompt or several: by each template, or at each place where a document
    tells it. A prompt is answered by one span or several, where several answers are accepted.

    Attributes:
        facts: what is asked.
        passages: what the model reads.
        prompt_of_span: number of the prompt that each span answers.
        fact_of_prompt: number of the fact that each prompt asks for; in their order.
        template_of_prompt: number of its template in the relation, or of its place in the fact's.
    """

    facts: Facts
    passages: Passages = field(repr=False)
    prompt_of_span: Int64[np.ndarray, " spans"]
    fact_of_prompt: Int64[np.ndarray, " prompts"]
    template_of_prompt: Int64[np.ndarray, " prompts"]


Source = FactSet | Probes | tuple[Document, ...]


def read_facts(path: Path, templates: Path | None = None) -> Source:
    """Facts of a file: a fact set, documents with marked spans, or a table with templates.

    Args:
        path: a fact set is a Parquet file that factcap wrote; documents are .jsonl or .parquet with
            columns `text` and `spans`; all else is a table, or a folder of them (`read_probes`).
        templates: of a table.

    Raises:
        BadInput: if it cannot be read as what it is, or templates are given for another kind.
    """
    require(path.exists(), f"{path} does not exist; give facts as a Parquet, CSV or JSONL file")
    kind = _kind(path)
    require(
        templates is None or kind == "table",
        f"{path} needs no templates: it is {kind}; leave out --templates",
    )
    if kind == "a fact set":
        return load(path)
    if kind == "documents":
        return load_documents(path)
    return read_probes(path, templates)


def _kind(path: Path) -> str:
    if path.is_dir():
        return "table"
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        try:
            if b"factcap" in (pq.read_schema(path).metadata or {}):
                return "a fact set"
        except (OSError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise BadInput(f"{path} is not a readable Parquet file ({reason})") from None
    if suffix in (".parquet", ".jsonl") and {"text", "spans"} <= set(column_names(path)):
        return "documents"
    return "table"


def ask(checkpoint: Checkpoint, source: Source) -> Asked:
    """The facts as passages for this model.

    Raises:
        BadInput: if the model's vocabulary is not the fact set's, its tokenizer cannot write a
            value, or its context cannot hold a fact.
    """
    if isinstance(source, FactSet):
        asked = _fact_set(checkpoint, source)
    else:
        tokenizer = Tokenizer(checkpoint.tokenizer, checkpoint.name, checkpoint.vocabulary)
        if isinstance(source, Probes):
            asked = _probes(tokenizer, source)
        else:
            asked = _documents(tokenizer, source)
    longest = int(asked.passages.read.max())
    require(
        checkpoint.context is None or longest <= checkpoint.context,
        f"the context of {checkpoint.name} holds {checkpoint.context} tokens; a fact with what is "
        f"read before it takes {longest}",
    )
    return asked


def _fact_set(checkpoint: Checkpoint, facts: FactSet) -> Asked:
    keyless = bool(np.any(facts.key_length == 0))
    needed = facts.vocabulary_size + keyless
    require(
        needed <= checkpoint.vocabulary < needed + _FILLED,
        f"the fact set has {facts.vocabulary_size:,} token ids{' and a start' if keyless else ''}, "
        f"{checkpoint.name} has {checkpoint.vocabulary:,}; give a model of this fact set, as "
        "`factcap export` makes, or facts as text",
    )
    start = np.full(int(keyless), facts.vocabulary_size, np.int32)
    passages = Passages(
        Passage(
            np.concatenate([start, facts.tokens[row, :length]]),
            ((int(key) + len(start), int(length) + len(start)),),
        )
        for row, (key, length) in enumerate(zip(facts.key_length, facts.length, strict=True))
    )
    each = np.arange(len(facts))
    keys = tuple(facts.keys.to_pylist())
    described = Facts(
        keys,
        _relations(facts, keys),
        tuple(facts.values.to_pylist()),
        facts.entropy_bits,
        facts.frequency,
        facts.origin.notes,
    )
    return Asked(described, passages, each, each, np.zeros_like(each))


def _relations(facts: FactSet, keys: Sequence[str]) -> tuple[str, ...]:
    """Of triples the relation, which begins their keys; of other sets the generator's name."""
    if facts.origin.generator != "triples":
        return (facts.origin.generator,) * len(facts)
    return tuple(key.split(": ")[0] for key in keys)


def _probes(tokenizer: Tokenizer, probes: Probes) -> Asked:
    prompts = [len(each) for each in probes.prompts]
    answers = [len(each) for each in probes.accepted]
    fact_of_prompt = np.repeat(np.arange(len(probes)), prompts)
    spans = (
        (prompt.text, answer)
        for asking, accepted in zip(probes.prompts, probes.accepted, strict=True)
        for prompt in asking
        for answer in accepted
    )
    facts = Facts(
        probes.entities,
        probes.relations,
        probes.values,
        probes.entropy_bits,
        probes.frequency,
        probes.notes,
    )
    return Asked(
        facts,
        Passages(continued(tokenizer, spans)),
        np.repeat(np.arange(len(fact_of_prompt)), np.array(answers)[fact_of_prompt]),
        fact_of_prompt,
        np.array([prompt.template for asking in probes.prompts for prompt in asking]),
    )


def continued(tokenizer: Tokenizer, spans: Iterable[tuple[str, str]]) -> Iterator[Passage]:
    """Passages of (text before, text that goes on and is scored), cut into tokens as one text."""
    rest = iter(spans)
    while some := list(islice(rest, _TEXTS)):
        cut = tokenizer.cut([before + value for before, value in some])
        for (before, value), tokens in zip(some, cut, strict=True):
            start, end = len(before), len(before) + len(value)
            tokenizer.check(tokens, start, end)
            found = tokens.find(start, end)
            if found[0] == 0:
                tokens = tokenizer.started(tokens)
                found = tokens.find(start, end)
            yield Passage(np.array(tokens.ids[: found[1]], np.int32), (found,))


def _documents(tokenizer: Tokenizer, documents: Sequence[Document]) -> Asked:
    numbers: dict[tuple[str, str, str], int] = {}
    passages: list[Passage] = []
    fact_of_span: list[int] = []
    marked = [document for document in documents if document.spans]
    require(bool(marked), "no document has a marked fact; mark some as spans")
    for first in range(0, len(marked), _TEXTS):
        some = marked[first : first + _TEXTS]
        for document, cut in zip(some, tokenizer.cut([each.text for each in some]), strict=True):
            first = document.spans[0]
            needed = cut.find(first.start, first.end)[0] == 0
            tokens = tokenizer.started(cut, needed=needed)
            for span in document.spans:
                tokenizer.check(cut, span.start, span.end)
                fact_of_span.append(numbers.setdefault(span.fact, len(numbers)))
            places = tuple(tokens.find(span.start, span.end) for span in document.spans)
            passages.append(Passage(np.array(tokens.ids[: places[-1][1]], np.int32), places))
    entities, relations, values = (tuple(some) for some in zip(*numbers, strict=True))
    fact = np.array(fact_of_span)
    # Prompts are numbered fact by fact, the places of each in the order of the documents.
    order = np.argsort(fact, kind="stable")
    prompt = np.empty(len(fact), np.int64)
    prompt[order] = np.arange(len(fact))
    told = np.bincount(fact)
    place = np.arange(len(fact)) - np.repeat(np.cumsum(told) - told, told)
    facts = Facts(
        entities,
        relations,
        values,
        np.log2(choices_of(relations, values)),
        told / told.sum(),
        ("the frequency of a fact is that of its marks in the documents",),
    )
    return Asked(facts, Passages(passages), prompt, fact[order], place)
