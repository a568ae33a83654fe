"""The retention law: from counts, guesses and names to the chance that a model is right.

    P = e + (1 - e) [g + (1 - g) k]

* k, what is known. Its log odds rise with log2 of the documents that tell the fact, and fall with
  those that speak of the subject otherwise. This is the optimum of rate-distortion theory
  (`factcap.capacity.retention.allocation`) with log exposures in place of exposures, as acquisition
  saturates.
* g, what is guessed: from how common the answer is, in the corpus and within its relation, and
  from what the names give away.
* e, what needs neither. Where the object's name stands in the subject's, an answer that repeats
  the question is right.

`factcap.capacity.retention.hierarchy` says how relations and answers differ. Of several models of
one corpus the law is fitted to all at once, with their size in k and in g.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from jaxtyping import Float64
from scipy import stats

from factcap.capacity.retention.columns import (
    LOSS_EXPONENT,
    MODEL_DEVIATION,
    Columns,
    choose_columns,
)
from factcap.capacity.retention.facts import CountedFacts
from factcap.capacity.retention.guess import Shares
from factcap.capacity.retention.hierarchy import fit_hierarchy
from factcap.capacity.retention.posterior import (
    Design,
    Posterior,
    draw_hierarchy,
    predict_hierarchy,
)

_SMALLEST = 1e-9


@dataclass(frozen=True)
class Coefficient:
    """A coefficient of the law, for the population of relations.

    Attributes:
        estimate: of a logarithm (counts, lengths, share, size) the exponent b in odds ~ value^b; of
            an intercept log2 odds where all columns are at their mean; else log2 odds a unit.
        low: lower end of the 95 % interval.
        high: upper end.
        spread: standard deviation between relations.
    """

    estimate: float
    low: float
    high: float
    spread: float


@dataclass(frozen=True)
class RetentionLaw:
    """The law, fitted.

    Attributes:
        posterior: of the coefficients.
        columns: what they belong to.
        shares: of the answers within their relations.
        echo: e where the object's name stands in the subject's.
    """

    posterior: Posterior
    columns: Columns
    shares: Shares
    echo: float

    def predict(self, facts: CountedFacts) -> Float64[np.ndarray, " facts"]:
        """Chance of a right answer for each fact; relations, answers and model may be new."""
        design = self.columns.design(facts, self.shares)
        free = self._free(facts)
        return free + (1 - free) * predict_hierarchy(self.posterior, design, self._apart(facts))

    def interval(
        self, mean: Float64[np.ndarray, " facts"]
    ) -> tuple[Float64[np.ndarray, " facts"], Float64[np.ndarray, " facts"]]:
        """Where 95 % of facts of these chances lie: a beta distribution of the fit's dispersion.

        Args:
            mean: what `predict` gave.

        Returns:
            Lower and upper end of the accuracy.
        """
        concentration = max(1 / self.posterior.dispersion - 1, 0.1)
        inside = np.clip(mean, _SMALLEST, 1 - _SMALLEST)
        shape = inside * concentration, (1 - inside) * concentration
        low, high = (np.asarray(stats.beta.ppf(tail, *shape)) for tail in (0.025, 0.975))
        return low, high

    def draw_accuracy(
        self, facts: CountedFacts, rng: np.random.Generator, draws: int = 200
    ) -> Float64[np.ndarray, " draws"]:
        """Mean accuracy over the facts, for draws of all that the fit does not know."""
        free = self._free(facts)
        design = self.columns.design(facts, self.shares)
        return draw_hierarchy(
            self.posterior, design, rng, weights=1 - free, draws=draws, apart=self._apart(facts)
        ) + float(free.mean())

    def coefficients(self) -> dict[str, Coefficient]:
        """The population's coefficients, by part and column, as in `known.pair`."""
        deviation = np.sqrt(np.diag(self.posterior.beta_covariance))
        spread = np.sqrt(np.diag(self.posterior.spread))
        found = {}
        for number, (part, column) in enumerate(self.columns.names()):
            # Of one model the size's exponent is only what was believed before.
            told = column != "size" or len(self.columns.models) > 1
            if told and not column.startswith("model "):
                unit = self.columns.unit(column)
                middle, reach = self.posterior.beta[number], 1.96 * deviation[number]
                ends = middle, middle - reach, middle + reach, spread[number]
                found[f"{part}.{column}"] = Coefficient(*(float(end / unit) for end in ends))
        return found

    def _free(self, facts: CountedFacts) -> npt.NDArray[np.float64]:
        if facts.names is None or not self.columns.named:
            return np.zeros(len(facts))
        return np.where(facts.names.standing, self.echo, 0.0)

    def _apart(self, facts: CountedFacts) -> float:
        """Variance of the log odds of a model that training did not see."""
        return 0.0 if facts.model in self.columns.models else MODEL_DEVIATION**2


def fit_law(training: Sequence[CountedFacts], size_exponent: float = LOSS_EXPONENT) -> RetentionLaw:
    """Fit the law to facts of one model, or of several models of one corpus.

    Args:
        training: facts with accuracies, an item a model. Names are used where all have them, sizes
            where all are known.
        size_exponent: how soon size yields less (`factcap.capacity.retention.columns.size_column`).

    Raises:
        ValueError: where there is no fact to fit.
    """
    named = all(facts.names is not None for facts in training)
    kept = [_needs_memory(facts) if named else facts for facts in training]
    kept = [facts for facts in kept if len(facts)]
    if not kept:
        raise ValueError("the law needs a fact whose answer does not stand in the question")
    shares = Shares(kept)
    columns = choose_columns(kept, shares, size_exponent)
    designs = [columns.design(facts, shares) for facts in kept]
    design = Design(
        known=np.vstack([one.known for one in designs]),
        guess=np.vstack([one.guess for one in designs]),
        relation=np.concatenate([one.relation for one in designs]),
        answer=np.concatenate([one.answer for one in designs]),
        answers=designs[0].answers,
    )
    accuracy = np.concatenate([facts.accuracy for facts in kept])
    posterior = fit_hierarchy(design, accuracy, columns.prior(float(accuracy.mean())))
    law = RetentionLaw(posterior, columns, shares, echo=0.0)
    return replace(law, echo=_fit_echo(law, training)) if named else law


def law_predictor(training: Sequence[CountedFacts]) -> Callable[[CountedFacts], npt.NDArray]:
    """The law as cross-validation takes it."""
    return fit_law(training).predict


def _needs_memory(facts: CountedFacts) -> CountedFacts:
    assert facts.names is not None
    return facts.take(~facts.names.standing)


def _fit_echo(law: RetentionLaw, training: Sequence[CountedFacts]) -> float:
    """Least squares of a - P on 1 - P, P being without e; half a fact each way keeps e inside."""
    above, below = 0.5, 1.0
    for facts in training:
        assert facts.names is not None
        standing = facts.take(facts.names.standing)
        if len(standing):
            missing = 1 - law.predict(standing)
            above += float(missing @ (standing.accuracy - (1 - missing)))
            below += float(missing @ missing)
    return float(np.clip(above / below, 0.0, 1.0))
