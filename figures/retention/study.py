"""Every predictor on every model, scored on what it has not seen."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from factcap.capacity.retention import (
    KINDS,
    CountedFacts,
    PublishedFit,
    RetentionLaw,
    Scores,
    Split,
    fit_law,
    fit_published,
    held_out,
    held_out_model,
    noise_ceiling,
    published_bins,
    r_squared,
    score,
    smaller_models,
)
from factcap.figures.retention.predictors import PREDICTORS
from factcap.synth.errors import BadInput, require


@dataclass(frozen=True)
class Trial:
    """One predictor on one model, with something held out.

    Attributes:
        model: which model was asked.
        predictor: which predictor.
        split: what it had not seen.
        predicted: its prediction of each fact.
        scores: how good it was.
        r2_memory: R^2 over the facts whose answer does not stand in the question.
    """

    model: str
    predictor: str
    split: Split
    predicted: npt.NDArray[np.float64]
    scores: Scores
    r2_memory: float


@dataclass(frozen=True)
class Extrapolation:
    """What the law says of a model of another size.

    Attributes:
        size: its parameters.
        models: those that the law was fitted to.
        accuracy: mean over the facts, in the middle of the draws.
        low: lower end of the interval.
        high: upper end.
        facts: the facts asked.
        predicted: chance of each.
    """

    size: float
    models: tuple[str, ...]
    accuracy: float
    low: float
    high: float
    facts: CountedFacts
    predicted: npt.NDArray[np.float64]


def trials(
    several: Sequence[CountedFacts],
    predictors: Sequence[str],
    splits: Sequence[Split],
    *,
    seed: int = 0,
    progress: Callable[[], object] = lambda: None,
) -> Iterator[Trial]:
    """Hold out, predict and score, one trial at a time.

    Args:
        several: the facts of each model.
        predictors: names out of `PREDICTORS`.
        splits: what is held out.
        seed: of the folds and of the intervals.
        progress: called after each trial.
    """
    for facts in several:
        for split in splits:
            if split == "models" and not smaller_models(several, facts):
                continue
            for name in predictors:
                yield _trial(several, facts, name, split, seed)
                progress()


def count_trials(
    several: Sequence[CountedFacts], predictors: Sequence[str], splits: Sequence[Split]
) -> int:
    """How many trials there will be."""
    asked = sum(split != "models" for split in splits) * len(several)
    if "models" in splits:
        asked += sum(bool(smaller_models(several, facts)) for facts in several)
    return asked * len(predictors)


def _trial(
    several: Sequence[CountedFacts], facts: CountedFacts, name: str, split: Split, seed: int
) -> Trial:
    predictor = PREDICTORS[name]
    try:
        if split == "models":
            predicted = held_out_model(several, facts, predictor)
        else:
            predicted = held_out(facts, predictor, split, seed=seed)
    except ValueError as error:
        raise BadInput(f"{facts.model}, {name}, held-out {split}: {error}") from None
    scores = score(
        facts.accuracy,
        predicted,
        bins=published_bins(facts),
        groups=facts.object,
        rng=np.random.default_rng(seed),
    )
    return Trial(facts.model, name, split, predicted, scores, r2_memory(facts, predicted))


def r2_memory(facts: CountedFacts, predicted: npt.NDArray[np.float64]) -> float:
    """R^2 over facts whose answer does not stand in the question; NaN where names are unknown."""
    if facts.names is None or facts.names.standing.all():
        return math.nan
    needs = ~facts.names.standing
    return r_squared(facts.accuracy[needs], predicted[needs])


def ceiling(facts: CountedFacts) -> float:
    """The noise ceiling of a model's accuracies."""
    return noise_ceiling(facts.accuracy, facts.answers)


def published_fits(several: Sequence[CountedFacts]) -> list[tuple[str, PublishedFit]]:
    """The published predictors on all facts of each model, as the paper reports them."""
    found = []
    for facts in several:
        for kind in KINDS:
            if kind != "smi" or facts.size > 1:
                try:
                    found.append((facts.model, fit_published(facts, kind)))
                except ValueError as error:
                    raise BadInput(f"{facts.model}: {error}") from None
    return found


def laws(several: Sequence[CountedFacts]) -> dict[str, RetentionLaw]:
    """The law of each model, and of all models of a corpus where there are several."""
    found = {facts.model: _law([facts]) for facts in several}
    for corpus in corpora(several):
        if len(corpus) > 1:
            found[" + ".join(facts.model for facts in corpus)] = _law(corpus)
    return found


def _law(facts: Sequence[CountedFacts]) -> RetentionLaw:
    try:
        return fit_law(facts)
    except ValueError as error:
        raise BadInput(f"{facts[0].model}: {error}") from None


def corpora(several: Sequence[CountedFacts]) -> list[list[CountedFacts]]:
    """The models of each corpus, told by the number of its documents."""
    different = dict.fromkeys(facts.documents for facts in several)
    return [[facts for facts in several if facts.documents == one] for one in different]


def extrapolate(
    several: Sequence[CountedFacts], size: float, *, seed: int = 0
) -> list[Extrapolation]:
    """What the law of each corpus says of a model of another size, asked the largest one's facts.

    The interval holds 95 % of the draws with size yielding less and less, as the law has it, and
    those with a power of the size that goes on for ever: which is right, no small model tells.

    Raises:
        BadInput: where a size is not known.
    """
    for facts in several:
        require(
            facts.size > 1,
            f"--size needs the size of {facts.model} in its file's name, as in pythia-1.4b",
        )
    found = []
    for corpus in corpora(several):
        law = _law(corpus)
        asked = max(corpus, key=lambda facts: facts.size).at_size(size)
        forms = (law, fit_law(corpus, size_exponent=0.0))
        ends = [
            np.quantile(form.draw_accuracy(asked, np.random.default_rng(seed)), [0.025, 0.5, 0.975])
            for form in forms
        ]
        middle = float(ends[0][1])
        low, high = float(min(end[0] for end in ends)), float(max(end[2] for end in ends))
        models = tuple(facts.model for facts in corpus)
        predicted = law.predict(asked)
        found.append(Extrapolation(size, models, middle, low, high, asked, predicted))
    return found
