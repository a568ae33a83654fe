"""The numbers of the figure: for each scheme the size of an ordinary model that knows as much."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float64

from factcap.figures.corpus.experiment import scheme_label
from factcap.figures.equivalent.plan import BOTH, DATA, WORK
from factcap.figures.equivalent.read_off import Curves, Equivalent, equivalent
from factcap.figures.equivalent.theory import Asked, all_fit, largest_equivalent
from factcap.figures.intervals import mean_and_half
from factcap.figures.selection.experiment import ORDINARY

COLUMNS = (
    *("set", "equal", "counted", "scheme", "scored", "seeds", "selected", "selected_half_width"),
    *("ordinary_small", "ordinary_large", "times", "times_low", "times_high", "said"),
    *("flop_times", "most_times", "fit_times"),
)
KNOWN, WEIGHTED = "facts_known", "weighted_accuracy"

Row = Mapping[str, Any]
Problems = Mapping[str, Mapping[str, Asked]]


def counted(
    frequency: Float64[np.ndarray, " facts"], choices: Float64[np.ndarray, " facts"]
) -> dict[str, Asked]:
    """What is counted of some facts: those known, and queries where some are asked more often.

    Args:
        frequency: of each fact; the sum is 1.
        choices: equally likely values of each.
    """
    equal = np.full(len(choices), 1 / len(choices))
    found = {KNOWN: Asked(equal, choices)}
    if not np.allclose(frequency, equal):
        found[WEIGHTED] = Asked(frequency, choices)
    return found


def make_table(rows: Sequence[Row], problems: Problems) -> list[dict[str, Any]]:
    """A row for each set of facts, budget, what is counted, and scheme.

    `times` is 0 where the small model knows as much without selection, and infinite where the
    largest ordinary one knows less. `most_times` is the most that theory allows by the bits that
    ordinary training stores, and `fit_times`, with equal data, the size at which all facts fit:
    see `factcap.figures.equivalent.theory`. `flop_times` is the work of training an ordinary model
    of that size over the work of the small one with selection. Each seed of a corpus has other
    facts; what theory says of it (`most_times`, `fit_times`) is of the first seed's facts alone.

    Args:
        rows: of the CSV.
        problems: of each set, for each column that is counted, the facts.
    """
    table = []
    for named, counted in problems.items():
        some = [row for row in rows if row["set"] == named and row["use"] == "reported"]
        selected = dict.fromkeys(
            (row["scheme"], row["scored"]) for row in some if row["scheme"] != ORDINARY
        )
        for equal in (DATA, WORK):
            curve = of_budget(some, equal)
            for column, asked in counted.items():
                for scheme, scored in selected:
                    chosen = [r for r in some if (r["scheme"], r["scored"]) == (scheme, scored)]
                    which = {"set": named, "equal": equal, "counted": column}
                    which |= {"scheme": scheme, "scored": scored}
                    table.append(which | _compared(curve, chosen, column, asked))
                    if equal != DATA:  # there bits a parameter fall with the size
                        table[-1]["fit_times"] = None
    return table


def of_budget(rows: Sequence[Row], equal: str) -> list[Row]:
    """Ordinary training that has as much data, or costs as much, as the small model."""
    budgets = (equal, BOTH)
    return [row for row in rows if row["scheme"] == ORDINARY and row["budget"] in budgets]


def by_size(rows: Sequence[Row], column: str) -> tuple[list[int], Curves]:
    """Parameters of the models, rising, and a column: a row a seed."""
    sizes = sorted({row["parameters"] for row in rows})
    seeds = sorted({row["seed"] for row in rows})
    found = {(row["seed"], row["parameters"]): float(row[column]) for row in rows}
    return sizes, np.array([[found[seed, size] for size in sizes] for seed in seeds])


def _compared(
    curve: Sequence[Row], chosen: Sequence[Row], column: str, asked: Asked
) -> dict[str, Any]:
    sizes, known_RxS = by_size(curve, column)
    _, targets_Rx1 = by_size(chosen, column)
    read = equivalent(sizes, known_RxS, targets_Rx1[:, 0])
    mean, half = mean_and_half(targets_Rx1[:, 0])
    share = mean / len(asked.weights) if column == KNOWN else mean
    stored = by_size(curve, "stored_bits")[1].mean(axis=0)
    # A model that knows a little more than fits in its bits, by luck, is taken to know them all.
    most = largest_equivalent(asked, min(share, 1.0), sizes, stored)
    return {
        "seeds": len(known_RxS),
        "selected": mean,
        "selected_half_width": half,
        "ordinary_small": float(known_RxS[:, 0].mean()),
        "ordinary_large": float(known_RxS[:, -1].mean()),
        "times": read.times,
        "times_low": read.low,
        "times_high": read.high,
        "said": read.said,
        "flop_times": _work(curve, chosen, read),
        "most_times": most / sizes[0],
        "fit_times": all_fit(asked, sizes, stored) / sizes[0],
    }


def _work(curve: Sequence[Row], chosen: Sequence[Row], read: Equivalent) -> float:
    """Work of ordinary training at the equivalent size; between sizes linear in logarithms."""
    if not 0 < read.times < np.inf:
        return read.times
    sizes, flops_RxS = by_size(curve, "flops")
    work = np.log(flops_RxS.mean(axis=0))
    at = float(np.interp(np.log(read.times * sizes[0]), np.log(sizes), work))
    return float(np.exp(at) / np.mean([row["flops"] for row in chosen]))


def lines(table: Sequence[Row]) -> Iterator[str]:
    """The table for a page, in Markdown."""
    yield "| facts | equal | counted | scheme | small, selected | ordinary size | theory, at most |"
    yield "|---|---|---|---|---|---|---|"
    for row in table:
        digits = 0 if row["counted"] == KNOWN else 3
        scheme = scheme_label(f"`{row['scheme']}`", row["scored"])
        most = f"{row['most_times']:.1f}" if np.isfinite(row["most_times"]) else "-"
        yield (
            f"| {row['set']} | {row['equal'].removeprefix('equal ')} | "
            f"{row['counted'].replace('_', ' ')} | {scheme} | {row['selected']:.{digits}f} | "
            f"{row['said']} | {most} |"
        )
