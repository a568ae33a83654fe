import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from factcap.models import TrainConfig, TransformerConfig
from factcap.models.training.selection.selection import make_selection
from factcap.synth import BadInput
from factcap.synth.selection import SCHEMES, SelectConfig, Selector
from tests.conftest import make_facts

pytest.importorskip("torch")
pytest.importorskip("transformers")
import torch
import transformers

from factcap.causal_lm import add_selection, selecting
from tests.causal_lm.tiny import collate, gpt2, rows_of

ROOT = Path(__file__).parents[2]
ONCE = {"schedule": "once", "first": 0.5}


class Trainer(transformers.Trainer):
    """Keeps the rows of each batch."""

    seen: list[torch.Tensor]

    def training_step(self, model, inputs, num_items_in_batch=None):
        self.seen.append(inputs["input_ids"].clone())
        return super().training_step(model, inputs, num_items_in_batch)


def trainer_of(rows, folder, *, model=None, vocabulary=32, **fields):
    settings: dict[str, Any] = {
        "per_device_train_batch_size": 4,
        "learning_rate": 0.02,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "logging_strategy": "no",
        "use_cpu": True,
        **fields,
    }
    args = transformers.TrainingArguments(str(folder), **settings)
    model = gpt2(vocabulary=vocabulary) if model is None else model
    trainer = Trainer(model, args, train_dataset=rows, data_collator=collate)
    trainer.seen = []
    return trainer


def parameters_of(trainer):
    assert trainer.model is not None
    return list(trainer.model.parameters())


@pytest.fixture
def told(monkeypatch):
    """Prescribed losses instead of measured ones; gives what was asked for."""
    asked: list[list[int]] = []

    def tell(losses):
        def losses_of(model, examples, numbers, collate, rows):
            asked.append(numbers.tolist())
            return losses[numbers]

        monkeypatch.setattr(selecting, "example_losses", losses_of)
        return asked

    return tell


def test_the_budget_follows_from_the_stored_bits_and_scoring_shortens_the_training(told, tmp_path):
    """8 examples of 10 bits. Half way the four of lowest loss are within the budget.

    80 draws, less 8/3 for scoring, are 19 steps of 4. The first step after half of them is the
    10th. 10 + 9 + 6 + 4 + 2 + 1 = 32 bits are stored then, and
    32 (19/10)^(1/2) (1 + (1 - (10/19) / 0.8) / 4) = 47.9 are expected.
    """
    losses = np.array([0.0, 11.0, 4.0, 9.0, 1.0, 8.0, 6.0, 10.0])
    asked = told(losses)
    trainer = trainer_of(rows_of(8, vocabulary=32), tmp_path, num_train_epochs=10)
    args = trainer.args
    callback = add_selection(trainer, SelectConfig("loss_h", **ONCE), entropy_bits=10.0)
    assert trainer.args.max_steps == 19
    assert args.max_steps == -1
    trainer.train()
    assert asked == [list(range(8))]
    assert trainer.state.global_step == 19
    assert callback.scoring_draws == pytest.approx(8 / 3)
    assert np.flatnonzero(callback.selection.weights).tolist() == [0, 2, 4, 6]
    assert callback.selection.history == [(10 / 19, 29.0)]
    assert callback.selection.bits_kept == 40


def test_what_is_dropped_is_neither_drawn_nor_scored_any_more(told, tmp_path):
    asked = told(np.linspace(1.0, 9.0, 20))
    rows = rows_of(20, vocabulary=32)
    trainer = trainer_of(rows, tmp_path, max_steps=60)
    config = SelectConfig("loss_h", budget_bits=80.0, first=0.2)
    callback = add_selection(trainer, config, entropy_bits=np.full(20, 10.0))
    trainer.train()
    assert asked == [list(range(20)), *[list(range(8))] * 6]
    assert callback.scoring_draws == pytest.approx((20 + 6 * 8) / 3)
    # Seven times 20/3 were set aside: 60 * 4 - 46.7 = 193.3 draws.
    assert trainer.args.max_steps == len(trainer.seen) == 48
    number = {tuple(row["input_ids"]): place for place, row in enumerate(rows)}
    drawn = [[number[tuple(row)] for row in batch.tolist()] for batch in trainer.seen]
    assert {example for batch in drawn[:10] for example in batch} == set(range(20))
    # It was selected after step 10; the loader had fetched one batch more.
    assert {example for batch in drawn[11:] for example in batch} == set(range(8))


def test_a_share_of_the_draws_goes_to_what_was_dropped(told, tmp_path):
    told(np.linspace(1.0, 9.0, 20))
    rows = rows_of(20, vocabulary=32)
    trainer = trainer_of(rows, tmp_path, max_steps=200)
    config = SelectConfig("loss_h", budget_bits=80.0, rest=0.25, **ONCE)
    callback = add_selection(trainer, config, entropy_bits=10.0)
    trainer.train()
    number = {tuple(row["input_ids"]): place for place, row in enumerate(rows)}
    drawn = np.array([number[tuple(row)] for batch in trainer.seen[-50:] for row in batch.tolist()])
    assert np.flatnonzero(callback.selection.weights).tolist() == list(range(8))
    assert np.mean(drawn >= 8) == pytest.approx(0.25, abs=0.03)
    assert len(set(drawn[drawn >= 8])) == 12


def test_where_nobody_knows_the_entropies_losses_at_the_first_scoring_serve(told, tmp_path):
    first = np.linspace(20, 30, 12)
    asked = told(first)
    trainer = trainer_of(rows_of(12, vocabulary=32), tmp_path, max_steps=60)
    callback = add_selection(trainer, SelectConfig("loss_h", schedule="once", first=0.4))
    # Two passes over 12 examples are 8 draws.
    assert trainer.args.max_steps == 58

    class Learn(transformers.TrainerCallback):
        def on_step_end(self, args, state, control, **kwargs):
            if state.global_step == 20:
                told(np.where(np.arange(12) < 2, 0.1, 1.0) * first)

    trainer.add_callback(Learn())
    trainer.train()
    assert asked == [list(range(12))] * 2
    assert (callback.selection.weights > 0).sum() < 12
    assert np.all(callback.selection.weights[:2] > 0)
    assert callback.scoring_draws == pytest.approx(8)


@pytest.mark.parametrize("scheme", [name for name in SCHEMES if name != "influence"])
def test_the_selection_is_that_of_our_own_engine(scheme, tmp_path):
    """The same losses give the same weights, whoever trains."""
    facts = make_facts(60, exponent=0.8)
    config = SelectConfig(scheme, budget_bits=0.0 if SCHEMES[scheme].sets_budget else 150.0)
    rows = rows_of(60, vocabulary=32)
    trainer = trainer_of(rows, tmp_path, max_steps=1500, seed=7)
    there = add_selection(
        trainer, config, entropy_bits=facts.entropy_bits, frequency=facts.frequency
    ).selection
    training = TrainConfig(exposures=100, batch=4, fewest_steps=0, seed=7, select=config)
    parameters = sum(each.numel() for each in parameters_of(trainer))
    here = make_selection(facts, training, TransformerConfig(33, width=8, depth=1, heads=1))
    assert isinstance(here, Selector)
    # Only our own engine narrows.
    here = Selector(facts, config, parameters, here.draws, here.seed, narrowing=False)
    losses = facts.entropy_bits * np.random.default_rng(0).random(60)
    for share in (0.0, *config.shares()):
        if share:
            assert here.look(share, share * losses) == there.look(share, share * losses)
        np.testing.assert_allclose(here.weights, there.weights, rtol=1e-12)
    assert here.planned_draws() == there.planned_draws()


@pytest.mark.parametrize("marked", [True, False])
def test_a_resumed_training_gives_the_numbers_of_an_uninterrupted_one(marked, tmp_path):
    rows = rows_of(24, vocabulary=8)

    def begun(folder):
        trainer = trainer_of(
            rows,
            folder,
            model=gpt2(vocabulary=8),
            vocabulary=8,
            max_steps=36,
            gradient_accumulation_steps=2,
            save_strategy="steps",
            save_steps=9,
        )
        budget = 120.0 if marked else 0.0
        config = SelectConfig("loss_h", budget_bits=budget, first=0.2, rest=0.1)
        return trainer, add_selection(trainer, config, entropy_bits=15.0 if marked else None)

    straight, one = begun(tmp_path)
    straight.train()
    assert 0 < (one.selection.weights > 0).sum() < 24
    for step in (9, 18):
        resumed, other = begun(tmp_path)
        resumed.train(resume_from_checkpoint=str(tmp_path / f"checkpoint-{step}"))
        assert len(resumed.seen) == len(straight.seen) - 2 * step
        for batch, again in zip(straight.seen[2 * step :], resumed.seen, strict=True):
            assert torch.equal(batch, again)
        assert np.array_equal(one.selection.weights, other.selection.weights)
        assert one.selection.history == other.selection.history
        assert one.scoring_draws == pytest.approx(other.scoring_draws)
        for pair in zip(parameters_of(straight), parameters_of(resumed), strict=True):
            assert torch.equal(*pair)


def test_training_again_begins_the_selection_anew(told, tmp_path):
    asked = told(np.linspace(1.0, 9.0, 20))
    trainer = trainer_of(rows_of(20, vocabulary=32), tmp_path, max_steps=16)
    callback = add_selection(
        trainer, SelectConfig("loss_h", budget_bits=80.0, **ONCE), entropy_bits=10.0
    )
    trainer.train()
    trainer.train()
    assert asked == [list(range(20))] * 2
    assert callback.scoring_draws == pytest.approx(20 / 3)


def test_the_integration_does_not_load_jax():
    code = (
        "import sys; from factcap.causal_lm import WeightedSampler, add_selection\n"
        "assert not {'jax', 'flax', 'optax'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


@pytest.mark.parametrize(
    ("fields", "options", "message"),
    [
        ({}, {"config": "best"}, "no scheme is called 'best'; there are random"),
        ({}, {"config": "random"}, "the scheme random must be told the budget"),
        (
            {},
            {"config": SelectConfig("influence", budget_bits=9.0)},
            "the scheme influence needs gradients",
        ),
        ({}, {"entropy_bits": np.ones(3)}, "entropy_bits must be one number for each of the 20"),
        ({}, {"entropy_bits": -1.0}, "entropy_bits must be finite and >= 0; fact 0 has -1"),
        ({}, {"frequency": np.full(20, np.nan)}, "frequency must be finite"),
        ({}, {"frequency": np.zeros(20)}, "at least one frequency must be positive"),
        (
            {"num_train_epochs": 1},
            {"entropy_bits": 9.0},
            "20 draws leave no step of 4 after 60 draws for scoring; train longer, or select once",
        ),
        ({"rows": iter([])}, {}, "a train_dataset that has a length"),
        ({"rows": []}, {}, "the train_dataset is empty"),
        (
            {"restore_callback_states_from_checkpoint": True},
            {},
            "leave restore_callback_states_from_checkpoint at False",
        ),
        ({"auto_find_batch_size": True}, {}, "needs a batch size that does not change"),
    ],
)
def test_what_cannot_be_selected_from_is_refused(fields, options, message, tmp_path):
    fields = {"rows": rows_of(20, vocabulary=32), "max_steps": 100, **fields}
    if "num_train_epochs" in fields:
        fields["max_steps"] = -1
    trainer = trainer_of(fields.pop("rows"), tmp_path, **fields)
    with pytest.raises(BadInput, match=message) as caught:
        add_selection(trainer, **({"config": "loss_h"} | options))
    assert "\n" not in str(caught.value)


def test_a_checkpoint_without_selection_and_another_sampler_are_refused(tmp_path):
    rows = rows_of(20, vocabulary=32)
    plain = trainer_of(rows, tmp_path, max_steps=2, save_strategy="steps", save_steps=2)
    plain.train()
    trainer = trainer_of(rows, tmp_path, max_steps=30)
    add_selection(trainer, SelectConfig("loss_h", **ONCE), entropy_bits=10.0)
    with pytest.raises(BadInput, match="the checkpoint was saved without selection"):
        trainer.train(resume_from_checkpoint=str(tmp_path / "checkpoint-2"))
    sequential = torch.utils.data.SequentialSampler(rows)
    trainer._get_train_sampler = lambda train_dataset=None: sequential
    with pytest.raises(BadInput, match="draws by another sampler than that of the selection"):
        trainer.train()


def test_the_state_of_the_callback_is_json(tmp_path):
    trainer = trainer_of(rows_of(20, vocabulary=32), tmp_path, max_steps=30)
    callback = add_selection(trainer, "loss_hf")
    assert json.loads(json.dumps(callback.state()))["args"] == {}


# Trains in each process that `torchrun` starts, and prints what each of them ends with.
PROCESSES = """
import os, sys, torch, transformers
from factcap.causal_lm import add_selection
from factcap.synth.selection import SelectConfig
from tests.causal_lm.tiny import collate, gpt2, rows_of
args = transformers.TrainingArguments(
    sys.argv[1], max_steps=30, per_device_train_batch_size=4, learning_rate=0.02, use_cpu=True,
    save_strategy="no", report_to="none", disable_tqdm=True, logging_strategy="no",
)
rows = rows_of(24, vocabulary=8)
trainer = transformers.Trainer(gpt2(vocabulary=8), args, train_dataset=rows, data_collator=collate)
config = SelectConfig("loss_h", budget_bits=120.0, first=0.2)
callback = add_selection(trainer, config, entropy_bits=15.0)
trainer.train()
steps, kept = trainer.state.global_step, callback.selection.weights.nonzero()[0].tolist()
place = os.path.join(sys.argv[1], os.environ["RANK"])
open(place, "w").write(str([steps, kept, callback.scoring_draws, callback.selection.history]))
"""


@pytest.mark.slow
def test_several_processes_choose_the_same(tmp_path):
    (tmp_path / "train.py").write_text(PROCESSES)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone"]
    subprocess.run(
        [*command, str(tmp_path / "train.py"), str(tmp_path)],
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )
    found = [(tmp_path / str(rank)).read_text() for rank in (0, 1)]
    assert found[0] == found[1]
    steps, kept, scoring_draws, history = json.loads(found[0].replace("(", "[").replace(")", "]"))
    # 30 steps of 8, less seven passes over 24 examples.
    assert steps == (30 * 8 - 7 * 8) // 8
    assert 0 < len(kept) <= 8
    assert len(history) == 7
    assert scoring_draws <= 7 * 8
