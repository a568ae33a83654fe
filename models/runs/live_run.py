"""A run while it is trained: how far it is, what it draws, and what comes of it."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jax.sharding import Mesh
from jaxtyping import Bool, Float, Float32, Float64

from factcap.models.runs.directory.run_directory import RunDirectory
from factcap.models.runs.job import Job
from factcap.models.runs.result import Diverged, divergence
from factcap.models.training.config import SCAN_STEPS, TrainConfig, filled
from factcap.models.training.schedule import Before, Schedule, make_schedule
from factcap.models.training.selection.checked import CheckedModel
from factcap.models.training.selection.selection import make_selection
from factcap.models.training.steps import TrainState, initial_state
from factcap.models.training.stopping import Check, StoppingRule, end_of_fall
from factcap.synth.errors import require
from factcap.synth.measurement import Measurement
from factcap.synth.selection.selection import Selection


@dataclass(eq=False)
class LiveRun:
    """A job while it is trained: all that changes on the host, from its first step to its end.

    Its arrays are elsewhere, on devices: see `factcap.models.runs.slots`.

    Attributes:
        number: of the job.
        job: the run to be made.
        training: how, its defaults filled in.
        selection: what chooses the facts to train on; None where all are trained on.
        rule: when it ends.
        before: what it goes on from.
        directory: where it is kept.
        done: steps made.
        steps: steps in all, as known now.
        seconds: of training, those before an interruption included.
        scan: losses and seconds of the parts of the scan that it is in.
        scans: seconds of each scan of this call.
        checks: those made so far.
        saturated: whether stored bits were found to grow no longer, or little is left to learn.
        result: the measurement or the failure, once it has ended.

    Raises:
        BadInput: if scoring leaves no steps, the run's parent is not finished, or the directory is
            not the run's.
        Busy: if another process is making this run.
    """

    number: int
    job: Job
    training: TrainConfig = field(init=False)
    selection: Selection | None = field(init=False)
    rule: StoppingRule = field(init=False)
    before: Before = field(init=False)
    directory: RunDirectory = field(init=False)
    done: int = 0
    steps: int = field(init=False)
    seconds: float = 0.0
    scan: list[tuple[Float[np.ndarray, " steps"], float]] = field(default_factory=list)
    scans: list[float] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    saturated: bool = False
    result: Measurement | Diverged | None = None

    def __post_init__(self):
        job, count, parameters = self.job, len(self.job.facts), self.job.model.parameters
        self.training = filled(job.training, count, job.model.width)
        self.selection = make_selection(job.facts, self.training, job.model, job.grouping)
        scoring_draws = 0.0 if self.selection is None else self.selection.planned_draws()
        entropy_bits = float(job.facts.entropy_bits.sum())
        self.rule = StoppingRule(self.training, count, entropy_bits, parameters, scoring_draws)
        self.steps = self.rule.most_steps
        require(
            self.steps > 0,
            f"{self.training.exposures:g} exposures of {count} facts leave no step "
            f"of {self.training.batch} after {scoring_draws:,.0f} draws for scoring; give more",
        )
        self.before = Before() if job.parent is None else job.parent.before
        self.directory = RunDirectory(
            job.directory, job.config, accept_other_code=job.accept_other_code
        )

    @property
    def weights(self) -> Float64[np.ndarray, " facts"]:
        """By which facts are drawn now."""
        return self.job.facts.frequency if self.selection is None else self.selection.drawn_by

    def schedule(self) -> Schedule:
        """The numbers of its training, as far as they are known now."""
        count, width = len(self.job.facts), self.job.model.width
        schedule = make_schedule(self.training, count, width, self.rule.scoring_draws, self.before)
        found = self.rule.falls_from(self.checks)
        return schedule if found is None else schedule.falling_from(found)

    def resume(self, mesh: Mesh | None = None) -> TrainState:
        """The state that training goes on from, divided over a mesh if given."""
        job = self.job
        state = initial_state(job.model, self.schedule(), self.training.seed, mesh)
        found = self.directory.checkpoints.restore(state)
        if found is not None:
            state, host = found
            self.seconds = host["seconds"]
            self.checks = [Check(*check) for check in host["checks"]]
            if self.selection is not None:
                self.selection.restore(host["selector"])
        elif job.parent is not None:
            state = job.parent.state(job.model, self.training, len(job.facts), mesh)
        self.done = int(state.step)
        self.directory.begin(self.done)
        self._end_early()
        return state

    def save(self, state: TrainState) -> None:
        """Save the state, and what this object needs to go on from it."""
        host: dict[str, Any] = {"seconds": self.seconds, "checks": list(self.checks)}
        if self.selection is not None:
            host["selector"] = self.selection.state()
        self.directory.checkpoints.save(self.done, state, host)

    def next_steps(self) -> int:
        """Steps to the next multiple of `SCAN_STEPS`, or to the end."""
        return min(SCAN_STEPS - self.done % SCAN_STEPS, self.steps - self.done)

    @property
    def between(self) -> bool:
        """Whether it is within a scan, which it left when a neighbor ended."""
        return self.done % SCAN_STEPS > 0 and self.done < self.steps and self.result is None

    def took(self, nats: Float[np.ndarray, " steps"], seconds: float) -> dict[str, float] | None:
        """Count some steps; the metrics of a line, None while it is `between`.

        Args:
            nats: loss of each of its steps, nats a value token.
            seconds: that they took.
        """
        self.result = divergence(nats, self.done, self.training.learning_rate)
        self.done += len(nats)
        self.seconds += seconds
        self.scan.append((nats, seconds))
        if self.between:
            return None
        nats = np.concatenate([nats for nats, _ in self.scan])
        self.scans.append(sum(seconds for _, seconds in self.scan))
        self.scan.clear()
        return {
            "step": self.done,
            "steps": self.steps,
            "exposures": self.done * self.training.batch / len(self.job.facts),
            "loss_bits_per_token": float(nats.mean()) / math.log(2),
            "seconds": self.seconds,
        }

    def check_due(self) -> bool:
        """Whether all facts are to be checked at this step."""
        if self.result is not None or self.between:
            return False
        if self.done >= self.steps:
            return True
        if self.selection is None:
            return self.rule.is_check_step(self.done)
        return self.selection.due(self.done, self.steps)

    def checked(
        self, nll_bits: Float32[np.ndarray, " facts"], recall: Bool[np.ndarray, " facts"]
    ) -> dict[str, float]:
        """Count a check; its metrics. The run may have ended, or its learning rate may fall now.

        Args:
            nll_bits: loss of each fact.
            recall: whether each is recalled.
        """
        facts = self.job.facts
        check = Check(self.done, float((facts.entropy_bits - nll_bits).sum()), int(recall.sum()))
        if not self.checks or self.checks[-1].step < self.done:
            self.checks.append(check)
            self._end_early()
        full = self.rule.is_full(check)
        if full or self.done >= self.steps:
            self.saturated |= full or not self.rule.can_grow(check)
            self.result = Measurement.of(facts, nll_bits, recall, self.job.model.parameters)
            self.steps = self.done
        return {"stored_bits": check.stored_bits, "facts_known": check.facts_known}

    def selection_due(self) -> bool:
        """Whether other facts may be drawn from now on: see `reselect`."""
        if self.selection is None or self.result is not None:
            return False
        return self.selection.due(self.done, self.steps)

    def reselect(self, model: CheckedModel) -> bool:
        """Choose anew which facts are drawn, by what the model knows now; whether it changed."""
        assert self.selection is not None
        return self.selection.reselect(self.done / self.steps, model)

    def _end_early(self) -> None:
        found = self.rule.falls_from(self.checks)
        if found is not None:
            self.saturated = True
            self.steps = end_of_fall(found)
