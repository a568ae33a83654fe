"""What `factcap predict` is given: files of models, and what to compare on them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from factcap.capacity.retention import (
    SPLITS,
    CountedFacts,
    Split,
    answers_behind,
    compare_names,
    smaller_models,
)
from factcap.figures.retention.predictors import PREDICTORS
from factcap.synth.errors import BadInput, require
from factcap.synth.tabular.counts import CountTable, read_counts


def read_models(paths: Sequence[Path]) -> list[CountedFacts]:
    """The facts of each file, a model each.

    Raises:
        BadInput: for a file that `read_counts` refuses, or two of one name.
    """
    require(len(paths) > 0, "give at least one file of facts")
    several = [_facts(read_counts(path)) for path in paths]
    names = [facts.model for facts in several]
    for name in names:
        require(names.count(name) == 1, f"two files are of the model {name}; give one a model")
    return several


def _facts(table: CountTable) -> CountedFacts:
    rows = len(table.relation)
    names = None
    if table.subject is not None and table.object is not None:
        names = compare_names(table.subject.tolist(), table.object.tolist())
    answers = table.answers
    if answers is None:
        answers = np.full(rows, answers_behind(table.accuracy))
    # Facts of one answer have the same count of it, so that the count can stand for its name.
    objects = table.object
    if objects is None:
        objects = np.array([f"{count:g}" for count in table.object_count], dtype=np.str_)
    return CountedFacts(
        relation=table.relation,
        object=objects,
        subject=table.subject,
        subject_count=table.subject_count,
        object_count=table.object_count,
        pair_count=table.pair_count,
        accuracy=table.accuracy,
        documents=table.documents,
        answers=answers,
        entropy_bits=table.entropy_bits,
        names=names,
        model=table.model,
        size=table.size,
    )


def choose_splits(several: Sequence[CountedFacts], wanted: Sequence[str]) -> list[Split]:
    """The splits asked for; those that the files allow where none is.

    Raises:
        BadInput: for a name that there is not, or one that the files do not allow.
    """
    for name in wanted:
        require(name in SPLITS, f"no split is called {name!r}; there are {', '.join(SPLITS)}")
    chosen: list[Split] = []
    for split in SPLITS:
        complaint = _hindrance(several, split)
        if split in wanted and complaint:
            raise BadInput(complaint)
        if not complaint and (split in wanted or not wanted):
            chosen.append(split)
    require(bool(chosen), "too few facts: each of facts, objects and relations is only one")
    return chosen


def _hindrance(several: Sequence[CountedFacts], split: Split) -> str | None:
    if split == "models":
        if any(smaller_models(several, facts) for facts in several):
            return None
        names = ", ".join(facts.model for facts in several)
        return (
            "holding out models needs a smaller and a larger one of one corpus, with the size in "
            f"the file's name as in pythia-1.4b; there is {names}"
        )
    for facts in several:
        names = {"facts": facts.keys(), "objects": facts.object, "relations": facts.relation}
        number = len(np.unique(names[split]))
        if number < 2:
            return f"holding out {split} needs two at least; {facts.model} has {number}"
    return None


def choose_predictors(
    several: Sequence[CountedFacts], wanted: Sequence[str], *, boosting: bool
) -> list[str]:
    """The predictors asked for; where none is, all that the files and what is installed allow.

    Raises:
        BadInput: for a name that there is not, or SMI where a size is not known.
    """
    for name in wanted:
        there = ", ".join(PREDICTORS)
        require(name in PREDICTORS, f"no predictor is called {name!r}; there are {there}")
    unsized = next((facts.model for facts in several if not facts.size > 1), None)
    if wanted:
        require(
            unsized is None or "smi" not in wanted,
            f"SMI needs the model's size in the file's name, as in pythia-1.4b; {unsized} has none",
        )
        return [name for name in PREDICTORS if name in wanted]
    left_out = {"smi"} if unsized else set()
    left_out |= set() if boosting else {"boosting"}
    return [name for name in PREDICTORS if name not in left_out]
