"""`factcap select`: from per-example losses of any trainer to sampling weights."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import Positional

from factcap.commands.terminal import print_json, progress_bar

if TYPE_CHECKING:
    from factcap.synth.selection.stream import Report

_WIDEST = 50


@dataclass(frozen=True)
class Select:
    """Choose which examples to train on, by their losses, where not all fit the model.

    The file has the columns id, loss and perhaps bits (entropy of the example) and count (how often
    it occurs). It may be larger than memory.
    """

    losses: Positional[Path]
    """Per-example losses (Parquet)."""
    budget_bits: float
    """Bits to keep: what the model can store."""
    out: Path
    """The Parquet file to write: columns id and weight, 0 for an example that is dropped."""
    scheme: str = "loss_hf"
    """loss_h, loss_hf, worth, frequency, random or deduplicate."""
    bits_each: float = 0.0
    """Entropy of every example, in bits, where the file has no column bits."""
    nats: bool = False
    """The column loss is in nats; else in bits."""
    seed: int = 0
    """Of the scheme random."""
    json: bool = False
    """Print JSON."""

    def run(self) -> None:
        """Read, choose, write, report."""
        from factcap.synth.errors import require
        from factcap.synth.selection.stream import select_file
        from factcap.synth.selection.table import LossTable

        require(
            math.isfinite(self.bits_each) and self.bits_each >= 0,
            f"--bits-each must be positive and finite, not {self.bits_each:g}",
        )
        require(self.seed >= 0, f"--seed must be at least 0, not {self.seed}")
        unit = 1 / math.log(2) if self.nats else 1.0
        table = LossTable(self.losses, self.bits_each, unit)
        with progress_bar("rows", unit_scale=True) as bar:
            report = select_file(
                table, self.scheme, self.budget_bits, self.out, seed=self.seed, progress=bar.update
            )
        if self.json:
            return print_json(report.as_dict())
        print(report_text(report))


def report_text(report: "Report") -> str:
    """The report as lines for a terminal."""
    share = report.kept_bits / report.bits
    lines = [
        f"scheme              {report.scheme}",
        f"kept                {report.kept:,} of {report.rows:,} examples",
        f"bits                {report.kept_bits:,.1f} of {report.bits:,.1f} ({share:.1%}); "
        f"budget {report.budget_bits:,.1f}",
        f"highest loss kept   {report.cut:.4g} bits",
        f"expected accuracy   {report.accuracy_before:.4f} before, {report.accuracy_after:.4f} "
        "after",
        f"  weighted by count {report.weighted_before:.4f} before, {report.weighted_after:.4f} "
        "after",
        "  if the model stores the budget: spread evenly over all examples before, each kept one "
        "whole after",
        "",
        "loss, bits   examples (# kept, . dropped)",
    ]
    most = max(int(report.offered_in_bin.max()), 1)
    cut_bin = int((report.edges[1:-1] <= report.cut).sum())
    for number, (offered, kept) in enumerate(
        zip(report.offered_in_bin, report.kept_in_bin, strict=True)
    ):
        width = math.ceil(_WIDEST * offered / most)
        held = round(width * kept / offered) if offered else 0
        bar = "#" * held + "." * (width - held)
        mark = f"  <- cut at {report.cut:.4g}" if number == cut_bin else ""
        lines.append(f"{report.edges[number]:10.4g}   {bar} {offered:,}{mark}")
    return "\n".join(lines)
