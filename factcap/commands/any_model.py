"""What `factcap measure hf:...` and `factcap losses` do: any causal model of `transformers`."""

import contextlib
import json as json_
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import Positional, arg

from factcap.commands.terminal import Count, libraries_on_stderr, print_json, progress_bar

# Relations that are printed; all are in the JSON.
_MOST_RELATIONS = 20


def measure_model(
    name: str,
    facts: Path,
    templates: Path | None,
    out: Path | None,
    *,
    ranks: bool,
    device: str | None,
    precision: str,
    batch_tokens: int,
) -> dict[str, Any]:
    """Measure a model with a progress bar; gives the summary."""
    from factcap.synth.errors import require

    _require_extra()
    require(batch_tokens >= 0, f"--batch-tokens must be positive, or 0, not {batch_tokens}")
    from factcap.causal_lm.asking import ask, read_facts
    from factcap.causal_lm.checkpoint import load_checkpoint
    from factcap.causal_lm.measuring import measure, measure_into, steps
    from factcap.synth.factset import FactSet

    # What is wrong with the facts is found before the model is loaded.
    source = read_facts(facts, templates)
    with libraries_on_stderr(), _memory_named():
        checkpoint = load_checkpoint(
            name, device=device, precision=precision, tokenizer=not isinstance(source, FactSet)
        )
        asked = ask(checkpoint, source)
        options: dict[str, Any] = {"ranks": ranks, "batch_tokens": batch_tokens}
        with progress_bar("prompts", steps(asked, ranks=ranks)) as bar:
            options["progress"] = bar.update
            if out is not None:
                return measure_into(out, checkpoint, asked, **options)
            return measure(checkpoint, asked, **options).summary()


def _require_extra(*names: str) -> None:
    """Raise `BadInput`, with what to install, unless all libraries are there."""
    from factcap.synth.libraries import library

    for name in ("torch", "transformers", *names):
        library(name)


@contextlib.contextmanager
def _memory_named() -> Iterator[None]:
    """A GPU that is full gets one line."""
    import torch

    from factcap.synth.errors import BadInput

    try:
        yield
    except torch.OutOfMemoryError:
        raise BadInput(
            "the memory of the device is full; give fewer --batch-tokens, --precision bfloat16, "
            "or --device cpu"
        ) from None


def finished_summary(folder: Path) -> dict[str, Any] | None:
    """What `measure_model` has left in a folder, if it has."""
    from factcap.synth.errors import BadInput

    path = folder / "summary.json"
    if not path.is_file():
        return None
    try:
        return dict(json_.loads(path.read_bytes()))
    except (ValueError, TypeError):
        raise BadInput(f"{path} is damaged; remove it and measure again") from None


def print_known(summary: Mapping[str, Any], json: bool) -> None:
    """What a model knows, as lines for a terminal or as JSON."""
    if json:
        return print_json(summary)
    print(
        f"facts known         {summary['facts_known']:,} of {summary['facts']:,}; "
        f"{summary['beyond_guess']:,} beyond guessing"
    )
    print(f"accuracy            {summary['accuracy']:.4f}")
    print(
        f"weighted accuracy   {summary['weighted_accuracy']:.4f}; "
        f"{summary['weighted_beyond_guess']:.4f} beyond guessing"
    )
    print(f"stored bits         {summary['stored_bits']:,.0f} of {summary['entropy_bits']:,.0f}")
    print(
        f"bits per parameter  {summary['bits_per_parameter']:.4g} "
        f"({summary['parameters']:,} parameters)"
    )
    if "first_rank_share" in summary:
        print(f"ranked first        {summary['first_rank_share']:.4f} of the prompts")
    for note in summary["notes"]:
        print(f"note                {note}")
    relations = summary["by_relation"]
    if len(relations) > 1:
        largest = sorted(relations, key=lambda name: -relations[name]["facts"])[:_MOST_RELATIONS]
        _print_table("relation", largest, [relations[name] for name in largest])
        if len(relations) > len(largest):
            print(f"and {len(relations) - len(largest):,} smaller ones")
    deciles = summary["by_decile"]
    if deciles:
        names = [f"{10 * part} to {10 * part + 10} %" for part in range(10)]
        _print_table("most frequent", names, deciles)


def _print_table(what: str, names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    width = max(len(what), *map(len, names))
    titles = ("facts", "known", "beyond guess", "stored bits", "of", "bits a fact")
    print()
    print(what.ljust(width), *(title.rjust(12) for title in titles))
    for name, row in zip(names, rows, strict=True):
        numbers = [row[each] for each in ("facts", "facts_known", "beyond_guess")]
        bits = [row["stored_bits"], row["entropy_bits"]]
        print(
            name.ljust(width),
            *(f"{number:12,}" for number in numbers),
            *(f"{number:12,.0f}" for number in bits),
            f"{row['mean_nll_bits']:12.2f}",
        )


@dataclass(frozen=True)
class Losses:
    """Score a corpus by any causal language model, for `factcap select`.

    Interrupted, the same command goes on where it was.
    """

    model: Annotated[Positional[str], arg(metavar="hf:PATH_OR_ID")]
    """A model of `transformers`: a folder, or an id of the hub."""
    corpus: Positional[Path]
    """Documents: .jsonl or .parquet, or a folder that `datasets` has saved; any size."""
    out: Path
    """The Parquet file to write: columns id, loss and bits, and count where it is known."""
    spans: bool = False
    """Score each marked value instead of whole documents."""
    text_column: str = "text"
    """The column of the text."""
    device: str | None = None
    """Where to compute, as PyTorch names it; by default on a GPU if there is one."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Of parameters and products."""
    batch_tokens: Count = 0
    """Tokens read at once; 0: as many as take a tenth of the model's memory."""
    json: bool = False
    """Print JSON."""

    def run(self) -> None:
        """Score, write, say how many."""
        from factcap.synth.errors import require

        name = self.model.removeprefix("hf:")
        require(name != self.model, f"give the model as hf:PATH_OR_ID, not {self.model}")
        require(self.batch_tokens >= 0, f"--batch-tokens must be >= 0, not {self.batch_tokens}")
        require(not self.out.exists(), f"{self.out} exists; choose another name or remove it")
        require(self.corpus.exists(), f"{self.corpus} does not exist; give a file or a folder")
        _require_extra(*(["datasets"] if self.corpus.is_dir() else []))
        from factcap.causal_lm.checkpoint import load_checkpoint
        from factcap.causal_lm.losses import write_losses

        with libraries_on_stderr(), _memory_named():
            checkpoint = load_checkpoint(name, device=self.device, precision=self.precision)
            with progress_bar("documents", unit_scale=True) as bar:
                rows = write_losses(
                    checkpoint,
                    self.corpus,
                    self.out,
                    spans=self.spans,
                    text=self.text_column,
                    batch_tokens=self.batch_tokens,
                    progress=bar.update,
                )
        if self.json:
            return print_json({"file": str(self.out), "rows": rows})
        print(f"{self.out}: losses of {rows:,} {'spans' if self.spans else 'documents'}")
