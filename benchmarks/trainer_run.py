"""One training by the `Trainer` of `transformers`: a small GPT-NeoX, uniform facts."""

import tempfile
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from transformers import (
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    Trainer,
    TrainingArguments,
    default_data_collator,
    set_seed,
)

from factcap.causal_lm import add_selection, example_losses
from factcap.synth import bitstrings

# Facts of 8 value tokens of 64, 48 bits, after a key of 3.
VOCABULARY, KEY, VALUE = 64, 3, 8
BITS = VALUE * float(np.log2(VOCABULARY))
BATCH = 256


@dataclass(frozen=True)
class Plan:
    """One training.

    Attributes:
        facts: how many.
        scheme: of selection; None: all facts are trained on.
        seed: of the facts, the model and the draws.
        draws: examples drawn, scoring included.
        learning_rate: the peak.
        width: of the model; it has two layers.
    """

    facts: int
    scheme: str | None
    seed: int
    draws: int
    learning_rate: float
    width: int


def train(plan: Plan) -> dict[str, Any]:
    """Train once, on one thread; facts known, stored bits, what was kept, and what it cost."""
    torch.set_num_threads(1)
    facts = bitstrings(
        plan.facts, vocabulary=VOCABULARY, length=KEY + VALUE, key_length=KEY, seed=plan.seed
    )
    rows = [
        {"input_ids": tokens, "labels": [-100] * KEY + tokens[KEY:]}
        for tokens in facts.tokens.tolist()
    ]
    set_seed(plan.seed)
    model = GPTNeoXForCausalLM(_architecture(plan.width))
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            model,
            _arguments(plan, folder),
            train_dataset=rows,  # pyright: ignore[reportArgumentType]
            data_collator=default_data_collator,
        )
        callback = None
        if plan.scheme is not None:
            callback = add_selection(trainer, plan.scheme, entropy_bits=BITS)
        trainer.train()
    losses = example_losses(model, rows, np.arange(plan.facts), default_data_collator, BATCH)
    kept = plan.facts if callback is None else int((callback.selection.weights > 0).sum())
    return {
        "facts": plan.facts,
        "facts_known": _known(model, facts.tokens),
        "stored_bits": float(np.maximum(BITS - losses, 0).sum()),
        "facts_kept": kept,
        "draws": trainer.state.global_step * BATCH,
        "scoring_draws": 0.0 if callback is None else callback.scoring_draws,
        "parameters": model.num_parameters(),
    }


def _architecture(width: int) -> GPTNeoXConfig:
    return GPTNeoXConfig(
        vocab_size=VOCABULARY,
        hidden_size=width,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=4 * width,
        max_position_embeddings=KEY + VALUE,
        use_parallel_residual=False,
        attention_dropout=0.0,
        hidden_dropout=0.0,
    )


def _arguments(plan: Plan, folder: str) -> TrainingArguments:
    steps = plan.draws // BATCH
    return TrainingArguments(
        folder,
        max_steps=steps,
        per_device_train_batch_size=BATCH,
        learning_rate=plan.learning_rate,
        lr_scheduler_type="warmup_stable_decay",
        lr_scheduler_kwargs={"num_decay_steps": round(0.6 * steps), "decay_type": "linear"},
        warmup_steps=round(0.05 * steps),
        weight_decay=0.01,
        adam_beta2=0.98,
        seed=plan.seed,
        use_cpu=True,
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )


def _known(model: torch.nn.Module, tokens_FxT: np.ndarray) -> int:
    """Facts whose whole value is the greedy continuation of their key."""
    tokens = torch.tensor(tokens_FxT, dtype=torch.long)
    with torch.no_grad():
        logits_FxTxV = model.eval()(tokens).logits
    best_FxT = logits_FxTxV[:, KEY - 1 : -1].argmax(dim=-1)
    return int((best_FxT == tokens[:, KEY:]).all(dim=1).sum())
