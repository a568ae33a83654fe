"""`factcap show` and `factcap bound`: describe a fact set, and bound what can be known of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from factcap.commands.terminal import Count, print_json


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
        from factcap.synth import load, summarize, summary_text
        from factcap.synth.errors import require

        require(self.examples >= 0, f"--examples must be at least 0, not {self.examples}")
        summary = summarize(load(self.file), self.examples)
        if self.json:
            return print_json(summary)
        print(summary_text(summary))


@dataclass(frozen=True)
class Bound:
    """Bound how many facts a model can know: of a fact set, or of N facts of K choices.

    Of a measurement.parquet the bounds are those of its facts, and what was measured stands beside
    them; its model's parameters are taken where neither --bits nor --params is given.

    `accuracy` maximizes the plain mean of recall over facts, `weighted` the mean weighted by
    frequency.
    """

    file: Annotated[Positional[Path | None], arg(metavar="[F.parquet]")] = None
    """A fact set, or a measurement; or give --facts, --choices and --exponent."""
    facts: Count | None = None
    """Number of facts, up to 1e12."""
    choices: float | None = None
    """How many values are equally likely for each fact."""
    exponent: float | None = None
    """Frequency of the fact of rank i is proportional to i^-exponent; 0 to 4, by default 0."""
    bits: float | None = None
    """The budget in bits; or give --params."""
    params: Count | None = None
    """Parameters of the model."""
    bits_per_param: float | None = None
    """Bits that each parameter stores; by default 2, what Allen-Zhu and Li 2024 measured."""
    json: bool = False
    """Print JSON."""

    def run(self) -> None:
        """Compute the three bounds for both objectives and print."""
        import numpy as np

        from factcap.synth import Measurement, load_frequency
        from factcap.synth.errors import require
        from factcap.synth.measurement import is_measurement

        found = None
        if self.file is not None and is_measurement(self.file):
            found = Measurement.load(self.file)
        params = self.params
        if found is not None and self.bits is None and params is None:
            params = found.parameters
        budget = self._budget(params)
        require(bool(np.isfinite(budget)), f"the budget must be finite, not {budget}")
        if self.file is None:
            facts, choices, exponent = self._power_law()
            entropy = facts * float(np.log2(choices))
            bounds = _power_law_bounds(facts, choices, exponent, budget)
        else:
            require(
                self.facts is None and self.choices is None and self.exponent is None,
                "give either a fact set or --facts, --choices and --exponent, not both",
            )
            if found is None:
                frequency, each = load_frequency(self.file)
            else:
                frequency, each = found.frequency, found.choices
            facts, entropy = len(frequency), float(np.log2(each).sum())
            bounds = _fact_bounds(frequency, each, budget)
        if found is not None:
            measured = {"accuracy": found.accuracy, "weighted": found.weighted_accuracy}
            bounds = {**bounds, "measured": measured}
        result = {"facts": facts, "entropy_bits": entropy, "budget_bits": budget, **bounds}
        if self.json:
            return print_json(result)
        print(f"facts   {result['facts']:,}, {result['entropy_bits']:,.1f} bits")
        hard = f" (hard limit in float32: {32 * params:,} bits)" if params else ""
        print(f"budget  {budget:,.1f} bits, load {result['entropy_bits'] / budget:.3g}{hard}")
        print(f"{'':18}{'accuracy':>10}{'weighted':>10}")
        for name, values in bounds.items():
            label = name.replace("_", "-")
            print(f"{label:18}{values['accuracy']:>10.6f}{values['weighted']:>10.6f}")

    def _budget(self, params: int | None) -> float:
        from factcap.synth.errors import require

        require(
            (self.bits is None) != (params is None),
            "give the budget either as --bits B or as --params P",
        )
        if self.bits is not None:
            require(self.bits_per_param is None, "--bits-per-param goes with --params, not --bits")
            require(self.bits > 0, f"--bits must be greater than 0, not {self.bits:g}")
            return self.bits
        assert params is not None
        require(params > 0, f"--params must be greater than 0, not {params}")
        each = 2.0 if self.bits_per_param is None else self.bits_per_param
        require(each > 0, f"--bits-per-param must be greater than 0, not {each:g}")
        return params * each

    def _power_law(self) -> tuple[int, float, float]:
        import math

        from factcap.synth.errors import BadInput, require

        if self.facts is None or self.choices is None:
            raise BadInput("give a fact set, or both --facts N and --choices K")
        exponent = self.exponent or 0.0
        require(1 <= self.facts <= 10**12, f"--facts must lie in [1, 1e12], not {self.facts}")
        require(
            math.isfinite(self.choices) and self.choices >= 1,
            f"--choices must be finite and at least 1, not {self.choices:g}",
        )
        require(0 <= exponent <= 4, f"--exponent must lie in [0, 4], not {exponent:g}")
        return self.facts, self.choices, exponent


def _fact_bounds(frequency, choices, budget: float) -> dict[str, dict[str, float]]:
    """The three bounds for both objectives, fact by fact."""
    import numpy as np

    from factcap.capacity import all_or_nothing_bound, even_spreading, rate_distortion_bound

    weights = {"accuracy": np.full(len(frequency), 1 / len(frequency)), "weighted": frequency}
    bounds = {
        "all_or_nothing": all_or_nothing_bound,
        "rate_distortion": rate_distortion_bound,
        "even_spreading": even_spreading,
    }
    return {
        name: {
            objective: bound(weight, choices, budget).accuracy
            for objective, weight in weights.items()
        }
        for name, bound in bounds.items()
    }


def _power_law_bounds(
    facts: int, choices: float, exponent: float, budget: float
) -> dict[str, dict[str, float]]:
    """The same for a power law, without an array of the facts."""
    from factcap.capacity import power_law_bound

    return {
        kind: {
            objective: power_law_bound(
                facts, choices, exponent, budget, kind=kind, objective=objective
            ).accuracy
            for objective in ("accuracy", "weighted")
        }
        for kind in ("all_or_nothing", "rate_distortion", "even_spreading")
    }
