"""Selection inside a training by the `Trainer` of `transformers`."""

import copy
import math
from collections.abc import Callable, Sized
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64
from numpy.typing import ArrayLike
from transformers import Trainer, TrainerCallback
from transformers.trainer_callback import ExportableState

from factcap.causal_lm.example_losses import example_losses
from factcap.causal_lm.sampler import WeightedSampler
from factcap.synth.corpus.grouping import each_alone
from factcap.synth.errors import BadInput, require
from factcap.synth.selection import SelectConfig, Selector
from factcap.synth.selection.evidence import check_numbers
from factcap.synth.selection.groups import GroupSelector
from factcap.synth.selection.offered import Items
from factcap.synth.selection.selector import SCORING


class SelectionCallback(TrainerCallback, ExportableState):
    """Scores the examples that are still trained on when it is time, and updates the sampler.

    `add_selection` makes it. Its state is saved and restored with the checkpoints of the Trainer.

    Attributes:
        selection: what chooses: its `weights`, `history` and `bits_kept` may be read.
        sampler: what draws by these weights.
        scoring_draws: what scoring has cost so far, in examples drawn: a third for each it scored.
    """

    def __init__(
        self, selection: Selector | GroupSelector, sampler: WeightedSampler, batch: int, rows: int
    ):
        """A callback before the training.

        Args:
            selection: what chooses.
            sampler: what the Trainer draws by.
            batch: examples a step.
            rows: of a batch that is scored.
        """
        self.selection, self.sampler, self.scoring_draws = selection, sampler, 0.0
        self._batch, self._rows, self._trained = batch, rows, 0
        self._scores = selection.planned_draws() > 0
        self._examples: Any = None
        self._collate: Callable[..., Any] = list
        self._beginning = self.state()

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Begin anew, or go on from what a checkpoint says."""
        loader = kwargs["train_dataloader"]
        # Of several processes each takes its share of the batches of the whole sampler.
        batches = getattr(loader.batch_sampler, "batch_sampler", loader.batch_sampler)
        require(
            getattr(batches, "sampler", None) is self.sampler,
            "the Trainer draws by another sampler than that of the selection",
        )
        self._examples, self._collate = loader.dataset, loader.collate_fn
        found = self._beginning
        if state.global_step > 0:
            name = type(self).__name__
            require(name in state.stateful_callbacks, "the checkpoint was saved without selection")
            found = state.stateful_callbacks[name]
        attributes = found["attributes"]
        self.sampler.load_state_dict(attributes["sampler"])
        self.selection.restore(attributes["selection"])
        self.scoring_draws = attributes["scoring_draws"]
        self._trained = attributes["sampler"]["drawn"]

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Select if it is due."""
        self._trained = state.global_step * self._batch
        if not self.selection.due(state.global_step, state.max_steps):
            return
        bits = np.zeros(len(self.selection.weights))
        if self._scores:
            bits = self._losses(kwargs["model"], args.process_index, args.world_size)
        if self.selection.look(state.global_step / state.max_steps, bits):
            self.sampler.update(self.selection.drawn_by)

    def _losses(
        self, model: torch.nn.Module, process: int, processes: int
    ) -> Float64[np.ndarray, " examples"]:
        """Loss of each example that is still trained on; each process scores its share of them."""
        present = np.flatnonzero(self.selection.weights > 0)
        self.scoring_draws += SCORING * len(present)
        bits, own = np.zeros(len(self.selection.weights)), present[process::processes]
        bits[own] = example_losses(model, self._examples, own, self._collate, self._rows)
        if processes > 1:
            everyone = torch.from_numpy(bits).to(next(model.parameters()).device)
            torch.distributed.all_reduce(everyone)
            bits = everyone.cpu().numpy()
        return bits

    def state(self) -> dict[str, Any]:
        """What going on after an interruption needs, as JSON values."""
        attributes = {
            "selection": self.selection.state(),
            "sampler": self.sampler.state_dict(self._trained),
            "scoring_draws": self.scoring_draws,
        }
        return {"args": {}, "attributes": attributes}


def add_selection(
    trainer: Trainer,
    config: SelectConfig | str,
    *,
    entropy_bits: ArrayLike | None = None,
    frequency: ArrayLike | None = None,
) -> SelectionCallback:
    """Let a Trainer train on what fits, chosen by what it has learned so far.

    The training costs no more than before: it has as many steps fewer as scoring costs, a third of
    a draw for each example scored. Its `args` become a copy with these `max_steps`. Call it before
    `train`.

    Args:
        trainer: of any causal language model, whole in each process.
        config: how to select, or the name of a scheme.
        entropy_bits: of what the labels of each example hold, given what they do not: one number
            if all hold as much, or one for each. Default: nobody knows; each is then ranked by the
            loss of all its labels (see docs/corpus.md, "where nothing is found").
        frequency: how often each example would be drawn, at any scale; default: all alike.

    Returns:
        The callback, which was added.

    Raises:
        BadInput: if the Trainer or the numbers do not allow it, or scoring would leave no steps.
    """
    config = SelectConfig(config) if isinstance(config, str) else config
    model, examples = _checked(trainer, config)
    often = np.ones(examples) if frequency is None else np.asarray(frequency, float)
    check_numbers(often, "frequency", examples)
    require(bool(often.any()), "at least one frequency must be positive")
    often = often / often.sum()
    args = copy.copy(trainer.args)
    batch = trainer.get_total_train_batch_size(args)
    draws = args.max_steps * batch if args.max_steps > 0 else args.num_train_epochs * examples
    seed = args.seed if args.data_seed is None else args.data_seed
    if entropy_bits is None:
        everything = each_alone(range(examples))
        selection = GroupSelector(everything, often, config, math.inf, draws, seed)
    else:
        bits = np.array(np.broadcast_to(entropy_bits, np.shape(entropy_bits) or examples), float)
        check_numbers(bits, "entropy_bits", examples)
        parameters = sum(each.numel() for each in model.parameters() if each.requires_grad)
        # Narrowing was measured in our own engine alone.
        selection = Selector(Items(bits, often), config, parameters, draws, seed, narrowing=False)
    scoring = selection.planned_draws()
    args.max_steps = int((draws - scoring) / batch)
    require(
        args.max_steps > 0,
        f"{draws:,.0f} draws leave no step of {batch} after {scoring:,.0f} draws for scoring; "
        "train longer, or select once",
    )
    # Whole steps an epoch, so that steps tell draws.
    sampler = WeightedSampler(selection.drawn_by, max(examples // batch, 1) * batch, seed)
    trainer.args = args
    trainer._get_train_sampler = lambda train_dataset=None: sampler
    callback = SelectionCallback(selection, sampler, batch, args.per_device_train_batch_size)
    trainer.add_callback(callback)
    return callback


def _checked(trainer: Trainer, config: SelectConfig) -> tuple[torch.nn.Module, int]:
    """The model, and how many examples there are; raises `BadInput` if none can be selected."""
    args, model, examples = trainer.args, trainer.model, trainer.train_dataset
    require(config.scheme != "influence", "the scheme influence needs gradients; take another")
    if model is None or not isinstance(examples, Sized):
        raise BadInput("selection needs a model, and a train_dataset that has a length")
    require(len(examples) > 0, "the train_dataset is empty")
    require(
        not (trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled),
        "selection needs the whole model in each process; FSDP and DeepSpeed divide it",
    )
    require(
        not args.restore_callback_states_from_checkpoint,
        "selection restores itself; leave restore_callback_states_from_checkpoint at False",
    )
    require(not args.auto_find_batch_size, "selection needs a batch size that does not change")
    return model, len(examples)
