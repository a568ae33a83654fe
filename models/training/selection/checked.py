"""The model of a training at a check: what a selection may ask of it."""

from dataclasses import dataclass

import numpy as np
from jax.sharding import Mesh
from jaxtyping import Float, Float32, Int

from factcap.models.training.measure import measure_facts
from factcap.models.training.selection.influence import influence_scores
from factcap.models.transformer.fast.values import Params, Reading
from factcap.models.transformer.layout import DeviceFacts
from factcap.synth import FactSet


@dataclass(frozen=True)
class CheckedModel:
    """A model at a check: its losses, and whatever else is measured once it is asked for.

    What a selection may ask of it: see `factcap.synth.selection.selection.ScoredModel`.

    Attributes:
        nll_bits: loss of each fact it is trained on, those that were dropped included.
        reading: how it reads them.
        params: its parameters, those to be measured: see `factcap.models.training.optim.evaluated`.
        facts: those it is trained on.
        mesh: over which its parameters are divided, if they are.
    """

    nll_bits: Float32[np.ndarray, " facts"]
    reading: Reading
    params: Params
    facts: DeviceFacts
    mesh: Mesh | None = None

    def influence_scores(self, held_out: Int[np.ndarray, " held"]) -> Float[np.ndarray, " facts"]:
        """See `factcap.models.training.selection.influence.influence_scores`; not on a mesh."""
        return influence_scores(self.reading, self.params, self.facts, held_out)

    def losses_of(self, rows: FactSet) -> Float32[np.ndarray, " rows"]:
        """Loss of each of some other facts, in bits."""
        return measure_facts(self.reading, self.params, rows, self.mesh)[0]
