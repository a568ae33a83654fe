"""`factcap export` and `factcap export-task`: a run and its facts for other programs."""

from dataclasses import dataclass
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
        if spelling.by_number and (self.facts is None or self.tokenizer is None):
            say(
                "warning: the run does not hold its words, so that tokens are typed as numbers; "
                "give them by --facts, or those of documents by --tokenizer"
            )
        if exported.misspelled:
            say(
                f"warning: the tokenizer cuts {exported.misspelled:,} facts otherwise than the "
                "model has learned them"
            )
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
