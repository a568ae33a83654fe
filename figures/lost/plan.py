"""Which runs are compared: ordinary ones with selected ones, on fact sets and on a corpus."""

from dataclasses import dataclass, field, replace
from typing import Annotated

from factcap.figures.corpus.experiment import PRESETS as TEXT_PRESETS
from factcap.figures.corpus.experiment import Plan as TextPlan
from factcap.figures.corpus.experiment import Scheme
from factcap.figures.equivalent.plan import Plan as SizesPlan
from factcap.figures.fields import Count, Items, NotNegative, Part, Positive, Seeds, Size
from factcap.figures.selection.experiment import SelfBudgeted


def _text_plan() -> TextPlan:
    marked, whole = (
        tuple(Scheme(name, scored) for name in ("loss_h", "worth"))
        for scored in ("spans", "documents")
    )
    return TextPlan(schemes=(*marked, *whole), seeds=(0, 1, 2))


@dataclass(frozen=True)
class Plan:
    """The runs.

    Attributes:
        size: of the models on fact sets.
        bits_per_parameter: that they store in these draws, measured before; it sets how many facts
            the load is.
        draws: facts drawn in a run, scoring included.
        batch: facts a step.
        exponents: of the power law of frequency; empty: no fact sets.
        load: entropy of the facts offered, as a multiple of what a model stores.
        schemes: on fact sets, besides ordinary training.
        seeds: of facts, parameters and draws.
        rest: share of the draws that goes to what was dropped, on fact sets.
        others: facts at the most that are never told, of which other text is made.
        text: of the corpus, where there are data.
    """

    size: Size = "8k"
    bits_per_parameter: Positive = 2.38
    draws: Count = 448_000
    batch: Count = 128
    exponents: Annotated[tuple[NotNegative, ...], Items(empty=True)] = (0.0, 1.0)
    load: Positive = 4.0
    schemes: tuple[SelfBudgeted, ...] = ("loss_h", "worth")
    seeds: Seeds = (0, 1, 2)
    rest: Part = 0.0
    others: Count = 500
    text: TextPlan = field(default_factory=_text_plan)

    def __post_init__(self):
        _ = self.sizes

    @property
    def sizes(self) -> SizesPlan:
        """The runs on fact sets, as the figure `equivalent_size` has them."""
        return SizesPlan(
            size=self.size,
            bits_per_parameter=self.bits_per_parameter,
            draws=self.draws,
            batch=self.batch,
            exponents=self.exponents,
            loads=(self.load,),
            times=(1.0,),
            schemes=self.schemes,
            rates=(1.0,),
            tuned_on=(),
            seeds=self.seeds,
            rest=self.rest,
        )


_FIVE = (0, 1, 2, 3, 4)

PRESETS = {
    "tiny": Plan(
        draws=25_600,
        exponents=(0.0,),
        load=1.0,
        schemes=("worth",),
        seeds=(0,),
        others=40,
        text=replace(TEXT_PRESETS["tiny"], schemes=(Scheme("loss_h"),)),
    ),
    "laptop": Plan(),
    "five-seeds": Plan(seeds=_FIVE, text=replace(_text_plan(), seeds=_FIVE)),
}
