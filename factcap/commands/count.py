"""`factcap count`: how often facts stand in a corpus."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from factcap.commands.terminal import print_json, progress_bar, say


@dataclass(frozen=True)
class Count:
    """Count in how many documents the subject of each fact stands, its object, and both.

    Documents are searched for all names of all facts at once. Interrupted, the same command goes
    on where it was. What it writes has the columns that `factcap predict` takes. Needs the extra
    count.
    """

    corpus: Positional[str]
    """A file, a folder, or a glob in quotes: .jsonl, .ndjson, .json or .txt with a document a line
    (perhaps packed: .gz, .zst), or .parquet."""
    facts: Annotated[Positional[Path], arg(metavar="FACTS")]
    """Subjects, relations and objects, perhaps with aliases: .csv, .tsv, .jsonl, .ndjson, .parquet,
    or a folder of them."""
    out: Path
    """The counts, a row a fact: a .parquet file."""
    ignore_case: bool = False
    """Take upper and lower case for the same."""
    whole_words: bool = False
    """Count a name only where no letter, digit or underscore stands beside it."""
    text: str = "text"
    """Key or column of the documents' text."""
    workers: int = 0
    """Processes: one a core unless given, at most 8."""
    json: bool = False
    """Print JSON."""

    def run(self) -> None:
        """Read the facts, count, write; say what was counted."""
        import numpy as np

        from factcap.synth.counting.counting import Options, count_facts
        from factcap.synth.tabular.named_facts import read_named_facts

        facts = read_named_facts(self.facts)
        if facts.incomplete:
            say(f"rows left out for an empty subject, relation or object: {facts.incomplete:,}")
        options = Options(self.ignore_case, self.whole_words, self.text, self.workers)
        with progress_bar("B", unit_scale=True) as bar:

            def progress(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            table = count_facts(str(self.corpus), facts, self.out, options, progress)
        never = {
            name: int(np.count_nonzero(table.column(f"{name}_count").to_numpy() == 0))
            for name in ("subject", "object", "pair")
        }
        documents = table.column("documents")[0].as_py()
        if self.json:
            found = {"facts": table.num_rows, "documents": documents, "never": never}
            return print_json({"file": str(self.out), **found})
        print(f"{self.out}: {table.num_rows:,} facts in {documents:,} documents")
        print(
            f"in no document: the subject of {never['subject']:,} facts, the object of "
            f"{never['object']:,}, both together of {never['pair']:,}"
        )
