"""The front door: `factcap generate | show | bound | train | measure | figure | curve`.

Each command is a frozen dataclass whose fields are its options and whose `run` does the work.
Packages are imported inside `run`, so that a command loads only what it needs.
"""

import contextlib
import io
import json as json_
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from tyro.conf import Positional, arg, subcommand
from tyro.constructors import PrimitiveConstructorSpec


def _whole_number(text: str) -> int:
    number = float(text.replace("_", ""))
    if number != int(number):
        raise ValueError(f"{text!r} is not a whole number")
    return int(number)


# A whole number that may be written 1000000, 1_000_000 or 1e6.
Count = Annotated[
    int,
    PrimitiveConstructorSpec(
        nargs=1,
        metavar="INT",
        instance_from_str=lambda words: _whole_number(words[0]),
        is_instance=lambda value: isinstance(value, int),
        str_from_instance=lambda value: [str(value)],
    ),
]


@dataclass(frozen=True)
class Phonebook:
    """Made-up person names and uniformly random numbers."""

    facts: Count
    """Number of facts."""
    out: Path
    """The Parquet file to write."""
    digits: int = 7
    """Digits of a number; its entropy is digits x log2(10) bits."""
    exponent: float = 0.0
    """Frequency of the fact of rank i is proportional to i^-exponent."""
    seed: int = 0
    """The same seed gives the same facts; more facts only add to them."""
    json: bool = False
    """Print JSON."""

    def run(self) -> None:
        """Write the file, block by block."""
        from synth import phonebook_stream

        _write(
            phonebook_stream(
                self.facts, digits=self.digits, exponent=self.exponent, seed=self.seed
            ),
            self.out,
            self.json,
        )


@dataclass(frozen=True)
class Bitstrings:
    """Uniformly random token sequences."""

    facts: Count
    """Number of facts."""
    out: Path
    """The Parquet file to write."""
    vocabulary: int = 2048
    """Number of token ids."""
    length: int = 64
    """Tokens of a sequence, its key included."""
    key_length: int | None = None
    """Tokens that serve as the key; by default enough for 4 billion distinct ones. 0: no key, as
    in Morris et al. 2025; recall is then not defined, stored bits are."""
    exponent: float = 0.0
    """Frequency of the fact of rank i is proportional to i^-exponent."""
    seed: int = 0
    """The same seed gives the same facts; more facts only add to them."""
    json: bool = False
    """Print JSON."""

    def run(self) -> None:
        """Write the file, block by block."""
        from synth import bitstrings_stream

        stream = bitstrings_stream(
            self.facts,
            vocabulary=self.vocabulary,
            length=self.length,
            key_length=self.key_length,
            exponent=self.exponent,
            seed=self.seed,
        )
        _write(stream, self.out, self.json)


@dataclass(frozen=True)
class Cities:
    """Real city names and populations, with a random code or the real country as value."""

    out: Path
    """The Parquet file to write."""
    facts: Count | None = None
    """Number of facts; all cities by default."""
    attribute: Literal["code", "country"] = "code"
    """What is asked of a city."""
    frequency: Literal["population", "uniform", "power_law"] | None = None
    """How often a city occurs; by default its population, or a power law where --exponent is
    given."""
    exponent: float | None = None
    """Exponent of the power law."""
    seed: int = 0
    """The same seed gives the same facts; more facts only add to them."""
    json: bool = False
    """Print JSON."""

    def run(self) -> None:
        """Write the file."""
        from synth import cities

        power_law = self.exponent is not None
        facts = cities(
            self.facts,
            attribute=self.attribute,
            frequency=self.frequency or ("power_law" if power_law else "population"),
            exponent=self.exponent or 0.0,
            seed=self.seed,
        )
        _write(facts, self.out, self.json)


@dataclass(frozen=True)
class Triples:
    """Your own facts: subject, relation, object and count from CSV, JSONL or Parquet."""

    files: Positional[tuple[Path, ...]]
    """Files, or folders of them. Without a relation column the file's name is the relation."""
    out: Path
    """The Parquet file to write."""
    facts: Count | None = None
    """Take the first of the facts only."""
    exponent: float | None = None
    """Replace the counts by a power law in the order of the facts."""
    seed: int | None = None
    """Shuffle the facts; by default they keep the order of the files."""
    subject: str | None = None
    """Column of the subjects; usual names are found without."""
    relation: str | None = None
    """Column of the relations."""
    object: str | None = None
    """Column of the objects, or several separated by commas, each then a relation of its own."""
    count: str | None = None
    """Column of the counts."""
    level: Literal["word", "character"] = "word"
    """What a token is."""
    json: bool = False
    """Print JSON."""

    def run(self) -> None:
        """Read the facts and write the file."""
        from synth import power_law, triples

        objects = self.object
        facts = triples(
            self.files,
            subject=self.subject,
            relation=self.relation,
            object=tuple(objects.split(",")) if objects and "," in objects else objects,
            count=self.count,
            level=self.level,
            facts=self.facts,
            seed=self.seed,
        )
        if self.exponent is not None:
            facts = replace(facts, frequency=power_law(len(facts), self.exponent))
        _write(facts, self.out, self.json)


def _write(facts: Any, out: Path, json: bool) -> None:
    """Write a fact set or a stream with a progress bar, and say what was written."""
    from synth import FactSet, write

    total = len(facts) if isinstance(facts, FactSet) else facts.facts
    with _bar("facts", total, unit_scale=True) as bar:
        write(facts, out, progress=bar.update)
    if json:
        origin = json_.loads(facts.origin.to_json())
        return _print_json({"file": str(out), "facts": total, "origin": origin})
    print(f"{out}: {total:,} facts")


@dataclass(frozen=True)
class Show:
    """Describe a fact set: counts, bits, frequencies, and a few facts as text."""

    file: Positional[Path]
    """A fact set (Parquet)."""
    examples: int = 5
    """How many facts to print."""
    json: bool = False
    """Print JSON."""

    def run(self) -> None:
        """Read the file and print."""
        from synth import load, summarize, summary_text
        from synth.errors import require

        require(self.examples >= 0, f"--examples must be at least 0, not {self.examples}")
        summary = summarize(load(self.file), self.examples)
        if self.json:
            return _print_json(summary)
        print(summary_text(summary))


@dataclass(frozen=True)
class Bound:
    """Bound how many facts a model can know: of a fact set, or of N facts of K choices.

    `accuracy` maximizes the plain mean of recall over facts, `weighted` the mean weighted by
    frequency.
    """

    file: Annotated[Positional[Path | None], arg(metavar="[F.parquet]")] = None
    """A fact set; or give --facts, --choices and --exponent."""
    facts: Count | None = None
    """Number of facts."""
    choices: float | None = None
    """How many values are equally likely for each fact."""
    exponent: float = 0.0
    """Frequency of the fact of rank i is proportional to i^-exponent."""
    bits: float | None = None
    """The budget in bits; or give --params."""
    params: Count | None = None
    """Parameters of the model."""
    bits_per_param: float = 2.0
    """Bits that each parameter stores; 2 is what Allen-Zhu and Li 2024 measured."""
    json: bool = False
    """Print JSON."""

    def run(self) -> None:
        """Compute the three bounds for both objectives and print."""
        import numpy as np

        from capacity import all_or_nothing_bound, even_spreading, rate_distortion_bound
        from synth.errors import require

        budget = self._budget()
        frequency, choices = self._facts()
        bounds = {
            "all_or_nothing": all_or_nothing_bound,
            "rate_distortion": rate_distortion_bound,
            "even_spreading": even_spreading,
        }
        plain = np.full(len(frequency), 1 / len(frequency))
        require(bool(np.isfinite(budget)), f"the budget must be finite, not {budget}")
        result = {
            "facts": len(frequency),
            "entropy_bits": float(np.log2(choices).sum()),
            "budget_bits": budget,
            **{
                name: {
                    "accuracy": bound(plain, choices, budget).accuracy,
                    "weighted": bound(frequency, choices, budget).accuracy,
                }
                for name, bound in bounds.items()
            },
        }
        if self.json:
            return _print_json(result)
        print(f"facts   {result['facts']:,}, {result['entropy_bits']:,.1f} bits")
        hard = f" (hard limit in float32: {32 * self.params:,} bits)" if self.params else ""
        print(f"budget  {budget:,.1f} bits, load {result['entropy_bits'] / budget:.3g}{hard}")
        print(f"{'':18}{'accuracy':>10}{'weighted':>10}")
        for name in bounds:
            values = result[name]
            label = name.replace("_", "-")
            print(f"{label:18}{values['accuracy']:>10.6f}{values['weighted']:>10.6f}")

    def _budget(self) -> float:
        from synth.errors import require

        require(
            (self.bits is None) != (self.params is None),
            "give the budget either as --bits B or as --params P",
        )
        if self.bits is not None:
            require(self.bits > 0, f"--bits must be greater than 0, not {self.bits:g}")
            return self.bits
        assert self.params is not None
        require(self.params > 0, f"--params must be greater than 0, not {self.params}")
        require(
            self.bits_per_param > 0,
            f"--bits-per-param must be greater than 0, not {self.bits_per_param:g}",
        )
        return self.params * self.bits_per_param

    def _facts(self):
        import numpy as np

        from synth import load_frequency, power_law
        from synth.errors import require

        if self.file is not None:
            require(
                self.facts is None and self.choices is None,
                "give either a fact set or --facts and --choices, not both",
            )
            return load_frequency(self.file)
        if self.facts is None or self.choices is None:
            require(False, "give a fact set, or both --facts N and --choices K")
        assert self.facts is not None
        assert self.choices is not None
        require(self.facts <= 10**8, f"--facts may be at most 1e8 here, not {self.facts:g}")
        require(
            bool(np.isfinite(self.choices)) and self.choices >= 1,
            f"--choices must be finite and at least 1, not {self.choices:g}",
        )
        return power_law(self.facts, self.exponent), np.full(self.facts, self.choices)


@dataclass(frozen=True)
class Train:
    """Train a transformer on a fact set and measure what it knows.

    Interrupted, the same command goes on from the last saved state.
    """

    file: Positional[Path]
    """A fact set (Parquet)."""
    out: Path
    """The run's directory: new, or that of this run interrupted."""
    model: str | None = None
    """A named size: 8k, 29k, 0.1M, 0.2M, 0.8M, 3.2M, 11M, 25M, gpt2-small (default 29k)."""
    width: int | None = None
    """Size of the residual stream; with --depth and --heads instead of --model."""
    depth: int | None = None
    """Number of blocks."""
    heads: int | None = None
    """Attention heads."""
    untied: bool = False
    """Give the readout a matrix of its own instead of that of the embedding."""
    exposures: float = 400.0
    """How often a fact is drawn, on average over the set; at least 2,000 steps are made."""
    batch: int = 0
    """Facts a step; 0 follows the size of the set."""
    learning_rate: float = 0.0
    """Peak learning rate; 0 follows the width."""
    seed: int = 0
    """Of the parameters and of the draws."""
    json: bool = False
    """Print JSON."""

    def run(self) -> None:
        """Train, measure, print."""
        from synth.errors import require

        require(
            not (self.out / "measurement.parquet").exists(),
            f"{self.out} holds a finished run; choose another --out, or read it with "
            "`factcap measure`",
        )
        from models import TrainConfig, TransformerConfig, model_vocabulary, named_size, run
        from synth import load

        training = TrainConfig(
            exposures=self.exposures,
            batch=self.batch,
            learning_rate=self.learning_rate,
            seed=self.seed,
        )
        free = (self.width, self.depth, self.heads)
        require(
            all(size is None for size in free)
            or (all(size is not None for size in free) and self.model is None),
            "give either --model NAME, or all of --width, --depth and --heads",
        )
        named_size(self.model or "29k", 1)
        facts = load(self.file)
        vocabulary, tied = model_vocabulary(facts), not self.untied
        if self.width and self.depth and self.heads:
            model = TransformerConfig(vocabulary, self.width, self.depth, self.heads, tied)
        else:
            model = named_size(self.model or "29k", vocabulary, tied=tied)
        with _bar("steps") as bar:

            def progress(done: int, total: int, metrics: Any) -> None:
                bar.total = total
                bar.set_postfix(bits_per_token=f"{metrics['loss_bits_per_token']:.3f}")
                bar.update(done - bar.n)

            measurement = run(facts, model, training, self.out, progress=progress)
        _print_measurement(measurement.summary(), self.json)


@dataclass(frozen=True)
class Measure:
    """Print what the model of a finished run knows."""

    run_directory: Annotated[Positional[Path], arg(metavar="RUN")]
    """A directory made by `factcap train`."""
    json: bool = False
    """Print JSON."""

    def run(self) -> None:
        """Read and print."""
        from models.runs import read_run

        _, measurement = read_run(self.run_directory)
        _print_measurement(measurement.summary(), self.json)


def _print_measurement(summary: dict[str, Any], json: bool) -> None:
    if json:
        return _print_json(summary)
    print(f"facts known         {summary['facts_known']:,} of {summary['facts']:,}")
    print(f"accuracy            {summary['accuracy']:.4f}")
    print(f"weighted accuracy   {summary['weighted_accuracy']:.4f}")
    print(
        f"stored bits         {summary['stored_bits']:,.0f} of {summary['entropy_bits']:,.0f} "
        f"(not clipped: {summary['unclipped_stored_bits']:,.0f})"
    )
    print(
        f"bits per parameter  {summary['bits_per_parameter']:.3f} "
        f"({summary['parameters']:,} parameters)"
    )


@dataclass(frozen=True)
class FigureCommand:
    """Make a figure: its runs, where it has any, and PNG, SVG and CSV."""

    name: Positional[str | None] = None
    """Name of the figure; a wrong one lists them."""
    all: bool = False
    """Make all figures."""
    out: Path = Path("out/figures")
    """Where to write."""

    def run(self) -> None:
        """Make one figure or all."""
        from figures import FIGURES, figure_function
        from synth.errors import require

        require((self.name is None) == self.all, "give either the name of a figure or --all")
        if self.name is not None:
            require(
                self.name in FIGURES,
                f"no figure is called {self.name!r}; there are {', '.join(FIGURES)}",
            )
        for name in FIGURES if self.name is None else [self.name]:
            _make_figure(figure_function(name), self.out)
            print(self.out / f"{name}.png")


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
        from figures.capacity_curve import capacity_curve, findings, table

        rows = _make_figure(capacity_curve, self.out, preset=self.preset)
        files = [str(self.out / f"capacity_curve.{suffix}") for suffix in ("png", "svg", "csv")]
        if self.json:
            return _print_json({"preset": self.preset, "files": files, "rows": rows})
        print(table(rows), *findings(rows), *files, sep="\n")


def _make_figure(function: Callable, folder: Path, **options: Any) -> Any:
    from models.workers import default_workers

    shares: dict[int, float] = {}
    with _bar("runs") as bar:

        def progress(number: int, total: int, share: float) -> None:
            shares[number] = share
            bar.total = total
            bar.update(round(sum(shares.values()), 2) - bar.n)

        return function(folder, workers=default_workers(), progress=progress, **options)


def _bar(unit: str, total: int | None = None, *, unit_scale: bool = False) -> Any:
    """A progress bar on stderr; silent where that is not a terminal."""
    from tqdm import tqdm

    return tqdm(
        total=total,
        unit=unit,
        unit_scale=unit_scale,
        file=sys.stderr,
        disable=None,
        dynamic_ncols=True,
    )


def _print_json(value: Any) -> None:
    print(json_.dumps(value, indent=2))


@dataclass(frozen=True)
class GenerateCommand:
    """Generate a fact set and write it as Parquet."""

    kind: (
        Annotated[Phonebook, subcommand("phonebook", prefix_name=False)]
        | Annotated[Bitstrings, subcommand("bitstrings", prefix_name=False)]
        | Annotated[Cities, subcommand("cities", prefix_name=False)]
        | Annotated[Triples, subcommand("triples", prefix_name=False)]
    )

    def run(self) -> None:
        """Run the generator."""
        self.kind.run()


Command = (
    Annotated[GenerateCommand, subcommand("generate", prefix_name=False)]
    | Annotated[Show, subcommand("show", prefix_name=False)]
    | Annotated[Bound, subcommand("bound", prefix_name=False)]
    | Annotated[Train, subcommand("train", prefix_name=False)]
    | Annotated[Measure, subcommand("measure", prefix_name=False)]
    | Annotated[FigureCommand, subcommand("figure", prefix_name=False)]
    | Annotated[Curve, subcommand("curve", prefix_name=False)]
)


def parse(args: Sequence[str] | None = None) -> Command:
    """The command that the words ask for; exits with 2 and one line on stderr if they are wrong."""
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            return tyro.cli(
                Command,
                prog="factcap",
                description="How many facts a model of a given size can know.",
                args=args,
                config=(
                    tyro.conf.FlagCreatePairsOff,
                    tyro.conf.DisallowNone,
                    tyro.conf.OmitArgPrefixes,
                ),
            )
    except SystemExit as stop:
        if stop.code == 2:
            _complain(_one_line(complaint.getvalue()))
        raise


def _one_line(boxed: str) -> str:
    """The first section of tyro's boxed message, as one line."""
    lines = [line.strip("│ ") for line in boxed.splitlines() if not line.startswith(("╭", "╰"))]
    section = lines[: next((i for i, line in enumerate(lines) if line.startswith("──")), None)]
    return " ".join(" ".join(section).split()) + "; see factcap --help"


def _complain(message: str) -> None:
    print(f"factcap: {message}", file=sys.stderr)


def main() -> None:
    """Run the command line."""
    command = parse()
    try:
        command.run()
    except KeyboardInterrupt:
        _complain("interrupted; what is finished is kept, give the same command again to go on")
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except FloatingPointError as error:
        _complain(str(error))
        sys.exit(1)
    except (ValueError, OSError) as error:
        from synth import BadInput

        if isinstance(error, ValueError) and not isinstance(error, BadInput):
            raise
        _complain(str(error))
        sys.exit(2)


if __name__ == "__main__":
    main()
