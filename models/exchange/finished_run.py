"""What the directory of a finished run says: its model, its training, its facts."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from factcap.models.runs.directory.finished import read_run
from factcap.models.runs.directory.reading import read_outcome
from factcap.models.runs.job import facts_digest
from factcap.models.runs.last_params import last_params
from factcap.models.sweep.making import build
from factcap.models.sweep.recipes import GENERATORS, complete, sample
from factcap.models.training.config import SelectConfig, TrainConfig
from factcap.models.transformer.decoder import TransformerConfig, named_size
from factcap.models.transformer.fast.values import Params
from factcap.synth import FactSet, Origin, load
from factcap.synth.disk.files import file_digest
from factcap.synth.errors import require
from factcap.synth.measurement import Measurement


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

    @property
    def training(self) -> TrainConfig:
        """How it was trained, defaults filled in."""
        entry = dict(self.outcome["training"])
        select = entry.pop("select")
        return TrainConfig(**entry, select=None if select is None else SelectConfig(**select))

    def params(self) -> Params:
        """The parameters that were measured.

        Raises:
            BadInput: if they are not there.
            Damaged: if they are not as they were saved.
        """
        return last_params(self.directory, self.model, self.training, len(self.measurement.recall))

    def made_again(self) -> FactSet | None:
        """Its facts, or some of the same kind, by its generator; None where none makes them.

        Raises:
            BadInput: if other facts come of it here, or a library is missing.
        """
        named = self.config.get("facts", {})
        recipe = dict(self.config.get("recipe") or _recipe(named["origin"]))
        if recipe.get("generator") not in GENERATORS:
            return None
        data = recipe.pop("data", None)
        whole = complete(recipe)
        same = data in (None, whole.get("data"))
        facts, count = sample(whole)
        if named and len(facts) == count:
            if named["facts"] < count:
                facts = facts.prefix(named["facts"])
            same = facts_digest(facts) == named["digest"]
        require(
            same,
            f"{whole['generator']} makes other facts here than those of the run in "
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
            if same and recipe["prefix"] is not None:
                facts = facts.prefix(recipe["prefix"])
        elif recipe:
            same = facts_digest(facts) == facts_digest(build(recipe))
        else:
            same = facts_digest(facts) == self.config["facts"]["digest"]
        require(same, f"{path} holds other facts than those of the run in {self.directory}")
        return facts


def _recipe(origin: Mapping[str, Any]) -> dict[str, Any]:
    """The recipe of the facts of an origin, as a run's configuration holds it."""
    seed = {} if origin["seed"] is None else {"seed": origin["seed"]}
    return {**origin["arguments"], "generator": origin["generator"], **seed}


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
