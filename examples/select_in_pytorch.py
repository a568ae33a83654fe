"""A tiny GPT-2 learns a corpus file as it is, and what fits of it: facts known by each.

python examples/select_in_pytorch.py corpus.jsonl

A line of the file is a document: {"text": "Ada Bo: 5550199", "spans": [{"start": 8, "end": 15}]}.
Its spans mark values. They are read to count the facts known; selection does not see them. A file
that is not there is made: 2,000 people and their numbers. Some minutes on one core.
"""

import json
from pathlib import Path

from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments, set_seed
from transformers import default_data_collator as collate

from factcap.causal_lm import add_selection
from factcap.synth import phonebook


def make(path: Path, people: int = 2000) -> None:
    with path.open("w") as file:
        for key, value in zip(*(column.to_pylist() for column in phonebook(people)), strict=True):
            text = f"{key}: {value}"
            spans = [{"start": len(text) - len(value), "end": len(text)}]
            file.write(json.dumps({"text": text, "spans": spans}) + "\n")


def train(rows: list, selected: bool) -> GPT2LMHeadModel:
    set_seed(0)
    model = GPT2LMHeadModel(
        GPT2Config(vocab_size=128, n_positions=64, n_embd=16, n_layer=2, n_head=2, bos_token_id=0)
    )
    options = {"max_steps": 4000, "per_device_train_batch_size": 64, "learning_rate": 0.02}
    args = TrainingArguments("out/select", **options, save_strategy="no", report_to="none")
    trainer = Trainer(model, args, train_dataset=rows, data_collator=collate)
    if selected:
        add_selection(trainer, "loss_h")
    trainer.train()
    return model.eval()
