"""Many runs of one shape in one program: members trained side by side, spread over the devices."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from factcap.models.compiler import on_cpu
from factcap.models.runs.job import Job
from factcap.models.runs.ledger import free_memory_bytes, member_bytes
from factcap.models.runs.lock import Busy
from factcap.models.runs.member import Diverged, Member
from factcap.models.training.config import filled
from factcap.models.training.devices.hosts import agreed
from factcap.models.training.devices.mesh import check_mesh, whole_on_each
from factcap.models.training.measure import Measurement, measure_device, measure_members
from factcap.models.training.optim import evaluated
from factcap.models.training.selection.influence import influence_scores
from factcap.models.training.selection.selector import Selector
from factcap.models.training.steps import scan_steps
from factcap.models.transformer.decoder import TransformerConfig
from factcap.models.transformer.fast.values import Reading
from factcap.models.transformer.layout import Layout, context_length, to_device
from factcap.synth.errors import require

# Share of the free memory that members may fill.
_MEMORY_SHARE = 0.8

Progress = Callable[[int, int, int, Mapping[str, float]], object]


def train_together(
    jobs: Sequence[Job],
    *,
    slots: int = 0,
    progress: Progress = lambda *_: None,
    checkpoint_seconds: float = 60.0,
    mesh: Mesh | None = None,
) -> Iterator[tuple[int, Measurement | Diverged | Busy]]:
    """Make several runs at once, each in its directory; go on where an interrupted call stopped.

    All members take their steps in one program, by `vmap`; with several devices each of them
    trains a part. A member that ends leaves its place to the next job. What becomes of it depends
    on its own job alone, but for the rounding of sums: alone or among others.

    Args:
        jobs: runs of one model, batch, optimizer and precision; they may differ in facts, seed,
            exposures, learning rate, selection and the other numbers of their training.
        slots: how many train at once; 0: as many as fit in memory.
        progress: called with (number of the job, steps done, steps in all, metrics) after each 100
            steps of each member.
        checkpoint_seconds: time between two saved states.
        mesh: over which a single job's model and batch are divided: see
            `factcap.models.training.devices.mesh`.

    Yields:
        (number of the job, its measurement, or where it diverged, or that another process is making
        it), as they end.

    Raises:
        BadInput: for jobs of more than one shape; for a mesh with several jobs, or one over which
            the job cannot be divided; or if a directory holds another run.
    """
    if mesh is not None:
        require(len(jobs) == 1, f"a mesh trains one model, not {len(jobs)} together")
        check_mesh(mesh, *shape_of(jobs[0])[:2])
        select = jobs[0].training.select
        require(
            select is None or select.scheme != "influence",
            "the scheme influence has no mesh; take another, or one device",
        )
    members: list[Member] = []
    try:
        for number, job in enumerate(jobs):
            try:
                member = Member(number, job)
            except Busy as busy:
                yield number, busy
                continue
            members.append(member)
            if member.record.finished is not None:
                yield number, member.record.finished
        yield from _train(members, slots, progress, checkpoint_seconds, mesh)
    finally:
        for member in members:
            member.record.close()


def _train(
    members: Sequence[Member],
    slots: int,
    progress: Progress,
    checkpoint_seconds: float,
    mesh: Mesh | None,
) -> Iterator[tuple[int, Measurement | Diverged]]:
    waiting = deque(member for member in members if member.record.finished is None)
    if not waiting:
        return
    group = _Group(list(waiting), slots, mesh)
    saved = time.monotonic()
    while group.fill(waiting):
        yield from group.end()
        group.step(progress)
        yield from group.end()
        if agreed(time.monotonic() - saved > checkpoint_seconds):
            group.save()
            saved = time.monotonic()


class _Group:
    """The members in training: their arrays on the devices, stacked if there are several places.

    A single one may be divided over a mesh.
    """

    def __init__(self, members: Sequence[Member], slots: int, mesh: Mesh | None = None):
        self.mesh = mesh
        shapes = {shape_of(member.job) for member in members}
        require(
            len(shapes) == 1,
            "runs trained together must have one model, batch, optimizer and precision, "
            f"not {len(shapes)} of these",
        )
        [(model, self.batch, self.optimizer, precision)] = shapes
        self.layout = Layout.of([member.job.facts for member in members])
        self.reading = Reading(model, self.layout.context, precision)
        fitting = _MEMORY_SHARE * free_memory_bytes()
        fitting //= member_bytes(self.reading, self.layout, self.batch)
        self.places: list[Member | None] = [None] * int(
            max(1, min(len(members), slots or len(members), fitting))
        )
        self.arrays: Any = None

    def fill(self, waiting: deque[Member]) -> bool:
        """Give free places to waiting members, or close most of them up; whether any is taken."""
        live = [place for place in self.places if place is not None]
        if not waiting and 0 < 2 * len(live) <= len(self.places):
            kept = [index for index, place in enumerate(self.places) if place is not None]
            self._place([self._arrays_of(index) for index in kept], list(live))
        free = [index for index, place in enumerate(self.places) if place is None]
        arrivals = [waiting.popleft() for _ in free[: len(waiting)]]
        if arrivals:
            places, arrays = list(self.places), {}
            for index, member in zip(free, arrivals, strict=False):
                facts = to_device(member.job.facts, self.layout)
                state = member.resume(self.mesh)
                if member.selector is not None:
                    facts = facts.weighted(member.weights)
                places[index] = member
                arrays[index] = (state, facts, member.schedule())
            old = self.arrays
            taken = [
                arrays[index] if index in arrays else self._arrays_of(index)
                for index in range(len(places))
                if index in arrays or old is not None
            ]
            self._place(taken, places[: len(taken)])
            self._check([member for member in arrivals if member.due()])
        return any(place is not None for place in self.places)

    def step(self, progress: Progress) -> None:
        """One scan of every member, and the checks that are due."""
        if not any(self.places):
            return
        start = time.monotonic()
        state, facts, schedule = self.arrays
        several = len(self.places) > 1
        reading = replace(self.reading, stacked=several)
        state, nats = scan_steps(
            reading, self.batch, state, facts, schedule, members=several, mesh=self.mesh
        )
        losses = np.asarray(nats).reshape(len(self.places), -1)
        self.arrays = (state, facts, schedule)
        seconds = (time.monotonic() - start) / sum(place is not None for place in self.places)
        metrics = {
            member.number: member.took(loss, seconds)
            for member, loss in zip(self.places, losses, strict=True)
            if member is not None
        }
        live = [member for member in self.places if member is not None]
        found = self._check([member for member in live if member.due()])
        for member in live:
            line = metrics[member.number] | found.get(member.number, {})
            member.record.append(line)
            member.record.settle()
            progress(member.number, member.done, member.steps, line)

    def end(self) -> Iterator[tuple[int, Measurement | Diverged]]:
        """Free the places of members that have ended."""
        for index, member in enumerate(self.places):
            if member is None or member.result is None:
                continue
            if isinstance(member.result, Measurement):
                member.save(self._arrays_of(index)[0])
            divided = jax.process_count() if on_cpu() else self.mesh.size if self.mesh else 1
            member.finish(self.reading, self.layout, divided)
            self.places[index] = None
            yield member.number, member.result

    def save(self) -> None:
        """Save the state of every member."""
        for index, member in enumerate(self.places):
            if member is not None:
                member.save(self._arrays_of(index)[0])

    def _check(self, due: Sequence[Member]) -> dict[int, dict[str, float]]:
        """Measure all facts of these members; their metrics by number."""
        if not due:
            return {}
        state, facts, _ = self.arrays
        if len(self.places) == 1:
            params = evaluated(self.optimizer, state.optimizer, state.params)
            results = [measure_device(self.reading, params, facts, self.mesh)]
        else:
            trained = jax.vmap(lambda state: evaluated(self.optimizer, *state))
            params = trained((state.optimizer, state.params))
            results = measure_members(replace(self.reading, stacked=True), params, facts)
        found = {}
        for index, member in enumerate(self.places):
            if member is not None and member in due:
                steps, weights = member.steps, member.weights
                scores = self._scores(index, params) if member.needs_scores() else None
                row_bits = self._row_bits(index, params) if member.needs_rows() else None
                found[member.number] = member.checked(*results[index], scores, row_bits)
                if member.steps != steps:
                    self._reschedule(index, member)
                if member.weights is not weights:
                    self._reweigh(index, member)
        return found

    def _scores(self, index: int, params: Any) -> np.ndarray:
        """First-order influence of a member's facts."""
        member, (_, facts, _) = self.places[index], self._arrays_of(index)
        assert member is not None
        assert isinstance(member.selector, Selector)
        params = self._params_of(index, params)
        return influence_scores(self.reading, params, facts, member.selector.held_out())

    def _row_bits(self, index: int, params: Any) -> np.ndarray:
        """Losses of what a member's selection scores instead of its facts."""
        member = self.places[index]
        assert member is not None
        assert member.job.grouping is not None
        rows = member.job.grouping.rows
        params = self._params_of(index, params)
        reading = replace(self.reading, context=context_length(rows))
        return measure_device(reading, params, to_device(rows), self.mesh)[0]

    def _params_of(self, index: int, params: Any) -> Any:
        if len(self.places) == 1:
            return params
        return jax.tree.map(lambda array: array[index], params)

    def _reweigh(self, index: int, member: Member) -> None:
        state, facts, schedule = self.arrays
        one = self._arrays_of(index)[1].weighted(member.weights)
        new = {"keep_F": one.keep_F, "alias_F": one.alias_F}
        if len(self.places) > 1:
            new = {name: getattr(facts, name).at[index].set(new[name]) for name in new}
        if self.mesh is not None:
            new = whole_on_each(self.mesh, new)
        self.arrays = (state, replace(facts, **new), schedule)

    def _reschedule(self, index: int, member: Member) -> None:
        state, facts, schedule = self.arrays
        new = member.schedule()
        if len(self.places) > 1:
            new = jax.tree.map(lambda all_, one: all_.at[index].set(one), schedule, new)
        if self.mesh is not None:
            new = whole_on_each(self.mesh, new)
        self.arrays = (state, facts, new)

    def _arrays_of(self, index: int) -> Any:
        if len(self.places) == 1:
            return self.arrays
        return jax.tree.map(lambda array: array[index], self.arrays)

    def _place(self, arrays: Sequence[Any], places: Sequence[Member | None]) -> None:
        """Put members' arrays in their places, spread over the devices where there are several."""
        if self.mesh is not None:
            [(state, facts, schedule)] = arrays
            facts, schedule = whole_on_each(self.mesh, (facts, schedule))
            self.places, self.arrays = list(places), (state, facts, schedule)
            return
        devices = jax.devices()[: len(arrays)]
        # What was spread before would else stay on its devices.
        arrays = jax.device_put(list(arrays), devices[0])
        if len(arrays) == 1:
            self.places, self.arrays = list(places), arrays[0]
            return
        # Each device has as many places; spare ones repeat a member and are not looked at.
        spare = -len(arrays) % len(devices)
        self.places = [*places, *[None] * spare]
        stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *arrays, *[arrays[0]] * spare)
        spread = NamedSharding(Mesh(np.asarray(devices), ("members",)), PartitionSpec("members"))
        self.arrays = jax.device_put(stacked, spread)


def shape_of(job: Job) -> tuple[TransformerConfig, int, str, str]:
    """What runs must share to be trained together: model, batch, optimizer and precision."""
    training = filled(job.training, len(job.facts), job.model.width)
    return (job.model, training.batch, training.optimizer, training.precision)
