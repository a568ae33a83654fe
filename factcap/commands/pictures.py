"""`factcap figure` and `factcap curve`: theory against measurement, drawn."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tyro.conf import Positional, UseAppendAction

from factcap.commands.terminal import print_json, progress_bar, say

# What --set takes, whatever the figure.
Changes = UseAppendAction[tuple[str, ...]]


@dataclass(frozen=True)
class Figure:
    """Make a figure: its runs, where it has any, and PNG, SVG, CSV and how it was made (JSON)."""

    name: Positional[str | None] = None
    """Name of the figure; a wrong one lists them."""
    all: bool = False
    """Make the whole gallery; what would take minutes, smaller."""
    preset: str | None = None
    """Of a figure that has presets: laptop unless given; a wrong one lists those that there are."""
    set: Changes = ()
    """Change a field of the preset, say facts=3000 or loads=0.5,1,2; may be given again. A single
    number of seeds counts them: seeds=2 are 0 and 1; seeds=3,7 are these two, and "seeds=7," is 7
    alone."""
    presets: bool = False
    """Only list the presets of the figure, with their fields as --set takes them."""
    data: Path | None = None
    """Of a figure that reads facts: a folder of them; else made-up ones."""
    out: Path = Path("out/figures")
    """Where to write."""

    def run(self) -> None:
        """Make one figure or all, or list presets."""
        from factcap.figures import FIGURES, figure_presets
        from factcap.synth.errors import require

        require((self.name is None) == self.all, "give either the name of a figure or --all")
        asks = self.preset is not None or bool(self.set) or self.presets
        if self.name is None:
            require(
                not asks and self.data is None,
                "--preset, --set, --presets and --data are for one figure, not for --all",
            )
            return self._make_gallery()
        require(
            self.name in FIGURES,
            f"no figure is called {self.name!r}; there are {', '.join(FIGURES)}",
        )
        entry = FIGURES[self.name]
        require(
            entry.quick is not None or not asks,
            f"{self.name} has no presets and nothing to set; these have: "
            f"{', '.join(name for name in FIGURES if FIGURES[name].quick is not None)}",
        )
        require(
            entry.reads_data or self.data is None,
            "--data is for one figure that reads facts: "
            f"{', '.join(name for name in FIGURES if FIGURES[name].reads_data)}",
        )
        if self.presets:
            from factcap.figures.presets import listing

            return print(listing(figure_presets(self.name)))
        options: dict[str, Any] = {"preset": self.preset, "changes": self.set, "data": self.data}
        given = {name: value for name, value in options.items() if value not in (None, ())}
        self._make(self.name, **given)

    def _make_gallery(self) -> None:
        from factcap.figures import FIGURES
        from factcap.figures.files import Held

        for name, entry in FIGURES.items():
            try:
                self._make(name, **({} if entry.quick is None else {"preset": entry.quick}))
            except Held as held:
                say(f"{name} is left as it is: {held}")

    def _make(self, name: str, **options: Any) -> None:
        from factcap.figures import FIGURES, figure_function

        if FIGURES[name].trains:
            _train_figure(figure_function(name), self.out, **options)
        else:
            figure_function(name)(self.out, **options)
        print(self.out / f"{name}.png", flush=True)


@dataclass(frozen=True)
class Curve:
    """Measure the capacity curve: generate, train, measure, bound, draw.

    The picture grows while the runs end: open it early. Interrupted, the same command goes on;
    finished, it reads what is there and draws again.
    """

    preset: str = "laptop"
    """laptop: minutes on two cores; gpu: four sizes on a GPU; 0.8M say: one size; tiny: a trial."""
    set: Changes = ()
    """Change a field of the preset, say loads=0.5,1,2 or seeds=2 (0 and 1); may be given again.
    `factcap figure capacity_curve --presets` lists them all."""
    out: Path = Path("out/curve")
    """Where to write the figure, the CSV, how they were made (JSON) and the runs."""
    json: bool = False
    """Print JSON."""

    def run(self) -> None:
        """Make the figure, print the table and what it shows."""
        from factcap.figures.capacity_curve import capacity_curve, findings, line, table

        told: set[str] = set()

        def tell(rows: Sequence[Mapping[str, Any]]) -> None:
            for row in rows:
                if row["run"] not in told and sys.stderr.isatty():
                    say(line(row))
                told.add(row["run"])

        rows = _train_figure(
            capacity_curve, self.out, preset=self.preset, changes=self.set, say=say, ended=tell
        )
        suffixes = ("png", "svg", "csv", "json")
        files = [str(self.out / f"capacity_curve.{suffix}") for suffix in suffixes]
        if self.json:
            return print_json({"preset": self.preset, "files": files, "rows": rows})
        print(table(rows), *findings(rows), *files, sep="\n")


def _train_figure(function: Callable, folder: Path, **options: Any) -> Any:
    from factcap.models.compiler import keep_compiled
    from factcap.models.runs.directory.checkpoints import silence_orbax
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
