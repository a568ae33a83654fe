"""The run that another goes on from: its last state, its identity, and what came before."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from jax.sharding import Mesh

from factcap.models.runs.directory.checkpoints import Checkpoints
from factcap.models.runs.directory.reading import (
    but_for_code,
    is_finished,
    read_config,
    read_outcome,
)
from factcap.models.training.config import TrainConfig
from factcap.models.training.optim import evaluated
from factcap.models.training.schedule import Before, make_schedule
from factcap.models.training.steps import TrainState, initial_state, state_of
from factcap.models.transformer.decoder import SIZES, TransformerConfig
from factcap.synth.errors import require

# What is taken over from a parent, or begun anew.
TAKES = ("continued", "fresh")


def check_takes(name: str, value: str) -> None:
    """Raise `BadInput` unless it is said whether something is continued or fresh."""
    require(value in TAKES, f"{name} must be {' or '.join(TAKES)}, not {value!r}")


@dataclass(frozen=True)
class Parent:
    """A finished run from whose last state another begins: the trunk of a branch.

    Attributes:
        directory: of the finished run.
        optimizer: `continued` takes its state over; `fresh` begins with an empty one, at the
            parameters that the parent was measured with.
        schedule: `continued` begins at the peak of the learning rate, where a parent that was
            trained without `decay` ended; `fresh` rises to it again, over `warmup`.

    Raises:
        BadInput: for another word than these.
    """

    directory: Path
    optimizer: str = "continued"
    schedule: str = "continued"

    def __post_init__(self):
        check_takes("the parent's optimizer", self.optimizer)
        check_takes("the parent's schedule", self.schedule)

    @cached_property
    def outcome(self) -> dict[str, Any]:
        """How the parent ended.

        Raises:
            BadInput: if it has not.
        """
        require(
            is_finished(self.directory),
            f"the run in {self.directory} is not finished; nothing can go on from it",
        )
        return read_outcome(self.directory)

    def identity(self) -> dict[str, str]:
        """What of it decides the numbers of the run that goes on, as JSON values."""
        return identity(but_for_code(read_config(self.directory)), self.optimizer, self.schedule)

    @property
    def before(self) -> Before:
        """What the parent and its own parents did before."""
        own, older = self.outcome, self.outcome.get("parent", {})
        counted = own["steps"] + older.get("optimizer_steps", 0)
        return Before(
            steps=own["steps"] + older.get("steps", 0),
            optimizer_steps=counted if self.optimizer == "continued" else 0,
            warm=self.schedule == "continued",
        )

    def record(self) -> dict[str, Any]:
        """What the outcome of the run that goes on says of it, as JSON values."""
        before, older = self.before, self.outcome.get("parent", {})
        return {
            "run": read_config(self.directory)["id"],
            "steps": before.steps,
            "optimizer_steps": before.optimizer_steps,
            "tokens": self.outcome["ledger"]["tokens"] + older.get("tokens", 0),
            "optimizer": self.optimizer,
            "schedule": self.schedule,
        }

    def state(
        self, model: TransformerConfig, training: TrainConfig, facts: int, mesh: Mesh | None
    ) -> TrainState:
        """The state with which the run that goes on begins, at its own step 0.

        Args:
            model: of both runs.
            training: of the run that goes on, its defaults filled in.
            facts: how many it is trained on.
            mesh: over which the state is divided.

        Raises:
            BadInput: if the parent's last state is gone, or of another model or optimizer.
            Damaged: if it is not as it was saved.
        """
        name = self.outcome["training"]["optimizer"]
        require(
            name == training.optimizer or self.optimizer == "fresh",
            f"the state of {name} cannot be continued with {training.optimizer}; give the parent's "
            "optimizer, or begin with a fresh one",
        )
        self._check_model(model)
        schedule = make_schedule(training, facts, model.width)
        steps, folder = self.outcome["steps"], self.directory / "checkpoint"
        require(
            (folder / str(steps)).is_dir(),
            f"{self.directory} has no saved state; remove it and make the run again",
        )
        like = initial_state(model, replace(schedule, name=name), training.seed, mesh)
        checkpoints = Checkpoints(folder)
        try:
            checkpoints.proved(steps)
            found = checkpoints.restore(like)
        finally:
            checkpoints.close()
        assert found is not None
        state, _ = found
        if self.optimizer == "continued":
            return state._replace(step=like.step)
        return state_of(evaluated(name, state.optimizer, state.params), schedule, mesh)

    def _check_model(self, model: TransformerConfig) -> None:
        size = read_config(self.directory)["model"]
        heads = SIZES[size][2] if isinstance(size, str) else size["heads"]
        own = (self.outcome["summary"]["parameters"], heads)
        require(
            own == (model.parameters, model.heads),
            f"the state in {self.directory} is of a model of {own[0]:,} parameters and {heads} "
            f"heads, not {model.parameters:,} and {model.heads}",
        )


def identity(run: str, optimizer: str, schedule: str) -> dict[str, str]:
    """What of a parent decides numbers: itself, whatever code made it, and what is taken over.

    Args:
        run: `but_for_code` of its configuration.
        optimizer: see `Parent`.
        schedule: the same.
    """
    return {"run": run, "optimizer": optimizer, "schedule": schedule}
