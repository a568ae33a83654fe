"""A run as it is trained: what its directory, its checks and its end need to know."""

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jax.sharding import Mesh

from factcap.models.runs.job import Job
from factcap.models.runs.ledger import make_ledger, step_flops
from factcap.models.runs.record import Record
from factcap.models.training.config import SCAN_STEPS, TrainConfig, filled, total_steps
from factcap.models.training.measure import Measurement
from factcap.models.training.schedule import Schedule, make_schedule
from factcap.models.training.selection.groups import GroupSelector
from factcap.models.training.selection.selector import Selector
from factcap.models.training.steps import TrainState, initial_state
from factcap.models.training.stopping import (
    can_grow,
    check_steps,
    end_of_fall,
    is_full,
    stopped_growing,
)
from factcap.models.transformer.fast.values import Reading
from factcap.models.transformer.layout import Layout
from factcap.synth.errors import require

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
        selector: what chooses the facts to train on; None where all are trained on.
        scoring_draws: what scoring is charged, in facts drawn.

    Raises:
        BadInput: if scoring leaves no steps.
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
    selector: Selector | GroupSelector | None = None
    scoring_draws: float = 0.0

    def __post_init__(self):
        job, facts = self.job, len(self.job.facts)
        self.training = filled(job.training, facts, job.model.width)
        if (select := self.training.select) is not None:
            draws = total_steps(self.training, facts) * self.training.batch
            rest = (select, job.model.parameters, draws, self.training.seed)
            if job.grouping is None:
                self.selector = Selector(job.facts, *rest)
            else:
                self.selector = GroupSelector(job.grouping, job.facts.frequency, *rest)
            self.scoring_draws = self.selector.planned_draws()
        self.steps = self._all_steps()
        require(
            self.steps > 0,
            f"{self.training.exposures:g} exposures of {facts} facts leave no {SCAN_STEPS} steps "
            f"of {self.training.batch} after {self.scoring_draws:,.0f} draws for scoring; "
            "give more",
        )
        self.record = Record(job.directory, job.config, accept_other_code=job.accept_other_code)

    @property
    def weights(self) -> np.ndarray:
        """By which facts are drawn now; a new array whenever they change."""
        return self.job.facts.frequency if self.selector is None else self.selector.weights

    def needs_scores(self) -> bool:
        """Whether a selection that reads scores of influence is due."""
        return (
            self.selector is not None
            and self.selector.needs_scores
            and self.selector.due(self.done, self.steps)
        )

    def needs_rows(self) -> bool:
        """Whether a selection that reads the losses of the rows of groups is due."""
        return isinstance(self.selector, GroupSelector) and self.selector.due(self.done, self.steps)

    def _all_steps(self) -> int:
        return total_steps(self.training, len(self.job.facts), self.scoring_draws)

    def schedule(self) -> Schedule:
        """The numbers of its training, as far as they are known now."""
        training, facts = self.job.training, len(self.job.facts)
        schedule = make_schedule(training, facts, self.job.model.width, self.scoring_draws)
        found = self._falls_from()
        return schedule if found is None else schedule.falling_from(found)

    def _falls_from(self) -> int | None:
        """The step from which the learning rate falls, if stored bits were found not to grow."""
        training, facts = self.job.training, self.job.facts
        if not training.saturate or self.selector is not None:
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
            if self.selector is not None:
                self.selector.restore(host["selector"])
        self.done = int(state.step)
        self.record.began(self.done)
        self.record.keep_metrics(self.done)
        self._look()
        return state

    def save(self, state: TrainState) -> None:
        """Save the state, and what this object needs to go on from it."""
        host: dict[str, Any] = {"seconds": self.seconds, "checks": list(self.checks)}
        if self.selector is not None:
            host["selector"] = self.selector.state()
        self.record.save(self.done, state, host)

    def due(self) -> bool:
        """Whether all facts are to be checked at this step."""
        batch = self.training.batch
        if self.selector is not None:
            return self.done >= self.steps or self.selector.due(self.done, self.steps)
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

    def checked(
        self,
        nll_bits: np.ndarray,
        recall: np.ndarray,
        scores: np.ndarray | None = None,
        row_bits: np.ndarray | None = None,
    ) -> dict[str, float]:
        """After a check: its metrics.

        The run may have ended, its learning rate may fall, or it may draw other facts from now on.

        Args:
            nll_bits: loss of each fact.
            recall: whether each is recalled.
            scores: of influence, where `needs_scores`.
            row_bits: losses of the rows of groups, where `needs_rows`.
        """
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
        found: dict[str, float] = {"stored_bits": stored, "facts_known": known}
        if self.selector is None:
            return found
        if self.selector.due(self.done, self.steps) and self.result is None:
            share = self.done / self.steps
            if isinstance(self.selector, GroupSelector):
                assert row_bits is not None
                self.selector.look(share, row_bits)
            else:
                self.selector.look(share, nll_bits, scores)
        return found | {"facts_kept": int((self.selector.weights > 0).sum())}

    def finish(self, reading: Reading, layout: Layout, devices: int = 1) -> None:
        """Write down how it ended; a run that diverged stays unfinished."""
        batch = self.training.batch
        if not isinstance(self.result, Measurement):
            return
        ledger = make_ledger(
            facts_drawn=self.done * batch,
            flops=(self.done + self.scoring_draws / batch) * step_flops(reading, layout, batch),
            layout=layout,
            precision=reading.precision,
            scans=self.scans,
            seconds=self.seconds,
            devices=devices,
        )
        outcome = {
            "steps": self.done,
            "exposures": self.done * batch / len(self.job.facts),
            "capped": self.selector is None and self.training.saturate and not self.saturated,
            "training": dataclasses.asdict(self.training),
            "ledger": ledger.as_dict(),
        }
        weights = None
        if self.selector is not None:
            kept = self.selector.weights > 0
            outcome["selection"] = {
                "facts_kept": int(kept.sum()),
                "bits_kept": self.selector.bits_kept,
                "scoring_draws": self.scoring_draws,
                "history": self.selector.history,
            }
            weights = self.selector.weights
        self.record.finish(self.result, outcome, weights)

    def _look(self) -> None:
        found = self._falls_from()
        if found is not None:
            self.saturated = True
            self.steps = end_of_fall(found)
