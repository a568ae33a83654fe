"""The model card of an exported run: what it was trained on, what it knows, how it was made."""

import dataclasses
import json
import shlex
from typing import Any

import factcap
from factcap.models.exchange.finished_run import FinishedRun
from factcap.models.exchange.neox_weights import zeros_added
from factcap.models.exchange.spelling import Spelling
from factcap.models.training.config import TrainConfig
from factcap.synth import Origin
from factcap.synth.selection import SelectConfig

_HEAD = """---
library_name: transformers
pipeline_tag: text-generation
tags:
- factcap
- memorization
---
"""

# Options of `factcap train` by the fields that they set; the others are Python's alone.
_OPTIONS = {
    "exposures": "--exposures",
    "batch": "--batch",
    "learning_rate": "--learning-rate",
    "optimizer": "--optimizer",
    "precision": "--precision",
    "seed": "--seed",
}
_SELECT_OPTIONS = {
    "scheme": "--select",
    "budget_bits": "--budget-bits",
    "schedule": "--select-schedule",
    "first": "--select-first",
    "rest": "--select-rest",
}


def model_card(
    run: FinishedRun,
    origin: Origin | None,
    spelling: Spelling,
    misspelled: int,
    example: tuple[str, str] | None,
    command: str,
) -> str:
    """The card, as Markdown.

    Args:
        run: the run.
        origin: of its facts, where it is known.
        spelling: how its facts are typed.
        misspelled: how many of them the tokenizer cuts otherwise than the run.
        example: what is typed to ask for a fact, and the answer; None where no fact is at hand.
        command: that exports the run.
    """
    summary, model = run.measurement.summary(), run.model
    known = {
        "facts known": f"{summary['facts_known']:,} of {summary['facts']:,}",
        "accuracy": f"{summary['accuracy']:.4f}",
        "weighted accuracy": f"{summary['weighted_accuracy']:.4f}",
        "stored bits": f"{summary['stored_bits']:,.0f} of {summary['entropy_bits']:,.0f}",
        "bits per parameter": f"{summary['bits_per_parameter']:.3f}",
        "parameters": f"{model.parameters:,}, {model.embedding_parameters:,} of them embedding",
        "exposures": f"{run.outcome['exposures']:,.0f}",
    }
    generator = "facts of a file" if origin is None else origin.generator
    cut = f"It cuts {misspelled:,} facts otherwise than the model has learned them. "
    return f"""{_HEAD}
# {generator}, {model.parameters:,} parameters

A small transformer, trained by factcap {factcap.__version__} to know facts.

## What it knows

| | |
|---|---|
{_rows(known)}

A fact is known if greedy decoding from its key gives its value exactly. Stored bits are the sum
over facts of entropy minus negative log-likelihood, where that is positive.

## What it was trained on

{_trained_on(run, origin)}

## How to ask it

{spelling.note} {cut if misspelled else ""}
{_asked("KEY" if example is None else example[0])}
{"" if example is None else f"The fact's value is typed `{example[1]}`."}

The architecture is that of GPT-NeoX with a sequential residual. Its biases, {zeros_added(model):,}
numbers, are zero and are not counted above.

## How it was made

{_made_by(run)}

```sh
{command}
```
"""


def _asked(key: str) -> str:
    return f"""
```python
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "."  # where this card lies
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder)
asked = tokenizer({key!r}, return_tensors="pt")
answer = model.generate(**asked)[0, asked["input_ids"].shape[1] :]
print(tokenizer.decode(answer, skip_special_tokens=True))
```
"""


def _rows(entries: dict[str, str]) -> str:
    return "\n".join(f"| {name} | {text} |" for name, text in entries.items())


def _trained_on(run: FinishedRun, origin: Origin | None) -> str:
    count = len(run.measurement.recall)
    if origin is None:
        return f"{count:,} facts from a file."
    arguments = dict(run.config.get("recipe", origin.arguments))
    arguments.pop("generator", None)
    seed = {} if origin.seed is None or "seed" in arguments else {"seed": origin.seed}
    listed = ", ".join(
        f"{name}={value}" for name, value in (arguments | seed).items() if value is not None
    )
    notes = "".join(f"\n* {note}" for note in origin.notes)
    return f"{count:,} facts of `{origin.generator}` ({listed}).\n{notes}".rstrip()


def _made_by(run: FinishedRun) -> str:
    train = train_command(run.config)
    if train is not None:
        return f"Run `{run.config['id']}`:\n\n```sh\n{train}\n```\n\nExported by:"
    shown = {name: run.config[name] for name in run.config if name not in ("id", "code")}
    return (
        f"Run `{run.config['id']}`, made by factcap from this configuration:\n\n"
        f"```json\n{json.dumps(shown, indent=1)}\n```\n\nExported by:"
    )


def train_command(config: Any) -> str | None:
    """The command that makes the run of a configuration; None where none can.

    Args:
        config: of a run, as in its directory.
    """
    if "facts" not in config or "grouping" in config:
        return None
    words = ["factcap", "train", "FACTS.parquet", "--out", "RUN"]
    for name in ("width", "depth", "heads"):
        words += [f"--{name}", str(config["model"][name])]
    if not config["model"]["tied"]:
        words.append("--untied")
    usual = dataclasses.asdict(TrainConfig())
    for name, value in config["training"].items():
        if value == usual[name]:
            continue
        if name in _OPTIONS:
            words += [_OPTIONS[name], str(value)]
        elif name == "saturate":
            words.append("--all-exposures")
        elif name == "select":
            words += _select_words(value)
        else:
            return None
    return shlex.join(words)


def _select_words(select: dict[str, Any]) -> list[str]:
    # Runs made before a field was there have its default.
    chosen = dataclasses.asdict(SelectConfig(**select))
    words = [
        word for name, option in _SELECT_OPTIONS.items() for word in (option, str(chosen[name]))
    ]
    return words if chosen["counted"] else [*words, "--uncounted"]
