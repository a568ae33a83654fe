"""What a run is: its facts, model and training, and the hash that names it."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from factcap.models.runs.code.digest import TRAINING, code_digest
from factcap.models.runs.directory.reading import FORMAT_VERSION
from factcap.models.runs.parent import Parent
from factcap.models.training.config import TrainConfig
from factcap.models.training.optim import is_schedule_free
from factcap.models.transformer.decoder import TransformerConfig
from factcap.models.transformer.layout import model_vocabulary
from factcap.synth import FactSet
from factcap.synth.corpus import Grouping
from factcap.synth.disk.files import digest_of
from factcap.synth.errors import require


@dataclass(frozen=True)
class Job:
    """A run whose facts are made and whose directory is known; nothing of it is trained yet.

    Attributes:
        facts: what to learn.
        model: the transformer; its vocabulary must be `model_vocabulary(facts)` or more.
        training: how to train.
        directory: a new one, or one that holds this very run.
        config: what identifies the run; by default `run_config` of the others.
        grouping: where the facts are documents, what selection scores instead of them.
        accept_other_code: whether the directory may hold what other code has made of the run.
        parent: the run from whose last state this one begins; None: from parameters drawn anew.

    Raises:
        BadInput: if the model has too few token ids, the groups are of other documents, or an
            optimizer that averages parameters is to keep them in less than float32.
    """

    facts: FactSet
    model: TransformerConfig
    training: TrainConfig
    directory: Path
    config: Mapping[str, Any] = field(default_factory=dict)
    grouping: Grouping[FactSet] | None = field(default=None, repr=False)
    accept_other_code: bool = False
    parent: Parent | None = None

    def __post_init__(self):
        needed = model_vocabulary(self.facts)
        if self.grouping is not None:
            _check_grouping(self.grouping, len(self.facts), self.training)
            needed = max(needed, model_vocabulary(self.grouping.rows))
        require(
            self.model.vocabulary >= needed,
            f"the model has {self.model.vocabulary} token ids; this fact set needs {needed}",
        )
        require(
            self.model.kept_in == "float32" or not is_schedule_free(self.training.optimizer),
            f"{self.training.optimizer} averages parameters, in float32; keep them in "
            f"{self.model.kept_in} with adamw or muon",
        )
        if not self.config:
            config = run_config(self.facts, self.model, self.training, self.grouping, self.parent)
            object.__setattr__(self, "config", config)


def _check_grouping(grouping: Grouping[FactSet], documents: int, training: TrainConfig) -> None:
    grouped = len(grouping.group_of_document)
    require(
        grouped == documents, f"the groups are of {grouped} documents; {documents} are trained on"
    )
    require(
        training.select is None or training.select.scheme != "influence",
        "the scheme influence has no scores of groups; take another",
    )


def run_config(
    facts: FactSet,
    model: TransformerConfig,
    training: TrainConfig,
    grouping: Grouping[FactSet] | None = None,
    parent: Parent | None = None,
) -> dict[str, Any]:
    """All that decides a run's numbers, as JSON values; `id` is the hash of the rest.

    It holds the facts (a digest of the arrays, and their origin), the model, the training, what is
    scored instead of the facts, if anything is, the run that it goes on from, if there is one, and
    a digest of the code that computes the result.
    """
    begun = {} if parent is None else {"parent": parent.identity()}
    scored = {} if grouping is None else {"grouping": _grouping_digest(grouping)}
    origin = {"facts": len(facts), "origin": json.loads(facts.origin.to_json())}
    return identified(
        code_digest(*TRAINING),
        facts={"digest": facts_digest(facts), **origin},
        model=model.entry,
        training=dataclasses.asdict(training),
        **scored,
        **begun,
    )


def identified(code: str, **parts: Any) -> dict[str, Any]:
    """A configuration made of these parts, the code that computes the result, and their hash."""
    config = {"format_version": FORMAT_VERSION, **parts, "code": code}
    return {"id": digest_of(config)[:16], **config}


def facts_digest(facts: FactSet) -> str:
    """SHA-256 of what training and measuring read of a fact set."""
    digest = hashlib.sha256(str(facts.vocabulary_size).encode())
    for name in ("tokens", "key_length", "length", "choices", "frequency"):
        array = getattr(facts, name)
        digest.update(f"{name}{array.shape}{array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _grouping_digest(grouping: Grouping[FactSet]) -> str:
    digest = hashlib.sha256(facts_digest(grouping.rows).encode())
    for name in ("entropies", "fact_of_row", "group_of_pair", "fact_of_pair", "group_of_document"):
        array = getattr(grouping, name)
        digest.update(name.encode() if array is None else name.encode() + array.tobytes())
    return digest.hexdigest()
