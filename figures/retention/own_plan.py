"""Runs of our own whose facts are predicted: which there are, and which the law is fitted to."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from factcap.figures import capacity_experiment
from factcap.figures.corpus import experiment as corpus_experiment
from factcap.figures.fields import Count, Items, Positive, Seed, Several, Size, one_of
from factcap.figures.selection.experiment import BITS, ORDINARY, VOCABULARY
from factcap.models import named_size
from factcap.synth.selection import SCHEMES

FITTED, ASKED = "fitted", "asked"
POWER_LAW, CITIES, CORPUS = "power law", "cities", "corpus"
# Presets of the capacity curve whose facts are cities.
_CURVES = ("tiny", "laptop")

# A selection must find its budget by itself.
_SELECTIONS = tuple(name for name, scheme in SCHEMES.items() if scheme.sets_budget)
_Schemes = tuple[Annotated[str, one_of((ORDINARY, *_SELECTIONS))], ...]
_Loads = Annotated[tuple[Positive, ...], Items(empty=True)]
_Corpora = Annotated[tuple[Seed, ...], Items(empty=True)]


@dataclass(frozen=True)
class Plan:
    """Which runs the law is fitted to, and which it is asked of.

    Attributes:
        size: of the models, but that of the corpus.
        bits_per_parameter: that a model stores of facts by a power law in these draws, measured
            before; it says how many facts are offered at a load.
        draws: facts drawn in a run on facts by a power law, scoring included.
        batch: facts a step.
        schemes: ordinary training, and selections; each has constants of its own.
        fitted_exponents: of the power law of frequency, in the runs that the law is fitted to.
        fitted_loads: entropy of their facts, as multiples of what the model stores.
        exponents: of the runs that are predicted; other ones.
        loads: of the runs that are predicted; other ones.
        curve: the preset of `capacity_curve` whose runs on cities by population are predicted.
        fitted_city_loads: of the runs on cities that the law is fitted to.
        city_loads: of the runs on cities that are predicted; other ones.
        corpus: the preset of `corpus_selection` whose runs are predicted.
        fitted_corpora: seeds of the corpora of the runs that the law is fitted to.
        corpora: seeds of the corpora of the runs that are predicted; other ones.
        repeats: runs of the same facts, with other first parameters and draws; the accuracy on a
            fact is the share of them that recall it.
    """

    size: Size = "8k"
    bits_per_parameter: Positive = 2.38
    draws: Count = 448_000
    batch: Count = 128
    schemes: _Schemes = (ORDINARY, "worth")
    fitted_exponents: tuple[Positive, ...] = (0.8, 1.3)
    fitted_loads: tuple[Positive, ...] = (1.0, 2.0, 4.0)
    exponents: tuple[Positive, ...] = (0.9, 1.1)
    loads: tuple[Positive, ...] = (1.5, 3.0)
    curve: Annotated[str, one_of(_CURVES)] = "laptop"
    fitted_city_loads: _Loads = (1.0, 2.5, 6.0)
    city_loads: _Loads = (1.5, 4.0)
    corpus: Annotated[str, one_of(corpus_experiment.PRESETS)] = "laptop"
    fitted_corpora: _Corpora = (0, 1)
    corpora: _Corpora = (2,)
    repeats: Several = 4

    @property
    def parameters(self) -> int:
        """Of the models, but that of the corpus."""
        return named_size(self.size, VOCABULARY).parameters

    @property
    def curve_preset(self) -> capacity_experiment.Preset:
        """Of the capacity curve."""
        return capacity_experiment.PRESETS[self.curve]

    @property
    def corpus_plan(self) -> corpus_experiment.Plan:
        """Of the corpus and its runs."""
        return corpus_experiment.PRESETS[self.corpus]

    def offered(self, source: str, load: float) -> int:
        """Facts offered at a load; they have equally many bits in both sources."""
        stored = self.bits_per_parameter if source == POWER_LAW else self.curve_preset.expected
        return max(round(load * stored * self.parameters / BITS), 1)


PRESETS = {
    "tiny": Plan(
        draws=64_000,
        fitted_loads=(2.0,),
        exponents=(1.0,),
        loads=(1.5,),
        curve="tiny",
        fitted_city_loads=(1.0,),
        city_loads=(1.5,),
        corpus="tiny",
        fitted_corpora=(0,),
        corpora=(1,),
        repeats=2,
    ),
    "laptop": Plan(),
    "gpu": Plan(size="0.2M", draws=12_000_000, batch=512, city_loads=(), corpora=(), repeats=8),
}


@dataclass(frozen=True)
class Condition:
    """Facts and a way to train on them.

    Attributes:
        role: `FITTED` or `ASKED`.
        source: `POWER_LAW`, `CITIES` or `CORPUS`.
        scheme: `ORDINARY`, or by which facts are selected.
        exponent: of the power law; None where the frequency comes with the facts.
        load: of the facts offered; None for a corpus, which is made as it is.
        facts_seed: of the facts; what is fitted has others than what is asked.
        seeds: of the runs.
    """

    role: str
    source: str
    scheme: str
    exponent: float | None
    load: float | None
    facts_seed: int
    seeds: tuple[int, ...]


def conditions(plan: Plan) -> list[Condition]:
    """What is trained on: of each source and scheme the conditions of the fit, then those asked.

    The conditions of the fit have one run each. A source of which nothing is asked is left out.
    """
    return [one for scheme in plan.schemes for one in _of_scheme(plan, scheme)]


def _of_scheme(plan: Plan, scheme: str) -> Iterator[Condition]:
    repeated = tuple(range(1, plan.repeats + 1))
    roles = ((FITTED, (0,)), (ASKED, repeated))
    by_power_law = {
        FITTED: [(s, load) for s in plan.fitted_exponents for load in plan.fitted_loads],
        ASKED: [(s, load) for s in plan.exponents for load in plan.loads],
    }
    number = 0
    for role, seeds in roles:
        for exponent, load in by_power_law[role]:
            yield Condition(role, POWER_LAW, scheme, exponent, load, number, seeds)
            number += 1
    by_population = {FITTED: plan.fitted_city_loads, ASKED: plan.city_loads}
    for role, seeds in roles if plan.city_loads else ():
        for number, load in enumerate(by_population[role]):
            # The first of those asked, 1, is a set of the curve, and so is its first run.
            facts_seed = 1 if role == ASKED else 2 + number
            yield Condition(role, CITIES, scheme, None, load, facts_seed, seeds)
    told = {FITTED: plan.fitted_corpora, ASKED: plan.corpora}
    for role, seeds in roles if plan.corpora else ():
        for corpus_seed in told[role]:
            yield Condition(role, CORPUS, scheme, None, None, corpus_seed, seeds)
