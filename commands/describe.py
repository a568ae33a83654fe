"""`factcap show` and `factcap bound`: describe a fact set, and bound what can be known of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from commands.terminal import Count, print_json


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
            return print_json(summary)
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
            return print_json(result)
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
