"""Asking for every fact with every template, and when a fact is known."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float64, Int64

from factcap.synth.corpus.compose import Corpus
from factcap.synth.corpus.tokens import Tokenized, prompt_facts
from factcap.synth.factset import FactSet


@dataclass(frozen=True)
class Questions:
    """Every fact of a corpus, asked with each template that can ask it.

    Attributes:
        rows: a prompt and its answer each: see `prompt_facts`.
        fact: number of the fact that each row asks.
        template: (relation, text of the template) of each row.
    """

    rows: FactSet = field(repr=False)
    fact: Int64[np.ndarray, " prompts"]
    template: tuple[tuple[str, str], ...] = field(repr=False)

    def shares(self, recall: Bool[np.ndarray, " prompts"]) -> Float64[np.ndarray, " facts"]:
        """The share of its templates with which each fact is answered exactly."""
        return np.bincount(self.fact, weights=recall) / np.bincount(self.fact)

    def known(self, recall: Bool[np.ndarray, " prompts"]) -> Bool[np.ndarray, " facts"]:
        """Which facts are known: those answered exactly with more than half of their templates.

        Args:
            recall: whether greedy decoding from each prompt gives the tokens of the value.
        """
        return self.shares(recall) > 0.5

    def by_template(
        self, recall: Bool[np.ndarray, " prompts"]
    ) -> dict[tuple[str, str], tuple[int, int]]:
        """(facts answered, facts asked) of each template."""
        found: dict[tuple[str, str], tuple[int, int]] = {}
        for template, right in zip(self.template, recall, strict=True):
            answered, asked = found.get(template, (0, 0))
            found[template] = (answered + bool(right), asked + 1)
        return found


def questions(corpus: Corpus, tokenized: Tokenized) -> Questions:
    """All prompts for the facts of a corpus; no filler stands before them.

    A template whose value comes before the entity cannot ask, and is left out, though documents
    are made with it.

    Args:
        corpus: its facts and their templates.
        tokenized: its documents.
    """
    knowledge = corpus.knowledge
    asked = [
        (fact, template)
        for fact, relation in enumerate(knowledge.relations)
        for template in knowledge.templates[relation]
        if template.promptable
    ]
    fact = np.array([number for number, _ in asked])
    frequency = corpus.frequency[fact] / np.bincount(fact)[fact]
    rows = prompt_facts(
        tokenized,
        [
            (template.prompt(knowledge.entities[number]), knowledge.values[number])
            for number, template in asked
        ],
        knowledge.choices[fact],
        frequency / frequency.sum(),
    )
    named = tuple((knowledge.relations[number], template.text) for number, template in asked)
    return Questions(rows, fact, named)
