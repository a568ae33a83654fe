"""Text that a model was never trained on: facts that nobody told, and templates held back."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from factcap.figures.corpus.experiment import Material
from factcap.figures.corpus.experiment import Plan as TextPlan
from factcap.models import Job, measure_other_facts
from factcap.synth import FactSet
from factcap.synth.corpus import (
    Corpus,
    Knowledge,
    Template,
    Tokenized,
    compose,
    document_facts,
    questions,
    span_facts,
    tokenize,
)
from factcap.synth.corpus.compose import FILLER
from factcap.synth.errors import require

Templates = Mapping[str, tuple[Template, ...]]
# Questions, and the number of the fact that each asks for.
Otherwise = tuple[FactSet, np.ndarray]


def hold_back(knowledge: Knowledge) -> tuple[Knowledge, Templates]:
    """Knowledge without one template of each relation, and these.

    Held back is the last one that can ask and has no character that the other templates lack. A
    relation that would then have none that can ask keeps all.
    """
    kept: dict[str, tuple[Template, ...]] = dict(knowledge.templates)
    back: dict[str, tuple[Template, ...]] = {}
    for relation, texts in knowledge.templates.items():
        for template in reversed(texts):
            rest = tuple(text for text in texts if text != template)
            others = "".join((*FILLER, *(text.text for text in rest)))
            asks = template.promptable and any(text.promptable for text in rest)
            if asks and set(template.text) <= set(others):
                kept[relation], back[relation] = rest, (template,)
                break
    return replace(knowledge, templates=kept), back


@dataclass(frozen=True)
class OtherText:
    """Documents that tell facts nobody was trained on, to be read by a model.

    Attributes:
        corpus: the documents.
        tokenized: in the vocabulary of the training.
    """

    corpus: Corpus
    tokenized: Tokenized

    @property
    def documents(self) -> FactSet:
        """Whole documents."""
        return document_facts(self.tokenized)

    @property
    def values(self) -> FactSet:
        """Their values, given the text before each."""
        choices = self.corpus.knowledge.choices[self.corpus.fact]
        return span_facts(self.tokenized, self.tokenized.spans, choices)

    def loss_outside_values(self, job: Job) -> float:
        """Bits a token, over the tokens that are no value: what needs no fact to be said."""
        whole = measure_other_facts(job, self.documents).nll_bits.sum()
        told = measure_other_facts(job, self.values).nll_bits.sum()
        tokens = sum(map(len, self.tokenized.tokens))
        told_tokens = sum(span.end - span.start for span in self.tokenized.spans)
        return float((whole - told) / (tokens - told_tokens))


def other_text(
    text: TextPlan,
    knowledge: Knowledge,
    made: Material,
    templates: Templates | None,
    most: int,
    seed: int,
) -> OtherText | None:
    """A document each for facts that the corpus of a seed does not tell.

    Args:
        text: of the corpus.
        knowledge: of which the corpus was made.
        made: that corpus.
        templates: in which the facts are told; None: in those of the corpus.
        most: facts at the most.
        seed: by which facts and templates are chosen.

    Returns:
        The documents; None if no relation has such a template.

    Raises:
        BadInput: if the corpus tells all facts that there are.
    """
    told = made.corpus.knowledge
    pairs = set(zip(told.entities, told.relations, strict=True))
    letters = set("".join(document.text for document in made.corpus.documents))
    allowed = told.templates if templates is None else templates
    rest = np.array(
        [
            row
            for row, (entity, relation, value) in enumerate(
                zip(knowledge.entities, knowledge.relations, knowledge.values, strict=True)
            )
            if (entity, relation) not in pairs
            and relation in told.templates
            and len(entity + value) <= text.longest
            and set(entity + value) <= letters
        ],
        int,
    )
    require(
        len(rest) > 0,
        f"no fact is left beside the {len(told):,} that are told; ask for fewer facts",
    )
    rest = np.array([row for row in rest if knowledge.relations[row] in allowed], int)
    if not len(rest):
        return None
    some = replace(knowledge, templates=allowed).take(rest)
    facts = min(most, len(rest))
    corpus = compose(some, documents=facts, facts=facts, exponent=0.0, seed=seed)
    return OtherText(corpus, tokenize(corpus.documents, made.tokenized.pairs))


def asked_otherwise(made: Material, templates: Templates) -> Otherwise | None:
    """The facts of a corpus, asked with other templates; None if no fact has one."""
    corpus = made.corpus
    relations = corpus.knowledge.relations
    rows = np.array([row for row, name in enumerate(relations) if name in templates], int)
    if not len(rows):
        return None
    some = replace(corpus.knowledge, templates=templates).take(rows)
    part = Corpus(corpus.documents, some, np.array([], int), corpus.frequency[rows])
    asked = questions(part, made.tokenized)
    return asked.rows, rows[asked.fact]
