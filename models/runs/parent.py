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
from factcap.models.transformer.decoder import TransformerConfig, named_size
from factcap.models.transformer.inheritance import WHOLE, inherited, takes_over
from factcap.synth.errors import require

# What is taken over from a parent, or begun anew.
TAKES = ("continued", "fresh")


def check_takes(name: str, value: str) -> None:
    """Raise `BadInput` unless it is said whether something is continued or fresh."""
    require(value in TAKES, f"{name} must be {' or '.join(TAKES)}, not {value!r}")


def check_takes_over(
    parent: TransformerConfig | None, child: TransformerConfig, optimizer: str, described: str
) -> None:
    """Raise `BadInput` unless a run can go on with another model than its parent's.

    Args:
        parent: model of the parent; None: of another vocabulary.
        child: model of the run that goes on.
        optimizer: see `Parent`.
        described: the parent's model, in a few words.
    """
    how = None if parent is None else takes_over(parent, child)
    require(
        how is not None,
        f"the parent has {described}; a run that goes on has the same model, a masked one where "
        f"the parent's is gelu, or one with fewer hidden units, not {child.entry}",
    )
    require(
        how == WHOLE or optimizer == "fresh",
        f"the run goes on with another model than its parent's ({how}); its optimizer must begin "
        "fresh",
    )


@dataclass(frozen=True)
class Parent:
    """A finished run from whose last state another begins: the trunk of a branch.

    Both are of one model, or the other is what `factcap.models.transformer.inheritance` makes of
    this one's: a masked model of a dense one, or a dense one with fewer hidden units.

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
            model: of the run that goes on.
            training: of the run that goes on, its defaults filled in.
            facts: how many it is trained on.
            mesh: over which the state is divided.

        Raises:
            BadInput: if the parent's last state is gone, or of a model or an optimizer with which
                the run cannot go on.
            Damaged: if it is not as it was saved.
        """
        name = self.outcome["training"]["optimizer"]
        require(
            name == training.optimizer or self.optimizer == "fresh",
            f"the state of {name} cannot be continued with {training.optimizer}; give the parent's "
            "optimizer, or begin with a fresh one",
        )
        own = self._model(model)
        schedule = make_schedule(training, facts, model.width)
        steps, folder = self.outcome["steps"], self.directory / "checkpoint"
        require(
            (folder / str(steps)).is_dir(),
            f"{self.directory} has no saved state; remove it and make the run again",
        )
        like = initial_state(own, replace(schedule, name=name), training.seed, mesh)
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
        params = evaluated(name, state.optimizer, state.params)
        if takes_over(own, model) != WHOLE:
            fresh = initial_state(model, schedule, training.seed)
            params = inherited(own, model, params, fresh.params)
        return state_of(params, schedule, mesh)

    def _model(self, model: TransformerConfig) -> TransformerConfig:
        """The parent's own model, with which one of this configuration can begin."""
        entry = read_config(self.directory)["model"]
        if isinstance(entry, str):
            own = named_size(entry, model.vocabulary)
        else:
            own = TransformerConfig(**{"vocabulary": model.vocabulary, **entry})
        parameters = self.outcome["summary"]["parameters"]
        check_takes_over(
            own if own.parameters == parameters else None,
            model,
            self.optimizer,
            f"a model of {parameters:,} parameters and {own.heads} heads",
        )
        return own


def identity(run: str, optimizer: str, schedule: str) -> dict[str, str]:
    """What of a parent decides numbers: itself, whatever code made it, and what is taken over.

    Args:
        run: `but_for_code` of its configuration.
        optimizer: see `Parent`.
        schedule: the same.
    """
    return {"run": run, "optimizer": optimizer, "schedule": schedule}
