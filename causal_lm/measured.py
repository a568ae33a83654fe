"""What a model knows of facts, prompt by prompt: the measurement, more columns, a summary."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Bool, Float64, Int64

from factcap.causal_lm.asking import Asked, Facts
from factcap.synth.corpus.probes import commonest
from factcap.synth.measurement import Measurement


@dataclass(frozen=True)
class Measured:
    """What a model knows of facts.

    Attributes:
        facts: what was asked.
        measurement: per fact; see `measured`.
        commonest: whether the value is the commonest of its relation.
        fact_of_prompt: number of the fact that each prompt asks for; in their order.
        template_of_prompt: number of its template.
        nll_bits_of_prompt: of the likeliest accepted answer, in bits.
        recall_of_prompt: whether greedy decoding gives an accepted answer exactly.
        rank_of_prompt: of the value among those of its relation, from 1; None where it was not
            asked for.
    """

    facts: Facts = field(repr=False)
    measurement: Measurement
    commonest: Bool[np.ndarray, " facts"]
    fact_of_prompt: Int64[np.ndarray, " prompts"]
    template_of_prompt: Int64[np.ndarray, " prompts"]
    nll_bits_of_prompt: Float64[np.ndarray, " prompts"]
    recall_of_prompt: Bool[np.ndarray, " prompts"]
    rank_of_prompt: Int64[np.ndarray, " prompts"] | None

    @property
    def first_share(self) -> Float64[np.ndarray, " facts"] | None:
        """The share of its prompts with which each fact's value is of rank 1."""
        if self.rank_of_prompt is None:
            return None
        first = np.bincount(self.fact_of_prompt, weights=self.rank_of_prompt == 1)
        return first / np.bincount(self.fact_of_prompt)

    def columns(self) -> dict[str, pa.Array]:
        """What `measurement.parquet` holds beside the columns of any measurement."""
        offsets = np.concatenate([[0], np.cumsum(np.bincount(self.fact_of_prompt))])

        def lists(each: np.ndarray) -> pa.Array:
            return pa.ListArray.from_arrays(offsets.astype(np.int32), pa.array(each))

        further = {
            "entity": pa.array(self.facts.entities, pa.string()),
            "relation": pa.array(self.facts.relations, pa.string()),
            "value": pa.array(self.facts.values, pa.string()),
            "commonest": pa.array(self.commonest),
            "template": lists(self.template_of_prompt.astype(np.int32)),
            "template_nll_bits": lists(self.nll_bits_of_prompt.astype(np.float32)),
            "template_recall": lists(self.recall_of_prompt),
        }
        if self.rank_of_prompt is not None:
            ranks = self.rank_of_prompt
            parts = np.split(ranks, offsets[1:-1])
            further["rank"] = pa.array([float(np.median(part)) for part in parts])
            further["template_rank"] = lists(ranks.astype(np.int32))
        return further

    def save(self, path: Path) -> None:
        """Write `measurement.parquet`; the file appears whole or not at all."""
        self.measurement.save(path, self.columns())

    def summary(self) -> dict[str, Any]:
        """The numbers, as JSON values."""
        everything = np.ones(len(self.facts), bool)
        relations = np.array(self.facts.relations)
        return {
            **self.measurement.summary(),
            **self._of(everything),
            "prompts": len(self.fact_of_prompt),
            "by_relation": {
                name: self._of(relations == name) for name in dict.fromkeys(self.facts.relations)
            },
            "by_decile": [self._of(rows) for rows in self._deciles()],
            "notes": list(self.facts.notes),
        }

    def _of(self, rows: Bool[np.ndarray, " facts"]) -> dict[str, Any]:
        """The numbers of some facts."""
        found = self.measurement
        known, bits = found.recall[rows], found.entropy_bits[rows]
        beyond = known & ~self.commonest[rows]
        weight = found.frequency[rows]
        mass = float(weight.sum())
        first = self.first_share
        return {
            "facts": int(rows.sum()),
            "facts_known": int(known.sum()),
            "beyond_guess": int(beyond.sum()),
            "guessable": int(self.commonest[rows].sum()),
            "frequency": mass,
            "weighted_accuracy": float(weight[known].sum() / mass) if mass else None,
            "weighted_beyond_guess": float(weight[beyond].sum() / mass) if mass else None,
            "entropy_bits": float(bits.sum()),
            "stored_bits": float(np.maximum(bits - found.nll_bits[rows], 0).sum()),
            "mean_nll_bits": float(found.nll_bits[rows].mean()),
            **({} if first is None else {"first_rank_share": float(first[rows].mean())}),
        }

    def _deciles(self) -> list[Bool[np.ndarray, " facts"]]:
        """Ten parts of the facts, the most frequent first; none of fewer than ten frequencies."""
        frequency = self.facts.frequency
        if len(np.unique(frequency)) < 10:
            return []
        rank = np.empty(len(frequency), np.int64)
        rank[np.argsort(-frequency, kind="stable")] = np.arange(len(frequency))
        return [rank * 10 // len(frequency) == part for part in range(10)]


def measured(
    asked: Asked,
    nll_bits: Float64[np.ndarray, " spans"],
    recall: Bool[np.ndarray, " spans"],
    parameters: int,
    rank_of_prompt: Int64[np.ndarray, " prompts"] | None = None,
) -> Measured:
    """What was found, fact by fact.

    Of several accepted answers to a prompt the likeliest counts. The NLL of a fact is the mean over
    its prompts: how many bits its value costs, on average, one who asks by a prompt drawn at random
    and codes by the model's answer, so that what it saves against the entropy is information that
    the model holds. (The likelier value of a mean of probabilities, or of the best prompt, would
    credit the model with the choice of the prompt.) A fact is known if more than half of its
    prompts are answered exactly.

    Args:
        asked: the facts and their prompts.
        nll_bits: of each span.
        recall: of each span.
        parameters: of the model.
        rank_of_prompt: where it was asked for.
    """
    prompts, facts = len(asked.fact_of_prompt), asked.facts
    bits_of_prompt = np.full(prompts, math.inf)
    np.minimum.at(bits_of_prompt, asked.prompt_of_span, nll_bits)
    recall_of_prompt = np.zeros(prompts, bool)
    np.logical_or.at(recall_of_prompt, asked.prompt_of_span, recall)
    times = np.bincount(asked.fact_of_prompt)
    mean = np.bincount(asked.fact_of_prompt, weights=bits_of_prompt) / times
    share = np.bincount(asked.fact_of_prompt, weights=recall_of_prompt) / times
    return Measured(
        facts,
        Measurement(
            mean.astype(np.float32), share > 0.5, facts.entropy_bits, facts.frequency, parameters
        ),
        commonest(facts.relations, facts.values),
        asked.fact_of_prompt,
        asked.template_of_prompt,
        bits_of_prompt,
        recall_of_prompt,
        rank_of_prompt,
    )
