"""What a claim is here: the runs that test it, the numbers read off them, and the verdict."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from factcap.figures.intervals import mean_and_half
from factcap.figures.runs import Finished
from factcap.models import RunSpec, run_spec

Row = Mapping[str, Any]
Range = tuple[float, float]

HOLDS, IN_PART, NOT_HERE = "holds", "holds in part", "does not hold at this size"


@dataclass(frozen=True)
class Wanted:
    """A run that a claim needs.

    Attributes:
        labels: what tells it from the claim's other runs; the `seed` is one of them.
        spec: the run.
    """

    labels: Mapping[str, Any]
    spec: RunSpec


@dataclass(frozen=True)
class Made:
    """A run of a claim that is finished.

    Attributes:
        wanted: which it is.
        run: what it measured.
        directory: where it lies.
    """

    wanted: Wanted
    run: Finished
    directory: Path

    def row(self, **more: Any) -> dict[str, Any]:
        """Its labels and usual numbers, and some more."""
        found = self.run.measurement
        summary = found.summary()
        return {
            **self.wanted.labels,
            "facts": summary["facts"],
            "facts_known": summary["facts_known"],
            "entropy_bits": summary["entropy_bits"],
            "stored_bits": summary["unclipped_stored_bits"],
            "bits_per_parameter": summary["unclipped_stored_bits"] / summary["parameters"],
            "parameters": summary["parameters"],
            **more,
            "run": self.wanted.spec.id,
        }


@dataclass(frozen=True)
class Finding:
    """A number read off the runs of a claim, a row of the page.

    Attributes:
        claim: what is claimed, and in which unit.
        published: the number that the source gives; None: it gives none.
        values: measured, one a seed.
        holds: within these ends the mean says that the claim holds.
        in_part: within these, that it holds in part; elsewhere it does not at this size.
        parameters: of the models.
        source: where it is published, if that is not the claim's source.
    """

    claim: str
    published: float | None
    values: Sequence[float]
    holds: Range
    in_part: Range
    parameters: int
    source: str = ""

    def measured(self) -> tuple[float, float, float]:
        """Mean over seeds, and the ends of its 95 % interval (Student's t)."""
        mean, half = mean_and_half(self.values)
        return mean, mean - half, mean + half

    def verdict(self) -> str:
        """What the mean says."""
        mean = self.measured()[0]
        if self.holds[0] <= mean <= self.holds[1]:
            return HOLDS
        return IN_PART if self.in_part[0] <= mean <= self.in_part[1] else NOT_HERE


@dataclass(frozen=True)
class Panel:
    """How the rows of a claim are drawn: lines of means over seeds.

    Attributes:
        x: column of the horizontal axis.
        y: column of the vertical one.
        by: column whose values are lines; empty where there is one.
        labels: of the axes.
        log: whether the horizontal axis is logarithmic.
        log_y: whether the vertical one is.
        published: height of a line at what is published; None: there is none.
        floor: lower end of the vertical axis; None: that of the rows.
    """

    x: str
    y: str
    by: str
    labels: tuple[str, str]
    log: bool = False
    log_y: bool = False
    published: float | None = None
    floor: float | None = None


@dataclass(frozen=True)
class Claim:
    """A claim, with one or more numbers.

    Attributes:
        title: in a few words.
        source: where it is published.
        settings: by the name of a preset, a frozen dataclass of what the runs are.
        runs: the runs that these settings, some seeds and a folder for files of facts ask for.
        rows: those of the table that a finished run gives, from the settings and the run.
        findings: the numbers, from the settings and all rows.
        panel: how the rows are drawn.
        notes: what a reader should know of the numbers: what was tried where one is not reached.
    """

    title: str
    source: str
    settings: Mapping[str, Any]
    runs: Callable[[Any, Sequence[int], Path], list[Wanted]]
    rows: Callable[[Any, Made], list[dict[str, Any]]]
    findings: Callable[[Any, Sequence[Row]], list[Finding]]
    panel: Panel
    notes: str = ""


def one_row(settings: Any, made: Made) -> list[dict[str, Any]]:
    """The row of a run of which no more than the usual is told."""
    return [made.row()]


def chosen(rows: Sequence[Row], **labels: Any) -> list[Row]:
    """The rows with these labels, in the order of their seeds."""
    found = [row for row in rows if all(row[name] == value for name, value in labels.items())]
    return sorted(found, key=lambda row: row["seed"])


def column(rows: Sequence[Row], name: str, **labels: Any) -> np.ndarray:
    """A number of the rows with these labels, one a seed."""
    return np.array([row[name] for row in chosen(rows, **labels)], float)


def parameters_of(rows: Sequence[Row]) -> int:
    """Parameters of the largest model of some rows."""
    return max(row["parameters"] for row in rows)


def bitstrings_recipe(bits: float, parameters: int, seed: int, **more: Any) -> dict[str, Any]:
    """Facts of 24 bits, 3 value tokens of 256 after a key of 4.

    Args:
        bits: offered for each parameter.
        parameters: of the model.
        seed: of the facts.
        more: arguments of the generator besides.
    """
    shape = {"vocabulary": 256, "length": 7, "key_length": 4}
    facts = max(1, round(bits * parameters / 24))
    return {"generator": "bitstrings", "facts": facts, "seed": seed, **shape, **more}


def run_of(facts: Any, model: Any, exposures: float, seed: int, **more: Any) -> dict[str, Any]:
    """The configuration of a run that uses all its exposures; see `factcap.models.run_spec`."""
    usual = {"fewest_steps": 0, "batch": 64, "saturate": False}
    return {
        "facts": facts,
        "model": model,
        "exposures": exposures,
        "seed": seed,
        **usual,
        **more,
    }


def side_by_side(
    models: Mapping[str, Mapping[str, Any]],
    bits: float,
    parameters: int,
    exposures: float,
    seeds: Sequence[int],
) -> list[Wanted]:
    """A run of each model and seed, all models of a seed on the same facts.

    Args:
        models: configuration of each, by the name that its rows give as `model`.
        bits: of the facts, for each of `parameters`.
        parameters: see `bits`.
        exposures: of each fact.
        seeds: of facts, parameters and draws.
    """
    return [
        Wanted(
            {"model": name, "seed": seed},
            run_spec(
                run_of(bitstrings_recipe(bits, parameters, seed), dict(model), exposures, seed)
            ),
        )
        for name, model in models.items()
        for seed in seeds
    ]
