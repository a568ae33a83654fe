"""What a run is: its facts, model and training, and the hash that names it."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import synth
from models.layout import model_vocabulary
from models.schedule import TrainConfig, filled, total_steps
from models.transformer import TransformerConfig
from synth import FactSet
from synth.errors import require

FORMAT_VERSION = 2


@dataclass(frozen=True)
class Job:
    """A run to be made.

    Attributes:
        facts: what to learn.
        model: the transformer; its vocabulary must be `model_vocabulary(facts)` or more.
        training: how to train.
        directory: a new one, or one that holds this very run.

    Raises:
        BadInput: if the model has too few token ids.
    """

    facts: FactSet
    model: TransformerConfig
    training: TrainConfig
    directory: Path

    def __post_init__(self):
        needed = model_vocabulary(self.facts)
        require(
            self.model.vocabulary >= needed,
            f"the model has {self.model.vocabulary} token ids; this fact set needs {needed}",
        )


def run_config(facts: FactSet, model: TransformerConfig, training: TrainConfig) -> dict[str, Any]:
    """All that decides a run's numbers, as JSON values; `id` is the hash of the rest.

    It holds the facts (a digest of the arrays, and their origin), the model, the training with
    its defaults filled in, and a digest of the code that computes the result.
    """
    whole = filled(training, len(facts), model.width)
    steps = total_steps(whole, len(facts))
    config: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "facts": {
            "digest": facts_digest(facts),
            "facts": len(facts),
            "entropy_bits": float(facts.entropy_bits.sum()),
            "origin": json.loads(facts.origin.to_json()),
        },
        "model": {**dataclasses.asdict(model), "parameters": model.parameters},
        "training": {
            **dataclasses.asdict(whole),
            "steps": steps,
            "exposures_given": steps * whole.batch / len(facts),
        },
        "code": code_digest(),
    }
    text = json.dumps(config, sort_keys=True)
    return {"id": hashlib.sha256(text.encode()).hexdigest()[:16], **config}


def facts_digest(facts: FactSet) -> str:
    """SHA-256 of what training and measuring read of a fact set."""
    digest = hashlib.sha256(str(facts.vocabulary_size).encode())
    for name in ("tokens", "key_length", "length", "choices", "frequency"):
        array = getattr(facts, name)
        digest.update(f"{name}{array.shape}{array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


@cache
def code_digest() -> str:
    """SHA-256 of the source of `synth` and `models`: numbers of other code are other numbers."""
    digest = hashlib.sha256()
    for package in (Path(synth.__file__).parent, Path(__file__).parents[1]):
        for source in sorted(package.rglob("*.py")):
            name = source.relative_to(package).as_posix()
            digest.update(name.encode() + source.read_bytes())
    return digest.hexdigest()
