"""Coefficients of relations and answers with their uncertainty, and what they predict."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from jaxtyping import Float64, Int64
from scipy.special import expit

# Nodes and weights that average over a standard Gaussian.
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(11)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


@dataclass(frozen=True)
class Design:
    """The facts as the fit sees them.

    Attributes:
        known: x, what knowing depends on; the first column is 1.
        guess: z, what guessing depends on; the first column is 1.
        relation: a number a fact.
        answer: a number a fact; facts of one relation and one number have the same answer.
        answers: how many numbers there may be.
    """

    known: Float64[np.ndarray, "facts known"]
    guess: Float64[np.ndarray, "facts guess"]
    relation: Int64[np.ndarray, " facts"]
    answer: Int64[np.ndarray, " facts"]
    answers: int


@dataclass(frozen=True)
class Prior:
    """What is believed of the population's coefficients, knowing first, then guessing.

    Attributes:
        mean: of each.
        deviation: standard deviation of each.
        fixed: those that are the same in all relations.
    """

    mean: Float64[np.ndarray, " coefficients"]
    deviation: Float64[np.ndarray, " coefficients"]
    fixed: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Posterior:
    """What the fit found, with its uncertainty.

    Attributes:
        beta: the population's coefficients, knowing first, then guessing; in nats of log odds.
        beta_covariance: their covariance.
        spread: Sigma, how the relations' coefficients scatter about the population's.
        answer_variance: v.
        dispersion: phi; the variance of a fact's accuracy about P is phi P (1 - P).
        relations: numbers of the relations seen, ascending.
        coefficients: c of each.
        own_covariance: covariance of each c if beta were known.
        pull: how far each c follows beta, $d c / d beta$.
        keys: numbers of the answers seen (relation and answer in one), ascending.
        effects: u of each.
        effect_precision: of each u, if its c were known.
        effect_pull: how far each u gives way where c moves, $-d u / d c$.
        answers: numbers of answers that a relation may have, for the keys.
    """

    beta: Float64[np.ndarray, " q"]
    beta_covariance: Float64[np.ndarray, "q q"]
    spread: Float64[np.ndarray, "q q"]
    answer_variance: float
    dispersion: float
    relations: Int64[np.ndarray, " relations"]
    coefficients: Float64[np.ndarray, "relations q"]
    own_covariance: Float64[np.ndarray, "relations q q"]
    pull: Float64[np.ndarray, "relations q q"]
    keys: Int64[np.ndarray, " answers"]
    effects: Float64[np.ndarray, " answers"]
    effect_precision: Float64[np.ndarray, " answers"]
    effect_pull: Float64[np.ndarray, "answers q"]
    answers: int

    @property
    def covariance(self) -> Float64[np.ndarray, "relations q q"]:
        """Covariance of each relation's coefficients, that of beta included."""
        around = np.einsum("rij,jk,rlk->ril", self.pull, self.beta_covariance, self.pull)
        return self.own_covariance + around


def predict_hierarchy(
    posterior: Posterior, design: Design, apart: float = 0.0
) -> Float64[np.ndarray, " facts"]:
    """P of each fact, averaged over what the posterior does not know.

    A relation or an answer that was not seen is drawn from its population. Knowing and guessing
    are averaged apart, each over a Gaussian log odds.

    Args:
        posterior: from `fit_hierarchy`.
        design: the facts to predict.
        apart: variance of the log odds of a model that was not seen.
    """
    seen, relation = _find(posterior.relations, design.relation)
    keys = design.relation * posterior.answers + design.answer
    seen_answer, answer = _find(posterior.keys, keys)
    center = np.where(seen[:, None], posterior.coefficients[relation], posterior.beta)
    effect = np.where(seen_answer, posterior.effects[answer], 0.0)
    own = np.where(seen_answer, 1 / posterior.effect_precision[answer], posterior.answer_variance)
    pull = np.where(seen_answer[:, None], posterior.effect_pull[answer], 0.0)
    covariance, population = posterior.covariance, posterior.beta_covariance + posterior.spread
    split = design.known.shape[1]

    def expected(columns: npt.NDArray, place: slice) -> npt.NDArray:
        x = np.zeros((len(columns), len(posterior.beta)))
        x[:, place] = columns
        mean = np.einsum("nq,nq->n", x, center) + effect
        x -= pull
        variance = np.einsum("nq,nqp,np->n", x, covariance[relation], x, optimize=True)
        unseen = np.einsum("nq,qp,np->n", x, population, x, optimize=True)
        variance = np.where(seen, variance, unseen) + own + apart
        at_nodes = mean[:, None] + np.sqrt(np.maximum(variance, 0))[:, None] * _NODES
        return expit(at_nodes) @ _WEIGHTS

    known = expected(design.known, slice(0, split))
    guessed = expected(design.guess, slice(split, None))
    return guessed + (1 - guessed) * known


def draw_hierarchy(
    posterior: Posterior,
    design: Design,
    rng: np.random.Generator,
    *,
    weights: Float64[np.ndarray, " facts"],
    draws: int,
    apart: float = 0.0,
) -> Float64[np.ndarray, " draws"]:
    """Mean over all facts of weight times P, for draws of all that the posterior does not know.

    Args:
        posterior: from `fit_hierarchy`.
        design: the facts to predict; new relations are drawn as one.
        rng: makes the draws.
        weights: of the facts.
        draws: how many.
        apart: variance of the log odds of a model that was not seen.
    """
    old, relation = _find(posterior.relations, design.relation)
    seen, answer = _find(posterior.keys, design.relation * posterior.answers + design.answer)
    split, q = design.known.shape[1], len(posterior.beta)
    factor = np.linalg.cholesky(posterior.own_covariance)
    spread = np.linalg.cholesky(posterior.spread)
    means = []
    for _ in range(draws):
        shift = rng.multivariate_normal(np.zeros(q), posterior.beta_covariance)
        noise = rng.normal(size=(len(factor), q))
        moved = np.einsum("rij,j->ri", posterior.pull, shift)
        moved += np.einsum("rij,rj->ri", factor, noise)
        population = posterior.beta + shift + spread @ rng.normal(size=q)
        c = np.where(old[:, None], (posterior.coefficients + moved)[relation], population)
        of_key = _find(posterior.relations, posterior.keys // posterior.answers)[1]
        u = posterior.effects - np.einsum("lq,lq->l", posterior.effect_pull, moved[of_key])
        u += rng.normal(size=len(u)) / np.sqrt(posterior.effect_precision)
        new = rng.normal(size=len(relation)) * np.sqrt(posterior.answer_variance)
        model = rng.normal(size=2) * np.sqrt(apart)
        effect = np.where(seen, u[answer], new)
        known = expit(np.einsum("nq,nq->n", design.known, c[:, :split]) + effect + model[0])
        guess = expit(np.einsum("nq,nq->n", design.guess, c[:, split:]) + effect + model[1])
        means.append(float(np.mean(weights * (guess + (1 - guess) * known))))
    return np.array(means)


def _find(known: npt.NDArray, wanted: npt.NDArray) -> tuple[npt.NDArray, npt.NDArray]:
    place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return known[place] == wanted, place
