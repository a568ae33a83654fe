"""What the directory of a finished run says: its model, its training, its facts."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from factcap.models.runs.directory.files import file_digest
from factcap.models.runs.directory.finished import read_run
from factcap.models.runs.directory.reading import read_outcome
from factcap.models.runs.job import facts_digest
from factcap.models.runs.last_params import last_params
from factcap.models.sweep.making import build
from factcap.models.sweep.recipes import GENERATORS, sample
from factcap.models.training.config import SelectConfig, TrainConfig
from factcap.models.training.measure import Measurement
from factcap.models.transformer.decoder import TransformerConfig, named_size
from factcap.models.transformer.fast.values import Params
from factcap.synth import FactSet, Origin, load
from factcap.synth.errors import require


@dataclass(frozen=True)
class FinishedRun:
    """A finished run.

    Attributes:
        directory: where it lies.
        config: what identifies it.
        outcome: how it ended: see `factcap.models.read_outcome`.
        measurement: what its model knows.
        model: its transformer.
    """

    directory: Path
    config: Mapping[str, Any] = field(repr=False)
    outcome: Mapping[str, Any] = field(repr=False)
    measurement: Measurement = field(repr=False)
    model: TransformerConfig

    @classmethod
    def read(cls, directory: str | os.PathLike) -> "FinishedRun":
        """Read a directory of `factcap train`, or of a store.

        Raises:
            BadInput: if it is no run, or not finished.
            Damaged: if a file is not as it was written.
        """
        folder = Path(directory)
        config, measurement = read_run(folder)
        model = model_of_run(config["model"], measurement.parameters)
        return cls(folder, config, read_outcome(folder), measurement, model)

    def params(self) -> Params:
        """The parameters that were measured.

        Raises:
            BadInput: if they are not there.
        """
        training = dict(self.outcome["training"])
        select = training.pop("select")
        filled = TrainConfig(**training, select=None if select is None else SelectConfig(**select))
        return last_params(self.directory, self.model, filled, len(self.measurement.recall))

    def made_again(self) -> FactSet | None:
        """Its facts, or some of the same kind, by its generator; None where none makes them.

        Raises:
            BadInput: if other facts come of it here, or a library is missing.
        """
        recipe = self.config.get("recipe")
        if recipe is None:
            origin = self.config["facts"]["origin"]
            recipe = {**origin["arguments"], "generator": origin["generator"]}
            recipe |= {} if origin["seed"] is None else {"seed": origin["seed"]}
        if recipe.get("generator") not in GENERATORS:
            return None
        facts, count = sample(recipe)
        digest = self.config.get("facts", {}).get("digest")
        require(
            len(facts) < count or digest in (None, facts_digest(facts)),
            f"{recipe['generator']} makes other facts here than those of the run in "
            f"{self.directory}; give these by --facts",
        )
        return facts

    def origin(self) -> Origin | None:
        """Where its facts come from; None where the directory does not say."""
        if "facts" not in self.config:
            return None
        return Origin.from_json(json.dumps(self.config["facts"]["origin"]))

    def facts_in(self, path: Path) -> FactSet:
        """Its facts, from a file.

        Raises:
            BadInput: if the file is no fact set, or holds other facts.
        """
        facts, recipe = load(path), self.config.get("recipe", {})
        if "sha256" in recipe:
            same = file_digest(path) == recipe["sha256"]
            facts = (
                facts if not same or recipe["prefix"] is None else facts.prefix(recipe["prefix"])
            )
        elif recipe:
            same = facts_digest(facts) == facts_digest(build(recipe))
        else:
            same = facts_digest(facts) == self.config["facts"]["digest"]
        require(same, f"{path} holds other facts than those of the run in {self.directory}")
        return facts


def model_of_run(entry: str | Mapping[str, Any], parameters: int) -> TransformerConfig:
    """The transformer of a run.

    Args:
        entry: what its configuration says: the name of a size, or the sizes; the vocabulary may be
            left to the facts.
        parameters: how many there are, from which the vocabulary follows.
    """
    if not isinstance(entry, str) and "vocabulary" in entry:
        return TransformerConfig(**entry)

    def sized(vocabulary: int) -> TransformerConfig:
        if isinstance(entry, str):
            return named_size(entry, vocabulary)
        return TransformerConfig(vocabulary, **entry)

    smallest = sized(1)
    return sized(1 + (parameters - smallest.parameters) // smallest.embedding_parameters)
