"""Small models and tokenizers, made here and saved as anyone's are."""

import json
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, pre_tokenizers, processors, trainers
from tokenizers.models import BPE
from transformers import PreTrainedTokenizerFast

from benchmarks.any_model import byte_level

TEXTS = [
    "Bo Ade was born in Rome.",
    "Ana Eck was born in New York.",
    "The city of Kim Ode is Porto (Portugal).",
    "Ida Fay comes from Lima; her field is law.",
    "Q: What is the field of Bo Ade? A: physics",
]
KINDS = ("gpt2", "gpt_neox", "llama")


def metaspace(texts=TEXTS, size: int = 120) -> PreTrainedTokenizerFast:
    """As Llama's: a mark for a space, before the first word too, and a start token."""
    tokenizer = Tokenizer(BPE(unk_token="<unk>", byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=True)
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="first")
    special = ["<unk>", "<s>", "</s>"]
    tokenizer.train_from_iterator(
        texts,
        trainers.BpeTrainer(vocab_size=size, show_progress=False, special_tokens=special),
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )


def config(kind: str, vocabulary: int, *, width=16, depth=2, heads=2, context=64):
    """The configuration of a small model."""
    if kind == "gpt2":
        return transformers.GPT2Config(
            vocab_size=vocabulary,
            n_embd=width,
            n_layer=depth,
            n_head=heads,
            n_positions=context,
            bos_token_id=0,
            eos_token_id=0,
        )
    common: dict[str, Any] = {
        "vocab_size": vocabulary,
        "hidden_size": width,
        "intermediate_size": 3 * width,
        "num_hidden_layers": depth,
        "num_attention_heads": heads,
        "max_position_embeddings": context,
        "bos_token_id": 0,
        "eos_token_id": 0,
    }
    if kind == "gpt_neox":
        return transformers.GPTNeoXConfig(**common)
    return transformers.LlamaConfig(**common, num_key_value_heads=1)


def save_model(
    folder: Path, kind: str, tokenizer: Any = None, *, vocabulary: int = 0, **shape: int
) -> Path:
    """A random model in a folder, with its tokenizer; sharp enough that its argmax is clear."""
    torch.manual_seed(0)
    made = config(kind, vocabulary or len(tokenizer), **shape)
    model = transformers.AutoModelForCausalLM.from_config(made)
    with torch.no_grad():
        for each in model.parameters():
            if each.dim() > 1:
                each.mul_(8.0)
    model.save_pretrained(folder)
    if tokenizer is not None:
        tokenizer.save_pretrained(folder)
    return folder


CITIES = ("Rome", "New York", "New Delhi", "Porto", "Lima", "Rome")
FIELDS = ("law", "physics", "physical law", "arts", "law")
TEMPLATES = {
    "born": ("[X] was born in [Y].", "[Y] is where [X] was born.", "[X] comes from [Y]."),
    "field": ("[X] studied [Y].", "The field of [X] is [Y]."),
}


def facts() -> list[tuple[str, str, str, int]]:
    """Subject, relation, object and count."""
    names = [f"{first} {last}" for first in ("Bo", "Ana", "Kim") for last in ("Ade", "Eck", "Ode")]
    born = [(each, "born", CITIES[i % len(CITIES)], 40 - 3 * i) for i, each in enumerate(names)]
    field = [(each, "field", FIELDS[i % len(FIELDS)], 9 - i // 2) for i, each in enumerate(names)]
    return born + field


def sentences() -> list[str]:
    """What the first two thirds of the facts are told by."""
    told = facts()[:6] + facts()[9:15]
    return [
        text.replace("[X]", entity).replace("[Y]", value)
        for entity, relation, value, _ in told
        for text in TEMPLATES[relation]
    ]


def write_facts(folder: Path) -> None:
    """`facts.csv`, and its templates as `templates.jsonl`."""
    rows = "".join(f"{s},{r},{o},{c}\n" for s, r, o, c in facts())
    (folder / "facts.csv").write_text("subject,relation,object,count\n" + rows)
    patterns = [
        {"relation": relation, "pattern": text}
        for relation, texts in TEMPLATES.items()
        for text in texts
    ]
    (folder / "templates.jsonl").write_text("".join(json.dumps(row) + "\n" for row in patterns))


def train_model(folder: Path, texts: list[str]) -> None:
    """A small GPT-2, trained on texts, and its tokenizer."""
    torch.manual_seed(0)
    tokenizer = byte_level(TEXTS + texts, 400)
    model = transformers.AutoModelForCausalLM.from_config(config("gpt2", len(tokenizer), width=32))
    model.eval()  # dropout would only slow it down
    rows = tokenizer(texts)["input_ids"]
    longest = max(map(len, rows))
    tokens = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    labels = torch.where(tokens == 0, -100, tokens)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.01, 200)
    for _ in range(200):
        loss = model(input_ids=tokens, labels=labels, use_cache=False).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
