"""Which runs the figure needs: sizes, budgets and learning rates, tuned on other seeds."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated

import numpy as np

from factcap.figures.corpus.experiment import PRESETS as TEXT_PRESETS
from factcap.figures.corpus.experiment import Plan as TextPlan
from factcap.figures.corpus.experiment import Scheme
from factcap.figures.fields import Count, Items, NotNegative, Part, Positive, Seeds, Size, must
from factcap.figures.selection.experiment import BITS, VOCABULARY, SelfBudgeted
from factcap.figures.sizes import same_work
from factcap.models import TransformerConfig, named_size
from factcap.synth.errors import require

# What is equal in two runs: the draws, or the floating-point operations. A run of the small model
# is both.
DATA, WORK, BOTH = "equal data", "equal FLOP", "both"

Times = Annotated[float, must("at least 1", lambda x: x >= 1)]


def _text_plan() -> TextPlan:
    marked = (Scheme("worth"), Scheme("loss_h"), Scheme("loss_hf"))
    return TextPlan(schemes=(*marked, Scheme("loss_h", "documents")), seeds=(0, 1, 2))


@dataclass(frozen=True)
class Plan:
    """Each set of facts, ordinarily at each size and budget, and with selection at the smallest.

    Attributes:
        size: of the small model.
        bits_per_parameter: that it stores in these draws, measured before; it sets how many facts
            a load is.
        draws: facts drawn in a run, scoring included; in every run where data are equal.
        batch: facts a step.
        exponents: of the power law of frequency; empty: no fact sets.
        loads: entropy of the facts offered, as multiples of what the small model stores.
        times: sizes of ordinary training, about, as multiples of the small one; 1 is the first.
        schemes: with which the small model is trained; they set their budget themselves.
        rest: share of the draws that goes to what was dropped, on fact sets.
        rates: learning rates that are tried, as multiples of the default of a size.
        tuned_on: seeds on which the best rate is found; none of them is reported. With one rate
            they are not trained.
        seeds: of facts, parameters and draws.
        text: where there are data, of the small model on a corpus; its learning rate is the default
            from which those of other sizes follow.
    """

    size: Size = "8k"
    bits_per_parameter: Positive = 2.38
    draws: Count = 448_000
    batch: Count = 128
    exponents: Annotated[tuple[NotNegative, ...], Items(empty=True)] = (0.0, 1.0)
    loads: tuple[Positive, ...] = (4.0,)
    times: tuple[Times, ...] = (1.0, 2.0, 3.0, 4.0, 8.0, 16.0)
    schemes: tuple[SelfBudgeted, ...] = ("worth", "loss_h", "loss_hf")
    rest: Part = 0.0
    rates: tuple[Positive, ...] = (0.5, 1.0, 2.0)
    tuned_on: Seeds = (100,)
    seeds: Seeds = (0, 1, 2)
    text: TextPlan = field(default_factory=_text_plan)

    def __post_init__(self):
        require(self.times[0] == 1, f"the first of times must be 1, not {self.times[0]:g}")
        require(list(self.times) == sorted(self.times), "times must rise")
        both = sorted({*self.seeds, *self.text.seeds} & set(self.tuned_on))
        require(not both, f"seeds are tuned on or reported, not both: {both}")
        for scheme in self.text.schemes:
            require(scheme.share == 0, f"the scheme {scheme.label} must set its budget itself")
        require(
            self.offered(min(self.loads)) >= 1,
            f"a load of {min(self.loads):g} is less than one fact of {BITS:g} bits",
        )

    @property
    def small(self) -> TransformerConfig:
        """The small model, on fact sets."""
        return named_size(self.size, VOCABULARY)

    def offered(self, load: float) -> int:
        """Facts offered at a load."""
        return round(load * self.bits_per_parameter * self.small.parameters / BITS)


_FIVE = (0, 1, 2, 3, 4)

PRESETS = {
    "tiny": Plan(
        draws=64_000,
        loads=(2.0,),
        times=(1.0, 2.0, 4.0),
        schemes=("worth",),
        rates=(1.0,),
        seeds=(0,),
        text=replace(TEXT_PRESETS["tiny"], schemes=(Scheme("loss_h"),)),
    ),
    "laptop": Plan(),
    "five-seeds": Plan(seeds=_FIVE, tuned_on=(100, 101), text=replace(_text_plan(), seeds=_FIVE)),
    "gpu": Plan(size="0.2M", draws=12_000_000, batch=512),
}


@dataclass(frozen=True)
class Series:
    """Runs that differ in their learning rate and seed alone.

    Attributes:
        facts: what the facts are called, and so in tables: `uniform, load 4`, or `text`.
        scheme: by which they are selected, or `ORDINARY`.
        budget: `DATA` or `WORK`, or `BOTH` of the small model.
        width: of the model.
        draws: facts or documents, scoring included.
        batch: of them a step.
        load: of a fact set, else 0.
        exponent: of a fact set, else 0.
        scored: of a corpus, what the losses are of.
    """

    facts: str
    scheme: str
    budget: str
    width: int
    draws: int
    batch: int
    load: float = 0.0
    exponent: float = 0.0
    scored: str = ""


def at_sizes(
    smallest: Series, widths: Sequence[int], draw_flops: Callable[[Series], float]
) -> list[Series]:
    """A series of the small model, and those of larger ones with equal data and with equal FLOP.

    Args:
        smallest: of the small model.
        widths: of the larger ones.
        draw_flops: floating-point operations of learning from one fact or document in a series.
    """
    found = [smallest]
    for width in widths:
        same = replace(smallest, budget=DATA, width=width)
        cost = draw_flops(same) / draw_flops(smallest)
        draws, batch = same_work(smallest.draws, smallest.batch, cost)
        found += [same, replace(same, budget=WORK, draws=draws, batch=batch)]
    return found


@dataclass(frozen=True)
class Trial:
    """A run of a series.

    Attributes:
        series: to which it belongs.
        rate: learning rate, as a multiple of the default.
        seed: of everything.
    """

    series: Series
    rate: float
    seed: int


def tuning(plan: Plan, series: Iterable[Series]) -> list[Trial]:
    """The runs on which learning rates are chosen: none where there is one rate only."""
    if len(plan.rates) == 1:
        return []
    return [
        Trial(one, rate, seed) for one in series for seed in plan.tuned_on for rate in plan.rates
    ]


def best_rates(tuned: Iterable[tuple[Trial, float]]) -> Mapping[Series, float]:
    """The rate of each series that knows most, the mean over seeds.

    Of equals the one nearest to the default.

    Args:
        tuned: each run of `tuning`, with its weighted accuracy.
    """
    found: dict[Series, dict[float, list[float]]] = {}
    for trial, accuracy in tuned:
        found.setdefault(trial.series, {}).setdefault(trial.rate, []).append(accuracy)
    return {
        one: max(by_rate, key=lambda rate: (np.mean(by_rate[rate]), -abs(math.log(rate))))
        for one, by_rate in found.items()
    }


def reported(
    series: Sequence[Series], seeds: Sequence[int], best: Mapping[Series, float], rate: float
) -> list[Trial]:
    """The runs that are reported.

    Args:
        series: of one source of facts.
        seeds: of it.
        best: rates of the series that were tuned.
        rate: of those that were not.
    """
    return [Trial(one, best.get(one, rate), seed) for seed in seeds for one in series]
