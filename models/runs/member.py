"""A run as it is trained: what its directory, its checks and its end need to know."""

import dataclasses
import math
from dataclasses import dataclass, field

import numpy as np
from jax.sharding import Mesh

from models.fast.values import Reading
from models.layout import Layout
from models.ledger import make_ledger, step_flops
from models.measure import Measurement
from models.runs.job import Job
from models.runs.record import Record
from models.schedule import (
    SCAN_STEPS,
    Schedule,
    TrainConfig,
    can_grow,
    check_steps,
    end_of_fall,
    filled,
    is_full,
    make_schedule,
    stopped_growing,
    total_steps,
)
from models.train import TrainState, initial_state

# Bits that a parameter might store at the most, when it is asked whether a run has learned some.
_MOST_BITS = 2.0


@dataclass(frozen=True)
class Diverged:
    """A run that failed: its loss is not finite any more.

    Attributes:
        step: the first step whose loss was not.
        reason: what to tell the user.
    """

    step: int
    reason: str


@dataclass
class Member:
    """A job, and what changes on the host as it is trained.

    Attributes:
        number: of the job.
        job: the run to be made.
        training: how, its defaults filled in.
        done: steps made.
        steps: steps in all, as known now.
        seconds: of training, those before an interruption included.
        scans: seconds of each scan of this call.
        checks: (step, stored bits, facts known) of each check of all facts.
        saturated: whether stored bits were found to grow no longer, or little is left to learn.
        result: the measurement or the failure, once it has ended.
    """

    number: int
    job: Job
    training: TrainConfig = field(init=False)
    record: Record = field(init=False)
    done: int = 0
    steps: int = 0
    seconds: float = 0.0
    scans: list[float] = field(default_factory=list)
    checks: list[tuple[int, float, int]] = field(default_factory=list)
    saturated: bool = False
    result: Measurement | Diverged | None = None

    def __post_init__(self):
        job = self.job
        self.training = filled(job.training, len(job.facts), job.model.width)
        self.record = Record(job.directory, job.config)
        self.steps = self._all_steps()

    def _all_steps(self) -> int:
        return total_steps(self.training, len(self.job.facts))

    def schedule(self) -> Schedule:
        """The numbers of its training, as far as they are known now."""
        training = self.job.training
        schedule = make_schedule(training, len(self.job.facts), self.job.model.width)
        found = self._falls_from()
        return schedule if found is None else schedule.falling_from(found)

    def _falls_from(self) -> int | None:
        """The step from which the learning rate falls, if stored bits were found not to grow."""
        training, facts = self.job.training, self.job.facts
        if not training.saturate:
            return None
        steps = self._all_steps()
        # Once the rate has begun to fall, it falls to the end.
        before = [check for check in self.checks if check[0] <= (1 - training.decay) * steps]
        entropy = float(facts.entropy_bits.sum())
        most = min(entropy, _MOST_BITS * self.job.model.parameters)
        known_all = [
            step
            for step, bits, known in before
            if known == len(facts) and not can_grow(bits, entropy)
        ]
        stopped = stopped_growing([(step, bits) for step, bits, _ in before], most)
        found = known_all if stopped is None else [*known_all, stopped]
        return None if not found or end_of_fall(min(found)) >= steps else min(found)

    def resume(self, mesh: Mesh | None = None) -> TrainState:
        """The state that training goes on from, divided over a mesh if given."""
        state = initial_state(self.job.model, self.schedule(), self.job.training.seed, mesh)
        found = self.record.restore(state)
        if found is not None:
            state, host = found
            self.seconds = host["seconds"]
            self.checks = [tuple(check) for check in host["checks"]]
        self.done = int(state.step)
        self.record.began(self.done)
        self.record.keep_metrics(self.done)
        self._look()
        return state

    def save(self, state: TrainState) -> None:
        """Save the state, and what this object needs to go on from it."""
        self.record.save(self.done, state, {"seconds": self.seconds, "checks": self.checks})

    def due(self) -> bool:
        """Whether all facts are to be checked at this step."""
        batch = self.training.batch
        every = check_steps(len(self.job.facts), batch)
        return self.done >= self.steps or (self.done > 0 and self.done % every == 0)

    def took(self, nats: np.ndarray, seconds: float) -> dict[str, float]:
        """After a scan: the metrics of its line."""
        self.done += SCAN_STEPS
        self.seconds += seconds
        self.scans.append(seconds)
        if not np.isfinite(nats).all():
            step = self.done - SCAN_STEPS + int(np.argmin(np.isfinite(nats)))
            rate = self.training.learning_rate
            self.result = Diverged(
                step,
                f"the loss is not finite at step {step}; try a smaller learning rate than {rate:g}",
            )
        return {
            "step": self.done,
            "steps": self.steps,
            "exposures": self.done * self.training.batch / len(self.job.facts),
            "loss_bits_per_token": float(nats.mean()) / math.log(2),
            "seconds": self.seconds,
        }

    def checked(self, nll_bits: np.ndarray, recall: np.ndarray) -> dict[str, float]:
        """After a check: its metrics; the run may have ended, or its learning rate may fall."""
        facts = self.job.facts
        stored, known = float((facts.entropy_bits - nll_bits).sum()), int(recall.sum())
        if not self.checks or self.checks[-1][0] < self.done:
            self.checks.append((self.done, stored, known))
            self._look()
        entropy = float(facts.entropy_bits.sum())
        full = is_full(stored, entropy, known, len(facts))
        if full or self.done >= self.steps:
            self.saturated |= full or not can_grow(stored, entropy)
            self.result = Measurement(
                nll_bits=nll_bits,
                recall=recall,
                entropy_bits=facts.entropy_bits,
                frequency=facts.frequency,
                parameters=self.job.model.parameters,
            )
            self.steps = self.done
        return {"stored_bits": stored, "facts_known": known}

    def finish(self, reading: Reading, layout: Layout, devices: int = 1) -> None:
        """Write down how it ended; a run that diverged stays unfinished."""
        batch = self.training.batch
        if not isinstance(self.result, Measurement):
            return
        ledger = make_ledger(
            facts_drawn=self.done * batch,
            flops=self.done * step_flops(reading, layout, batch),
            layout=layout,
            precision=reading.precision,
            scans=self.scans,
            seconds=self.seconds,
            devices=devices,
        )
        outcome = {
            "steps": self.done,
            "exposures": self.done * batch / len(self.job.facts),
            "capped": self.job.training.saturate and not self.saturated,
            "training": dataclasses.asdict(self.training),
            "ledger": ledger.as_dict(),
        }
        self.record.finish(self.result, outcome)

    def _look(self) -> None:
        found = self._falls_from()
        if found is not None:
            self.saturated = True
            self.steps = end_of_fall(found)
