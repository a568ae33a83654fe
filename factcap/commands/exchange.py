"""`factcap export` and `factcap export-task`: a run and its facts for other programs."""

import shlex
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from factcap.commands.terminal import print_json, say


@dataclass(frozen=True)
class Export:
    """Write a finished run as a folder that Hugging Face's transformers loads.

    The folder has the weights (safetensors), the configuration, a tokenizer and a model card. The
    architecture is GPT-NeoX, its biases zero. Needs the extra hf.
    """

    run_directory: Annotated[Positional[Path], arg(metavar="RUN")]
    """A directory made by `factcap train`, or a run of a store."""
    out: Path
    """The folder to write: new, or empty."""
    facts: Path | None = None
    """The facts of the run (Parquet). Of triples the run does not hold the words."""
    tokenizer: Path | None = None
    """Of a run on documents the tokenizer.json that cut them."""
    json: bool = False
    """Print JSON."""

    def run(self) -> None:
        """Read the run, write the folder, say what is in it."""
        from factcap.models.exchange.export import export_run
        from factcap.models.exchange.neox_weights import zeros_added
        from factcap.models.runs.directory.checkpoints import silence_orbax

        silence_orbax()
        exported = export_run(
            self.run_directory, self.out, facts=self.facts, tokenizer=self.tokenizer
        )
        model, spelling = exported.run.model, exported.spelling
        if spelling.by_number and self.facts is None:
            say(
                "warning: the run does not hold its words, so that tokens are typed as numbers; "
                "give them by --facts, or those of documents by --tokenizer"
            )
        if exported.misspelled:
            say(_cut_otherwise(exported.misspelled))
        if self.json:
            return print_json(
                {
                    "folder": str(self.out),
                    "parameters": model.parameters,
                    "zeros_added": zeros_added(model),
                    "vocabulary": model.vocabulary,
                    "misspelled": exported.misspelled,
                    "typed": spelling.note,
                }
            )
        print(
            f"{self.out}: {model.parameters:,} parameters, {zeros_added(model):,} zeros that the "
            f"format adds, {model.vocabulary:,} token ids"
        )
        print(spelling.note)


@dataclass(frozen=True)
class ExportTask:
    """Write a fact set as a task for lm-evaluation-harness: a YAML file, and its rows as JSONL.

    On an exported run its accuracy is that of `factcap measure`. Needs the extra hf.
    """

    file: Annotated[Positional[Path], arg(metavar="FACTS")]
    """A fact set (Parquet)."""
    out: Path
    """The folder to write: new, or empty. Its name is the task's."""
    json: bool = False
    """Print JSON."""

    def run(self) -> None:
        """Read the facts, write the folder, say how it is run."""
        from factcap.models.exchange.task import export_task

        task = export_task(self.file, self.out)
        if task.misspelled:
            say(_cut_otherwise(task.misspelled))
        if self.json:
            return print_json({"folder": str(self.out), **asdict(task)})
        print(f"{self.out}: the task {task.name}, {task.facts:,} facts")
        print(
            f"lm_eval --tasks {task.name} --include_path {shlex.quote(str(self.out))} --model ..."
        )


def _cut_otherwise(facts: int) -> str:
    return f"warning: the tokenizer cuts {facts:,} facts otherwise than the model has learned them"
