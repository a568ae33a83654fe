"""`factcap figure` and `factcap curve`: theory against measurement, drawn."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tyro.conf import Positional

from factcap.commands.terminal import print_json, progress_bar, say


@dataclass(frozen=True)
class Figure:
    """Make a figure: its runs, where it has any, and PNG, SVG and CSV."""

    name: Positional[str | None] = None
    """Name of the figure; a wrong one lists them."""
    all: bool = False
    """Make the whole gallery; what would take minutes, smaller."""
    preset: str | None = None
    """Of a figure that trains: laptop unless given; a wrong one lists those that there are."""
    data: Path | None = None
    """Of a figure that reads facts: a folder of them; else made-up ones."""
    out: Path = Path("out/figures")
    """Where to write."""

    def run(self) -> None:
        """Make one figure or all."""
        from factcap.figures import FIGURES, figure_function
        from factcap.synth.errors import require

        require((self.name is None) == self.all, "give either the name of a figure or --all")
        if self.name is not None:
            require(
                self.name in FIGURES,
                f"no figure is called {self.name!r}; there are {', '.join(FIGURES)}",
            )
        for name in FIGURES if self.name is None else [self.name]:
            function, entry = figure_function(name), FIGURES[name]
            options = dict(entry.quick) if self.all else {}
            if self.preset is not None:
                require(
                    entry.trains and not self.all,
                    "--preset is for one figure that trains models: "
                    f"{', '.join(name for name in FIGURES if FIGURES[name].trains)}",
                )
                options["preset"] = self.preset
            if self.data is not None:
                require(
                    entry.reads_data and not self.all,
                    "--data is for one figure that reads facts: "
                    f"{', '.join(name for name in FIGURES if FIGURES[name].reads_data)}",
                )
                options["data"] = self.data
            if entry.trains:
                _train_figure(function, self.out, **options)
            else:
                function(self.out, **options)
            print(self.out / f"{name}.png", flush=True)


@dataclass(frozen=True)
class Curve:
    """Measure the capacity curve: generate, train, measure, bound, draw.

    Interrupted, the same command goes on; finished, it reads what is there and draws again.
    """

    preset: str = "laptop"
    """laptop: minutes on two cores; gpu: four sizes, minutes on a large GPU; tiny: a trial."""
    out: Path = Path("out/curve")
    """Where to write the figure, the CSV and the runs."""
    json: bool = False
    """Print JSON."""

    def run(self) -> None:
        """Make the figure, print the table and what it shows."""
        from factcap.figures.capacity_curve import capacity_curve, findings, table

        rows = _train_figure(capacity_curve, self.out, preset=self.preset, say=say)
        files = [str(self.out / f"capacity_curve.{suffix}") for suffix in ("png", "svg", "csv")]
        if self.json:
            return print_json({"preset": self.preset, "files": files, "rows": rows})
        print(table(rows), *findings(rows), *files, sep="\n")


def _train_figure(function: Callable, folder: Path, **options: Any) -> Any:
    from factcap.models.compiler import keep_compiled
    from factcap.models.runs.checkpoints import silence_orbax
    from factcap.models.sweep.engines.local import default_workers

    keep_compiled()
    silence_orbax()
    shares: dict[int, float] = {}
    with progress_bar("runs") as bar:

        def progress(number: int, total: int, share: float) -> None:
            shares[number] = share
            bar.total = total
            bar.update(round(sum(shares.values()), 2) - bar.n)

        return function(folder, workers=default_workers(), progress=progress, **options)
