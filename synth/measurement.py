"""What a model knows of facts: per-fact NLL in bits and exact recall, and their file."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Bool, Float32, Float64

from factcap.synth.disk.files import write_whole
from factcap.synth.errors import BadInput
from factcap.synth.factset import FactSet

_COLUMNS = ("nll_bits", "recall", "entropy_bits", "frequency")


@dataclass(frozen=True)
class Measurement:
    """What a model knows of a fact set.

    Attributes:
        nll_bits: negative log-likelihood of each value given its key, in bits.
        recall: whether greedy decoding from the key gives the value exactly.
        entropy_bits: entropy of each value, in bits.
        frequency: of each fact; sums to 1.
        parameters: number of parameters of the model.
    """

    nll_bits: Float32[np.ndarray, " facts"]
    recall: Bool[np.ndarray, " facts"]
    entropy_bits: Float64[np.ndarray, " facts"]
    frequency: Float64[np.ndarray, " facts"]
    parameters: int

    @property
    def facts_known(self) -> int:
        """Number of facts recalled exactly."""
        return int(self.recall.sum())

    @property
    def accuracy(self) -> float:
        """Fact accuracy: the share of facts recalled exactly."""
        return self.facts_known / len(self.recall)

    @property
    def weighted_accuracy(self) -> float:
        """Frequency-weighted accuracy: sum of frequency times recall."""
        return float(self.frequency[self.recall].sum() / self.frequency.sum())

    @property
    def stored_bits(self) -> float:
        """Sum over facts of entropy minus NLL where that is positive, in bits.

        Clipped fact by fact: a fact on which the model is worse than a guess counts 0.
        """
        return float(np.maximum(self.entropy_bits - self.nll_bits, 0).sum())

    @property
    def unclipped_stored_bits(self) -> float:
        """Sum over facts of entropy minus NLL, in bits: what the model saves in coding the set."""
        return float((self.entropy_bits - self.nll_bits).sum())

    @property
    def bits_per_parameter(self) -> float:
        """Stored bits for each parameter."""
        return self.stored_bits / self.parameters

    @classmethod
    def of(
        cls,
        facts: FactSet,
        nll_bits: Float32[np.ndarray, " facts"],
        recall: Bool[np.ndarray, " facts"],
        parameters: int,
    ) -> "Measurement":
        """What a model of so many parameters knows of these facts."""
        return cls(nll_bits, recall, facts.entropy_bits, facts.frequency, parameters)

    def summary(self) -> dict[str, Any]:
        """The numbers, as JSON values."""
        return {
            "facts": len(self.recall),
            "parameters": self.parameters,
            "accuracy": self.accuracy,
            "weighted_accuracy": self.weighted_accuracy,
            "facts_known": self.facts_known,
            "entropy_bits": float(self.entropy_bits.sum()),
            "stored_bits": self.stored_bits,
            "unclipped_stored_bits": self.unclipped_stored_bits,
            "bits_per_parameter": self.bits_per_parameter,
        }

    def save(self, path: str | os.PathLike, further: Mapping[str, pa.Array] | None = None) -> None:
        """Write as Parquet, one row a fact; the file appears whole or not at all.

        Args:
            path: the file.
            further: more columns, which `load` does not read.
        """
        columns = {name: getattr(self, name) for name in _COLUMNS}
        table = pa.table({**columns, **(further or {})})
        entry = json.dumps({"parameters": self.parameters, "format_version": 1})
        sealed = table.replace_schema_metadata({"factcap": entry})
        write_whole(Path(path), lambda partial: pq.write_table(sealed, partial))

    @property
    def choices(self) -> Float64[np.ndarray, " facts"]:
        """How many values, equally likely, would have the entropy of each fact's."""
        return np.exp2(self.entropy_bits)

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Measurement":
        """Read what `save` wrote; raises `BadInput` where it cannot be read."""
        try:
            table = pq.read_table(path, columns=list(_COLUMNS))
            parameters = json.loads((table.schema.metadata or {})[b"factcap"])["parameters"]
            columns = {name: table.column(name).to_numpy() for name in _COLUMNS}
            return cls(**columns, parameters=int(parameters))
        except (pa.ArrowException, OSError, KeyError, ValueError, TypeError) as error:
            reason = str(error).splitlines()[0]
            raise BadInput(f"{path} is not a readable measurement ({reason})") from None


def is_measurement(path: str | os.PathLike) -> bool:
    """Whether a file is what `Measurement.save` writes; `load` says what is wrong with it."""
    try:
        return set(_COLUMNS) <= set(pq.read_schema(path).names)
    except (pa.ArrowException, OSError):
        return False
