"""Selection on a file of losses that may be larger than memory."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float64, Int64

from factcap.synth.errors import require
from factcap.synth.selection.cut import Cut, find_cut
from factcap.synth.selection.evidence import ROUNDING, check_budget
from factcap.synth.selection.frequencies import LEAST_LOSS, exposures_from_losses, shrunk_mean
from factcap.synth.selection.schemes import check_scheme
from factcap.synth.selection.table import LossTable, Rows, Totals

_BINS = 48
# What a pass over the file is ranked by, low keys first; those of
# `factcap.synth.selection.schemes`.
STREAMED = ("random", "frequency", "loss_h", "loss_hf", "deduplicate", "worth")

Key = Callable[[Rows, int], Float64[np.ndarray, " rows"]]


@dataclass(frozen=True)
class Report:
    """What was selected.

    Attributes:
        scheme: its name.
        rows: examples offered.
        kept: of them.
        bits: entropy of those offered.
        kept_bits: of those kept.
        budget_bits: given.
        cut: the kept examples with the highest loss have this one, in bits.
        edges: of the bins of losses, in bits.
        offered_in_bin: examples by loss.
        kept_in_bin: of them.
        accuracy_before: expected share of examples known exactly if all are trained on and the
            budget is what the model can store: the bits spread evenly, so that example i is known
            with probability 2^-(H_i - budget H_i / sum H).
        accuracy_after: the same for what is kept, each known, and the others guessed: 2^-H_i.
        weighted_before: the same, by count.
        weighted_after: the same, by count.
    """

    scheme: str
    rows: int
    kept: int
    bits: float
    kept_bits: float
    budget_bits: float
    cut: float
    edges: Float64[np.ndarray, " edges"]
    offered_in_bin: Int64[np.ndarray, " bins"]
    kept_in_bin: Int64[np.ndarray, " bins"]
    accuracy_before: float
    accuracy_after: float
    weighted_before: float
    weighted_after: float

    def as_dict(self) -> dict[str, Any]:
        """The numbers, as JSON values."""
        return {
            name: value.tolist() if isinstance(value, np.ndarray) else value
            for name, value in vars(self).items()
        }


def select_file(
    table: LossTable,
    scheme: str,
    budget_bits: float,
    out: Path,
    *,
    seed: int = 0,
    progress: Callable[[int], object] = lambda rows: None,
) -> Report:
    """Write a weight for each example: columns `id` and `weight`, 0 where it is dropped.

    The result is that of `factcap.synth.selection.select` on all rows in memory, ties going to the
    row that stands first, but `random`, which orders by a hash of the row's number. Weights are
    those of a
    row: its count where the scheme leaves weights as they are (1 where nothing was counted), 1
    where it makes them equal, less than 1 where `loss_hf` thins what was not counted.

    It takes a pass to check the numbers, one to check the ids, at most four to find the cut
    (`find_cut`), one more for `loss_hf` where nothing was counted, and one to write. Memory does
    not grow with the rows; 8 bytes an id lie beside `out` meanwhile. The file appears whole or not
    at all.

    Args:
        table: the losses.
        scheme: a name in `STREAMED`.
        budget_bits: entropy of the kept examples, at the most.
        out: a file that does not exist yet.
        seed: of `random`.
        progress: called with the number of rows that each batch of each pass had.

    Raises:
        BadInput: for any value that cannot be used; the message names it.
    """
    check_scheme(scheme)
    require(
        scheme in STREAMED,
        f"{scheme} needs the model; of a file of losses there are {', '.join(STREAMED)}",
    )
    require(
        table.counted or scheme != "frequency",
        f"the scheme frequency needs a column count, which {table.path} lacks",
    )
    check_budget(budget_bits)
    require(not out.exists(), f"{out} exists; choose another name or remove it")
    require(out.parent.is_dir(), f"the folder {out.parent} does not exist; create it first")
    totals = table.check(progress)
    require(
        budget_bits <= totals.bits * (1 + ROUNDING),
        f"the budget of {budget_bits:g} bits is above the {totals.bits:g} bits of all examples; "
        "nothing needs to go",
    )
    table.check_ids(out.parent)
    key = _key_of(scheme, totals, seed)

    def ranked() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        first = 0
        for rows in table.rows():
            yield key(rows, first), rows.bits
            first += len(rows.loss)
            progress(len(rows.loss))

    fits = scheme == "deduplicate" or budget_bits >= totals.bits * (1 - ROUNDING)
    cut = Cut(np.inf, np.inf) if fits else find_cut(ranked, budget_bits)
    thin = 0.0
    if scheme == "loss_hf" and not table.counted and not fits:
        thin = _least_exposures(table, key, cut)
    equal = scheme == "deduplicate" or (scheme != "loss_h" and scheme != "random" and not fits)
    writer = _Tally(scheme, totals, budget_bits)
    partial = out.with_name(f".{out.name}.{secrets.token_hex(4)}.part")
    schema = pa.schema([pa.field("id", table.id_type()), pa.field("weight", pa.float64())])
    try:
        with pq.ParquetWriter(partial, schema, compression="zstd", write_statistics=False) as file:
            keep, first = cut.keeper(), 0
            for ids, rows in table.batches():
                kept = keep(key(rows, first), rows.bits)
                weight = np.ones(len(kept)) if equal or rows.count is None else rows.count
                if thin > 0:
                    seen = exposures_from_losses(rows.loss, rows.bits)
                    weight = thin / np.maximum(seen, thin)
                weight = np.where(kept, weight, 0.0)
                file.write_batch(pa.record_batch([ids, pa.array(weight)], schema=schema))
                writer.add(rows, kept)
                first += len(kept)
                progress(len(kept))
        report = writer.report()
        require(
            report.kept > 0,
            f"a budget of {budget_bits:g} bits is too small for the first example that {scheme} "
            "would keep; give more",
        )
        partial.rename(out)
    finally:
        partial.unlink(missing_ok=True)
    return report


def _key_of(scheme: str, totals: Totals, seed: int) -> Key:
    """What a scheme ranks rows by, low first."""
    if scheme == "random":
        return lambda rows, first: _uniform(first + np.arange(len(rows.loss)), seed)
    if scheme == "frequency":
        return lambda rows, first: -_counts(rows)
    if scheme != "worth":
        return lambda rows, first: rows.loss
    mean = totals.count / totals.rows
    variance = totals.count_squares / totals.rows - mean**2

    def price(rows: Rows, first: int) -> Float64[np.ndarray, " rows"]:
        if rows.count is None:
            seen = exposures_from_losses(rows.loss, rows.bits)
        else:
            seen = shrunk_mean(rows.count, mean, variance)
        gain = seen * -np.expm1(-rows.bits * np.log(2))
        return np.where(rows.bits > 0, -gain / np.maximum(rows.loss, LEAST_LOSS), -np.inf)

    return price


def _counts(rows: Rows) -> Float64[np.ndarray, " rows"]:
    assert rows.count is not None
    return rows.count


def _uniform(row: Int64[np.ndarray, " rows"], seed: int) -> Float64[np.ndarray, " rows"]:
    """A number in [0, 1) for each row, by the splitmix64 of its number and the seed."""
    code = (row.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    code += np.random.default_rng(seed).integers(2**64, dtype=np.uint64)
    code = (code ^ code >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    code = (code ^ code >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return (code ^ code >> np.uint64(31)) / 2.0**64


def _least_exposures(table: LossTable, key: Key, cut: Cut) -> float:
    """What `loss_hf` thins to: see there."""
    keep, first, least, total, kept_rows = cut.keeper(), 0, np.inf, 0.0, 0
    for rows in table.rows():
        seen = exposures_from_losses(rows.loss, rows.bits)[keep(key(rows, first), rows.bits)]
        first += len(rows.loss)
        least = min(least, float(seen.min(initial=np.inf)))
        total += float(seen.sum())
        kept_rows += len(seen)
    return max(min(least, 1e300), 0.1 * total / max(kept_rows, 1), np.finfo(float).tiny)


class _Tally:
    """Gathers the report while the weights are written."""

    def __init__(self, scheme: str, totals: Totals, budget_bits: float):
        self.scheme, self.totals, self.budget_bits = scheme, totals, budget_bits
        self.edges = np.linspace(0.0, max(totals.largest_loss, LEAST_LOSS), _BINS + 1)
        self.bins = np.zeros((2, _BINS), np.int64)
        self.kept, self.kept_bits, self.cut = 0, 0.0, 0.0
        self.known = np.zeros((2, 2))

    def add(self, rows: Rows, kept: np.ndarray) -> None:
        """Take a batch into account."""
        place = np.minimum((rows.loss * (_BINS / self.edges[-1])).astype(np.int64), _BINS - 1)
        self.bins[0] += np.bincount(place, minlength=_BINS)
        self.bins[1] += np.bincount(place[kept], minlength=_BINS)
        self.kept += int(kept.sum())
        self.kept_bits += float(rows.bits[kept].sum())
        self.cut = max(self.cut, float(rows.loss[kept].max(initial=0.0)))
        # Even spreading: C H_i / sum H bits of each, known with probability 2^(those - H_i).
        left = max(1 - self.budget_bits / self.totals.bits, 0.0) if self.totals.bits > 0 else 0.0
        before, after = np.exp2(-rows.bits * left), np.where(kept, 1.0, np.exp2(-rows.bits))
        weight = np.ones(len(kept)) if rows.count is None else rows.count
        self.known += [
            [before.sum(), after.sum()],
            [float(weight @ before), float(weight @ after)],
        ]

    def report(self) -> Report:
        """The report."""
        mean, weighted = self.known[0] / self.totals.rows, self.known[1] / self.totals.count
        return Report(
            scheme=self.scheme,
            rows=self.totals.rows,
            kept=self.kept,
            bits=self.totals.bits,
            kept_bits=self.kept_bits,
            budget_bits=self.budget_bits,
            cut=self.cut,
            edges=self.edges,
            offered_in_bin=self.bins[0],
            kept_in_bin=self.bins[1],
            accuracy_before=float(mean[0]),
            accuracy_after=float(mean[1]),
            weighted_before=float(weighted[0]),
            weighted_after=float(weighted[1]),
        )
