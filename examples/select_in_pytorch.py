"""A tiny GPT-2 learns all values of a corpus file, then those that fit: facts known by each.

python examples/select_in_pytorch.py corpus.jsonl   (three minutes; a file that is missing is made)

A line ends with a value of so many bits: {"text": "Ada Bo: 5550199", "start": 8, "bits": 23.3}
"""

import json
import sys
from pathlib import Path

import torch
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments, set_seed

from factcap.causal_lm import add_selection
from factcap.synth import phonebook


def write(path: Path) -> None:
    """Write a corpus of made-up facts."""
    book = phonebook(1000)
    with path.open("w") as file:
        for key, value, bits in zip(book.keys, book.values, book.entropy_bits, strict=True):
            document = {"text": f"{key}: {value}", "start": len(f"{key}: "), "bits": bits}
            file.write(json.dumps(document) + "\n")


def collate(documents: list) -> dict:
    """Bytes, padded; the label of what is no value is -100."""
    tokens = [torch.tensor(list(b"\0" + each["text"].encode())) for each in documents]
    batch = torch.nn.utils.rnn.pad_sequence(tokens, batch_first=True)
    labels = batch.where(batch > 0, -100)
    for row, each in enumerate(documents):
        labels[row, : 1 + each["start"]] = -100
    return {"input_ids": batch, "labels": labels}


def facts_known(documents: list, selected: bool) -> int:
    """Train a model on the documents; how many values it then gives."""
    set_seed(0)
    shape = {"vocab_size": 256, "n_positions": 32, "n_embd": 16, "n_layer": 2, "n_head": 2}
    rates = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    model = GPT2LMHeadModel(GPT2Config(**shape, **rates, bos_token_id=0, eos_token_id=0))
    options = {"max_steps": 4000, "per_device_train_batch_size": 64, "learning_rate": 0.01}
    args = TrainingArguments("out", **options, save_strategy="no", remove_unused_columns=False)
    trainer = Trainer(model, args, train_dataset=documents, data_collator=collate)
    if selected:
        add_selection(trainer, "loss_h", entropy_bits=[each["bits"] for each in documents])
    trainer.train()
    batch = collate(documents)
    best, labels = model.eval().cpu()(batch["input_ids"]).logits.argmax(-1), batch["labels"]
    return int(((best[:, :-1] == labels[:, 1:]) | (labels[:, 1:] < 0)).all(1).sum())


corpus = Path(sys.argv[1]) if sys.argv[1:] and sys.argv[1][0] != "-" else sys.exit(__doc__)
if not corpus.exists():
    write(corpus)
rows = [json.loads(line) for line in corpus.open()]
print("facts known: of all", facts_known(rows, False), "- selected", facts_known(rows, True))
