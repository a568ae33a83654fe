"""`factcap split`: how much of a budget goes to pretraining, how much to specialization."""

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from factcap.commands.terminal import Count, print_json, progress_bar


@dataclass(frozen=True)
class Split:
    """Choose when to branch: from a table of runs, for a budget of 6 N (D + k D') FLOP.

    The table has a row a run, and the columns parameters (N), pretraining_tokens (D, of the trunk),
    specialization_tokens (D', of the branch), domain and loss. Rows with D' = 0 are of one model
    for all, rows with D = 0 of models from nothing.
    """

    results: Positional[Path]
    """The runs: .csv, .tsv, .jsonl or .parquet."""
    budget: float
    """FLOP of the trunk and all branches, say 1e18."""
    parameters: float | None = None
    """N; chosen too unless given."""
    domains: Count | None = None
    """k; as many as the table has unless given."""
    figure: Path | None = None
    """A PNG to draw: the loss against the share of pretraining, the optimum marked."""
    seed: int = 0
    """Of the starts of the fit and of its intervals."""
    json: bool = False
    """Print JSON."""

    def run(self) -> None:
        """Read, fit, choose; print and draw."""
        from factcap.figures.splitting.answer import answer, as_json, as_text
        from factcap.figures.splitting.inputs import read_split_runs
        from factcap.synth.errors import require

        require(self.seed >= 0, f"--seed must be at least 0, not {self.seed}")
        if self.figure is not None:
            require(
                self.figure.suffix.lower() == ".png" and self.figure.parent.is_dir(),
                f"--figure must be a .png in a folder that exists, not {self.figure}",
            )
        runs = read_split_runs(self.results)
        require(
            self.domains is not None or len(runs) > 1,
            f"{self.results} has one domain; say by --domains how many there are to be",
        )
        with progress_bar("fits") as bar:
            found = answer(
                runs,
                self.budget,
                parameters=self.parameters,
                domains=self.domains,
                seed=self.seed,
                progress=bar.update,
            )
        if self.figure is not None:
            from factcap.figures.splitting.share_picture import save_shares

            save_shares(found, runs, self.figure)
        if self.json:
            return print_json(as_json(found))
        print(as_text(found))
