"""Small models and tokenizers, made here and saved as anyone's are."""

from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer, decoders, pre_tokenizers, processors, trainers
from tokenizers.models import BPE
from transformers import PreTrainedTokenizerFast

TEXTS = [
    "Bo Ade was born in Rome.",
    "Ana Eck was born in New York.",
    "The city of Kim Ode is Porto (Portugal).",
    "Ida Fay comes from Lima; her field is law.",
    "Q: What is the field of Bo Ade? A: physics",
]
KINDS = ("gpt2", "gpt_neox", "llama")


def byte_level(texts=TEXTS, size: int = 300) -> PreTrainedTokenizerFast:
    """As GPT-2's: bytes, a space goes with the word, nothing is put before a text."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        show_progress=False,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(texts, trainer)
    end = "<|endoftext|>"
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=end, eos_token=end, unk_token=end
    )


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
    common = {
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


def save_model(folder: Path, kind: str, tokenizer=None, *, vocabulary: int = 0, **shape) -> Path:
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
