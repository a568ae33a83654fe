"""Tiny models of `transformers`, and examples for them."""

import numpy as np
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from tests.causal_lm.models import config


def gpt2(*, vocabulary, dropout=0.0, seed=0):
    torch.manual_seed(seed)
    made = config("gpt2", vocabulary, width=8, depth=1, heads=1, context=16)
    made.update({"resid_pdrop": dropout, "embd_pdrop": dropout, "attn_pdrop": dropout})
    assert isinstance(made, GPT2Config)
    return GPT2LMHeadModel(made).train()


def rows_of(examples, *, vocabulary, lengths=(6, 6), seed=0):
    """Random tokens; the first one has no label."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(examples):
        tokens = rng.integers(0, vocabulary, rng.integers(lengths[0], lengths[1] + 1)).tolist()
        rows.append({"input_ids": tokens, "labels": [-100, *tokens[1:]]})
    return rows


def collate(examples):
    """Padded on the right, where nothing is attended to or counted."""
    longest = max(len(example["input_ids"]) for example in examples)
    batch = {"input_ids": [], "labels": [], "attention_mask": []}
    for example in examples:
        missing = longest - len(example["input_ids"])
        batch["input_ids"].append(example["input_ids"] + [0] * missing)
        batch["labels"].append(example["labels"] + [-100] * missing)
        batch["attention_mask"].append([1] * (longest - missing) + [0] * missing)
    return {name: torch.tensor(rows) for name, rows in batch.items()}
