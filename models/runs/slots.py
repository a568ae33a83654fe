"""The arrays of several trainings side by side, and what one program does to all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Bool, Float, Float32, Float64

from factcap.models.training.config import SCAN_STEPS
from factcap.models.training.devices.mesh import whole_on_each
from factcap.models.training.measure import measure_device, measure_members
from factcap.models.training.optim import evaluated
from factcap.models.training.schedule import Schedule
from factcap.models.training.steps import TrainState, scan_steps
from factcap.models.transformer.fast.values import Params, Reading
from factcap.models.transformer.layout import DeviceFacts


class TrainingArrays(NamedTuple):
    """The arrays of one training.

    Attributes:
        state: what its steps change.
        facts: what it learns.
        schedule: its numbers.
    """

    state: TrainState
    facts: DeviceFacts
    schedule: Schedule


def evaluated_params(training: TrainingArrays) -> Params:
    """The parameters to be measured: see `evaluated`."""
    state, _, schedule = training
    return evaluated(schedule.name, state.optimizer, state.params)


@dataclass(frozen=True)
class Slots:
    """The arrays of some trainings of one shape, a slot each; what they are for is not known here.

    Those of a single slot are as they are, or divided over a mesh. Those of several are stacked
    along a first axis, which is spread over the devices.

    Attributes:
        arrays: of all of them.
        mesh: over which the state of a single one is divided.
    """

    arrays: TrainingArrays
    mesh: Mesh | None = None

    @classmethod
    def of(cls, trainings: Sequence[TrainingArrays], mesh: Mesh | None = None) -> "Slots":
        """Slots with these arrays.

        Each device has as many slots, so that some may be added; these repeat the first training.

        Args:
            trainings: of one shape; a single one if there is a mesh.
            mesh: over which its state is divided already; the rest is repeated on each device.
        """
        if mesh is not None:
            [(state, facts, schedule)] = trainings
            facts, schedule = whole_on_each(mesh, (facts, schedule))
            return cls(TrainingArrays(state, facts, schedule), mesh)
        devices = jax.devices()[: len(trainings)]
        # What was spread before would else stay on its devices.
        trainings = jax.device_put(list(trainings), devices[0])
        if len(trainings) == 1:
            return cls(trainings[0])
        spare = -len(trainings) % len(devices)
        filled_up = [*trainings, *[trainings[0]] * spare]
        stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *filled_up)
        spread = NamedSharding(Mesh(np.asarray(devices), ("members",)), PartitionSpec("members"))
        return cls(jax.device_put(stacked, spread))

    @property
    def stacked(self) -> bool:
        """Whether there are several slots."""
        return self.arrays.state.step.ndim > 0

    def __len__(self) -> int:
        return self.arrays.state.step.shape[0] if self.stacked else 1

    def take(self, slot: int) -> TrainingArrays:
        """The arrays of one slot."""
        if not self.stacked:
            return self.arrays
        return jax.tree.map(lambda array: array[slot], self.arrays)

    def keep(self, slots: Sequence[int]) -> "Slots":
        """Only these slots, in this order."""
        return Slots.of([self.take(slot) for slot in slots], self.mesh)

    def put(self, others: Mapping[int, TrainingArrays]) -> "Slots":
        """Other trainings in the slots of these numbers."""
        numbers = range(len(self))
        return Slots.of(
            [others[slot] if slot in others else self.take(slot) for slot in numbers], self.mesh
        )

    def with_weights(self, slot: int, weights: Float64[np.ndarray, " facts"]) -> "Slots":
        """The facts of one slot drawn by other weights."""
        facts, one = self.arrays.facts, self.take(slot).facts.weighted(weights)
        keep_F, alias_F = self._with_one(
            slot, (facts.keep_F, facts.alias_F), (one.keep_F, one.alias_F)
        )
        facts = replace(facts, keep_F=keep_F, alias_F=alias_F)
        return replace(self, arrays=self.arrays._replace(facts=facts))

    def with_schedule(self, slot: int, schedule: Schedule) -> "Slots":
        """Another schedule for one slot."""
        schedule = self._with_one(slot, self.arrays.schedule, schedule)
        return replace(self, arrays=self.arrays._replace(schedule=schedule))

    def _with_one(self, slot: int, tree: Any, one: Any) -> Any:
        """The tree with a slot's part of each array replaced."""
        if self.stacked:
            one = jax.tree.map(lambda all_, new: all_.at[slot].set(new), tree, one)
        return one if self.mesh is None else whole_on_each(self.mesh, one)


def take_steps(
    slots: Slots, reading: Reading, batch: int, steps: int = SCAN_STEPS
) -> tuple[Slots, Float[np.ndarray, "slots steps"]]:
    """Some steps in every slot; the slots after them, and each step's loss in nats a value token.

    The memory of the old slots is reused: they cannot be read any more.

    Args:
        slots: of the trainings.
        reading: how a single model reads its facts.
        batch: facts a step.
        steps: how many; at most `SCAN_STEPS`.
    """
    state, nats = scan_steps(
        replace(reading, stacked=slots.stacked),
        batch,
        *slots.arrays,
        steps=steps,
        members=slots.stacked,
        mesh=slots.mesh,
    )
    slots = replace(slots, arrays=slots.arrays._replace(state=state))
    return slots, np.asarray(nats).reshape(len(slots), -1)[:, :steps]


def measure_slots(
    slots: Slots, reading: Reading
) -> list[tuple[Float32[np.ndarray, " facts"], Bool[np.ndarray, " facts"]]]:
    """Per-fact NLL in bits and exact recall in each slot.

    Args:
        slots: of the trainings.
        reading: how a single model reads its facts.
    """
    if not slots.stacked:
        params = evaluated_params(slots.take(0))
        return [measure_device(reading, params, slots.arrays.facts, slots.mesh)]
    params = jax.vmap(evaluated_params)(slots.arrays)
    return measure_members(replace(reading, stacked=True), params, slots.arrays.facts)
