"""`python -m benchmarks.any_model`: any causal model measured and a corpus scored, against by hand.

`measure` asks a random model for facts with four templates, and takes the time of `factcap measure
hf:` in turns with a loop that one writes over `transformers`: prompts sorted by length, padded,
with logits of all tokens (`plain`) or of the values' tokens alone (`sparing`, as only those do who
have run out of memory). `losses` scores a corpus, in turns with the model's forward passes over the
same batches alone. Ratios are ours to theirs, by pairs.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from tokenizers import Tokenizer, decoders, pre_tokenizers, processors, trainers
from tokenizers.models import BPE

from factcap.causal_lm.asking import ask
from factcap.causal_lm.batches import plan
from factcap.causal_lm.checkpoint import Checkpoint, load_checkpoint, logits_at
from factcap.causal_lm.corpus import read_examples
from factcap.causal_lm.losses import write_losses
from factcap.causal_lm.measuring import measure
from factcap.causal_lm.rows import document_rows
from factcap.causal_lm.scoring import room_of
from factcap.causal_lm.tokens import Tokenizer as Words
from factcap.synth.corpus import Document, Probes, Prompt, made_up, write_documents

_Run = Callable[[], object]
# Width, blocks, heads, vocabulary.
SIZES = {
    "tiny": (128, 2, 2, 2000),
    "small": (384, 6, 6, 16_000),
    "gpt2-small": (768, 12, 12, 50_257),
}
TEMPLATES = (
    "[X] was, as everybody knows, {relation} ",
    "The {relation} of [X] is ",
    "It is said that the {relation} of [X] is ",
    "[X]'s {relation}: ",
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is asked for; print a line a pair, and JSON."""
    options = _parser().parse_args(arguments)
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        people = made_up(-(-options.facts // 2))
        _save_model(folder / "model", options.size, people.entities + people.values)
        before = _resident()
        checkpoint = load_checkpoint(
            str(folder / "model"), device=options.device, precision=options.precision
        )
        if options.what == "measure":
            result = _measure(checkpoint, _probes(people, options.facts), options, before)
        else:
            result = _losses(checkpoint, folder, options)
    shape = {"size": options.size, "parameters": checkpoint.parameters}
    machine = {"device": _device_name(checkpoint), "threads": torch.get_num_threads()}
    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    print(json.dumps({**shape, **machine, **versions, **result}, indent=2))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=["measure", "losses"])
    parser.add_argument("--size", choices=SIZES, default="gpt2-small")
    parser.add_argument("--facts", type=int, default=10_000, help="of measure; also of the corpus")
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--by-hand", choices=["sparing", "plain"], default="sparing")
    parser.add_argument("--batch", type=int, default=64, help="prompts at once, by hand")
    parser.add_argument("--device", default=None)
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    return parser


def _measure(
    checkpoint: Checkpoint, probes: Probes, options: argparse.Namespace, before: int
) -> dict[str, Any]:
    model = checkpoint.bytes
    found: dict[str, Any] = {}

    def ours() -> None:
        found["ours"] = measure(checkpoint, ask(checkpoint, probes)).nll_bits_of_prompt

    def theirs() -> None:
        plain = options.by_hand == "plain"
        found["theirs"] = by_hand(checkpoint, probes, options.batch, plain=plain)

    # Of the first turns: what is freed later stays with the process.
    peaks: dict[str, int] = {}
    pairs = []
    for pair in range(options.pairs):
        seconds = {}
        for name, run in _turns(pair, {"ours": ours, "theirs": theirs}):
            _forget_peak(checkpoint)
            seconds[name] = _timed(checkpoint, run)
            loaded = 0 if checkpoint.device.type == "cuda" else before
            peaks.setdefault(name, _peak(checkpoint) - loaded)
        pairs.append(seconds["ours"] / seconds["theirs"])
        print(f"{seconds['ours']:.1f} s to {seconds['theirs']:.1f} s: {pairs[-1]:.3f}", flush=True)
    worst = float(np.abs(found["ours"] - found["theirs"]).max())
    return {
        "prompts": len(found["ours"]),
        "by_hand": options.by_hand,
        **_spread(pairs),
        "memory_to_model": peaks["ours"] / model,
        "memory_to_model_by_hand": peaks["theirs"] / model,
        "largest_difference_bits": worst,
    }


@torch.inference_mode()
def by_hand(checkpoint: Checkpoint, probes: Probes, size: int, *, plain: bool) -> np.ndarray:
    """NLL in bits of the value of each prompt, as one writes it over `transformers`."""
    words, model = checkpoint.tokenizer, checkpoint.model
    trunk, head = model.get_submodule("transformer"), model.get_submodule("lm_head")
    texts = [
        (prompt.text, value)
        for prompts, value in zip(probes.prompts, probes.values, strict=True)
        for prompt in prompts
    ]
    rows = words([before + value for before, value in texts])["input_ids"]
    # The space before a value goes with it.
    starts = [len(each) for each in words([before.rstrip() for before, _ in texts])["input_ids"]]
    order = sorted(range(len(rows)), key=lambda row: len(rows[row]))
    nll, right = np.empty(len(rows)), np.empty(len(rows), bool)
    for first in range(0, len(rows), size):
        some = order[first : first + size]
        longest = max(len(rows[row]) for row in some)
        tokens = torch.zeros(len(some), longest, dtype=torch.long)
        mask = torch.zeros_like(tokens)
        scored = torch.zeros(len(some), longest, dtype=torch.bool)
        for place, row in enumerate(some):
            tokens[place, : len(rows[row])] = torch.tensor(rows[row])
            mask[place, : len(rows[row])] = 1
            scored[place, starts[row] - 1 : len(rows[row]) - 1] = True
        tokens, mask = tokens.to(checkpoint.device), mask.to(checkpoint.device)
        scored = scored.to(checkpoint.device)
        if plain:
            logits = model(input_ids=tokens, attention_mask=mask, use_cache=False).logits[scored]
        else:
            hidden = trunk(input_ids=tokens, attention_mask=mask, use_cache=False)[0]
            logits = head(hidden[scored])
        targets = tokens.roll(-1, dims=1)[scored]
        logs = logits.float().log_softmax(-1).gather(1, targets[:, None])[:, 0]
        rows_of = scored.nonzero()[:, 0]
        sums = torch.zeros(len(some), device=logs.device).index_add(0, rows_of, logs)
        wrong = (logits.argmax(-1) != targets).float()
        nll[some] = -sums.cpu().numpy() / np.log(2)
        right[some] = torch.zeros_like(sums).index_add(0, rows_of, wrong).cpu().numpy() == 0
    return nll


def _losses(checkpoint: Checkpoint, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    corpus = folder / "corpus.jsonl"
    people = made_up(-(-options.facts // 2))
    write_documents(_documents(people, options.documents), corpus)
    words = Words(checkpoint.tokenizer, checkpoint.name, checkpoint.vocabulary)
    batches = [
        (rows.passages, plan(rows.passages, room_of(checkpoint, alone=True), sharing=False))
        for rows in _chunks(words, corpus, checkpoint)
    ]

    @torch.inference_mode()
    def forward() -> None:
        for passages, several in batches:
            for batch in several:
                some = [passages[row].tokens[:-1] for row in batch.rows]
                tokens = np.zeros((len(some), max(map(len, some))), np.int64)
                for place, each in enumerate(some):
                    tokens[place, : len(each)] = each
                row = np.repeat(np.arange(len(some)), [len(each) for each in some])
                column = np.concatenate([np.arange(len(each)) for each in some])
                place = (torch.from_numpy(row), torch.from_numpy(column))
                moved = [each.to(checkpoint.device) for each in (*place, torch.from_numpy(tokens))]
                logits_at(checkpoint, *moved[:2], input_ids=moved[2], use_cache=False)

    def ours() -> None:
        with suppress(FileNotFoundError):
            (folder / "losses.parquet").unlink()
        write_losses(checkpoint, corpus, folder / "losses.parquet")

    pairs = []
    for pair in range(options.pairs):
        turns = _turns(pair, {"ours": ours, "alone": forward})
        seconds = {name: _timed(checkpoint, run) for name, run in turns}
        pairs.append(seconds["ours"] / seconds["alone"])
        print(f"{seconds['ours']:.1f} s to {seconds['alone']:.1f} s: {pairs[-1]:.3f}", flush=True)
    tokens = sum(passage.read for passages, _ in batches for passage in passages)
    return {"documents": options.documents, "tokens": tokens, **_spread(pairs)}


def _chunks(words: Words, corpus: Path, checkpoint: Checkpoint) -> Iterator[Any]:
    examples = list(read_examples(corpus))
    for first in range(0, len(examples), 2048):
        yield document_rows(words, examples[first : first + 2048], checkpoint.context)


def _probes(people: Any, facts: int) -> Probes:
    prompts = tuple(
        tuple(
            Prompt(text.replace("[X]", entity).format(relation=relation), number)
            for number, text in enumerate(TEMPLATES)
        )
        for entity, relation in zip(people.entities[:facts], people.relations[:facts], strict=True)
    )
    return Probes(
        people.entities[:facts],
        people.relations[:facts],
        people.values[:facts],
        tuple((value,) for value in people.values[:facts]),
        prompts,
        {},
        np.full(facts, 1 / facts),
    )


def _documents(people: Any, documents: int) -> Iterator[Document]:
    """Documents of 1 to 12 sentences."""
    rng = np.random.default_rng(0)
    for number in range(documents):
        told = rng.integers(len(people), size=rng.integers(1, 13))
        yield Document(
            str(number),
            " ".join(
                people.templates[people.relations[fact]][0].fill(
                    people.entities[fact], people.values[fact]
                )[0]
                for fact in told
            ),
        )


def _save_model(folder: Path, size: str, texts: Sequence[str]) -> None:
    width, depth, heads, vocabulary = SIZES[size]
    byte_level([*map(" {}".format, texts), *TEMPLATES], vocabulary).save_pretrained(folder)
    config = transformers.GPT2Config(
        n_embd=width,
        n_layer=depth,
        n_head=heads,
        vocab_size=vocabulary,
        n_positions=1024,
        bos_token_id=0,
        eos_token_id=0,
    )
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(folder)


def byte_level(texts: Sequence[str], size: int) -> transformers.PreTrainedTokenizerFast:
    """A tokenizer as GPT-2's: bytes, a space goes with the word, nothing before a text."""
    words = Tokenizer(BPE())
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    words.post_processor = processors.ByteLevel(trim_offsets=True)
    end = "<|endoftext|>"
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        show_progress=False,
        special_tokens=[end],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    words.train_from_iterator(texts, trainer)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=words, bos_token=end, eos_token=end, unk_token=end
    )


def _turns(pair: int, runs: dict[str, _Run]) -> list[tuple[str, _Run]]:
    """Who runs first changes from pair to pair: a machine may slow down in time."""
    return list(runs.items())[:: -1 if pair % 2 else 1]


def _timed(checkpoint: Checkpoint, run: _Run) -> float:
    _wait(checkpoint)
    start = time.perf_counter()
    run()
    _wait(checkpoint)
    return time.perf_counter() - start


def _wait(checkpoint: Checkpoint) -> None:
    if checkpoint.device.type == "cuda":
        torch.cuda.synchronize()


def _forget_peak(checkpoint: Checkpoint) -> None:
    if checkpoint.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    else:
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")


def _peak(checkpoint: Checkpoint) -> int:
    """Most memory since `_forget_peak`: on a GPU what tensors took, else what was resident."""
    if checkpoint.device.type == "cuda":
        return torch.cuda.max_memory_allocated()
    return _status("VmHWM")


def _resident() -> int:
    return _status("VmRSS")


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    sys.exit(f"/proc/self/status has no {name}")


def _device_name(checkpoint: Checkpoint) -> str:
    if checkpoint.device.type == "cuda":
        return torch.cuda.get_device_name()
    return checkpoint.device.type


def _spread(pairs: Sequence[float]) -> dict[str, float]:
    return {"ratio": statistics.median(pairs), "least": min(pairs), "most": max(pairs)}


if __name__ == "__main__":
    main()
