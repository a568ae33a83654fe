"""`factcap measure`: what a model knows."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import Positional, arg

from factcap.commands.terminal import Count, print_json


@dataclass(frozen=True)
class Measure:
    """Print what the model of a finished run knows, or measure any causal language model.

    hf:PATH_OR_ID is a model of `transformers`: a folder, or an id of the hub. Interrupted, the same
    command with --out goes on where it was.
    """

    model: Annotated[Positional[str], arg(metavar="RUN|hf:PATH_OR_ID")]
    """A directory made by `factcap train`, or by this command; or a model."""
    facts: Path | None = None
    """Of a model: a fact set, a table of subject, relation and object, or documents with spans."""
    templates: Path | None = None
    """Sentences that ask for the facts of a table: a file with a column pattern, as in "[X] was
    born in [Y]."; without it NAME.patterns.jsonl beside NAME.jsonl, or the column question."""
    out: Path | None = None
    """A directory for measurement.parquet and summary.json; without it they are not kept."""
    ranks: bool = False
    """Also rank each value among the values of its relation; takes many times longer."""
    device: str | None = None
    """Where to compute, as PyTorch names it; by default on a GPU if there is one."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Of parameters and products."""
    batch_tokens: Count = 0
    """Tokens read at once; 0: as many as take a tenth of the model's memory."""
    json: bool = False
    """Print JSON."""

    def run(self) -> None:
        """Measure, or read, and print."""
        from factcap.commands.any_model import finished_summary, measure_model, print_known
        from factcap.synth.errors import BadInput, require

        if self.model.startswith("hf:"):
            if self.facts is None:
                raise BadInput("give the facts to ask for as --facts FILE")
            summary = measure_model(
                self.model.removeprefix("hf:"),
                self.facts,
                self.templates,
                self.out,
                ranks=self.ranks,
                device=self.device,
                precision=self.precision,
                batch_tokens=self.batch_tokens,
            )
            return print_known(summary, self.json)
        unused = replace(self, model="", json=False) == Measure(model="")
        require(unused, "--facts and what goes with it measure a model: give it as hf:PATH_OR_ID")
        summary = finished_summary(Path(self.model))
        if summary is not None:
            return print_known(summary, self.json)
        from factcap.models import read_outcome, read_run

        _, measurement = read_run(self.model)
        outcome = read_outcome(self.model)
        print_measurement(measurement.summary() | outcome, self.json)


def print_measurement(summary: dict[str, Any], json: bool) -> None:
    """Print what a run knows and cost: its measurement's summary and outcome in one."""
    if json:
        return print_json(summary)
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
    ending = "all that were given, and bits still grew: capped" if summary["capped"] else "ended"
    print(f"exposures           {summary['exposures']:,.0f} ({ending})")
    if len(codes := summary.get("codes", [])) > 1:
        print(
            f"code                {len(codes)} versions: {', '.join(code[:12] for code in codes)}"
        )
    if "selection" in summary:
        kept, scheme = summary["selection"], summary["training"]["select"]["scheme"]
        print(
            f"selection           {scheme} kept {kept['facts_kept']:,} facts, "
            f"{kept['bits_kept']:,.0f} bits; scoring cost {kept['scoring_draws']:,.0f} draws"
        )
    ledger = summary["ledger"]
    print(
        f"cost                {ledger['flops']:.2e} FLOP in {ledger['run_seconds']:,.1f} s, "
        f"{100 * ledger['peak_share']:.0f} % of {ledger['device']}'s "
        f"{ledger['peak_flops_per_second'] / 1e9:,.0f} GFLOP/s; compiling "
        f"{ledger['compile_seconds']:.1f} s of it"
    )
