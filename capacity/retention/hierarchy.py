"""Knowing or guessing, with effects of relations and of their answers: fitted by empirical Bayes.

Fact i of relation r and answer l (an object of that relation) is right with probability

    P_i = g_i + (1 - g_i) k_i
    logit k_i = x_i . c_r[known] + u_l        what is known
    logit g_i = z_i . c_r[guess] + u_l        what is guessed
    c_r ~ N(beta, Sigma)                      coefficients of a relation, drawn from a population
    u_l ~ N(0, v)                             effect of an answer
    beta ~ N(prior mean, prior deviation^2)

A fact's accuracy a_i is a share of answers, so the fit maximizes the Bernoulli likelihood of shares
(fractional logistic regression, Papke and Wooldridge 1996), sum_i [a_i ln P_i + (1 - a_i) ln(1 -
P_i)] / phi, where the dispersion phi = sum (a_i - P_i)^2 / sum P_i (1 - P_i) says how little one
fact counts. `Sigma` and `v` come from the same data by expectation maximization on the Gaussian
around the optimum (Laplace), so that effects are shrunk as much as the data ask for.
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from jaxtyping import Float64
from scipy.special import expit

from factcap.capacity.retention.posterior import Design, Posterior, Prior

# Prior of Sigma: as if so many relations more had been seen, each with this variance.
_PRIOR_RELATIONS, _PRIOR_VARIANCE = 10.0, 0.05
_FIRST_VARIANCE, _FIRST_DISPERSION = 0.3, 0.2
_LEAST_DISPERSION = 1e-4
_ROUNDS, _STEPS = 30, 30
_LARGEST_STEP, _SMALL_STEP, _SMALL_GAIN, _SMALL_CHANGE = 3.0, 0.02, 1e-3, 0.05
_SMALLEST = 1e-9
_FIXED_VARIANCE = 1e-6
_VARIANCE_RANGE = (1e-4, 9.0)


def fit_hierarchy(
    design: Design, accuracy: Float64[np.ndarray, " facts"], prior: Prior
) -> Posterior:
    """Fit the hierarchy to the accuracies, each counted as one answer of dispersion phi.

    Inside, Fisher scoring with halved steps: the answers' effects are eliminated first (each fact
    has one, so their block is diagonal), then the relations', so that a step costs as much as a
    regression. Outside, expectation maximization for Sigma, v and phi, until none changes by more
    than 5 %.

    Args:
        design: what the facts are.
        accuracy: of each, 0 to 1.
        prior: of the population's coefficients.

    Returns:
        The posterior, a Gaussian around the optimum.
    """
    order = np.lexsort((design.answer, design.relation))
    problem = _Problem(design, accuracy, order, prior)
    state = problem.first_state()
    last = None
    for _ in range(_ROUNDS):
        state, blocks = problem.climb(state)
        state = problem.shrink(state, blocks)
        scales = np.log([*np.diag(state.spread), state.answer_variance, state.dispersion])
        if last is not None and np.abs(scales - last).max() < _SMALL_CHANGE:
            break
        last = scales
    return problem.posterior(*problem.climb(state))


_Vectors: TypeAlias = tuple[npt.NDArray, npt.NDArray, npt.NDArray]


@dataclass(frozen=True)
class _State:
    """Where the climb stands."""

    beta: npt.NDArray
    c: npt.NDArray
    u: npt.NDArray
    spread: npt.NDArray
    answer_variance: float
    dispersion: float


@dataclass(frozen=True)
class _Blocks:
    """The curvature at a state: of answers, of relations given beta, and of beta."""

    answer: npt.NDArray
    answer_cross: npt.NDArray
    relation: npt.NDArray
    beta: npt.NDArray


class _Problem:
    """The data in the order of relations and answers, and the steps of the fit on them."""

    def __init__(self, design: Design, accuracy: npt.NDArray, order: npt.NDArray, prior: Prior):
        self.known, self.guess = design.known[order], design.guess[order]
        self.y, self.prior = accuracy[order], prior
        self.answers = design.answers
        relation = design.relation[order]
        keys = relation * self.answers + design.answer[order]
        self.keys, self.key_start, self.of_key = _runs(keys)
        self.relations, self.start, self.of_relation = _runs(relation)
        self.key_relation = self.of_relation[self.key_start]
        self.stop = np.append(self.start[1:], len(relation))
        self.key_bounds = np.searchsorted(self.key_relation, np.arange(len(self.relations) + 1))
        self.split = self.known.shape[1]

    def first_state(self) -> _State:
        beta, q = self.prior.mean.copy(), len(self.prior.mean)
        c = np.tile(beta, (len(self.relations), 1))
        spread = np.eye(q) * _FIRST_VARIANCE
        spread[self.prior.fixed, self.prior.fixed] = _FIXED_VARIANCE
        u = np.zeros(len(self.keys))
        return _State(beta, c, u, spread, _FIRST_VARIANCE, _FIRST_DISPERSION)

    def parts(self, c: npt.NDArray, u: npt.NDArray) -> _Vectors:
        own, effect = c[self.of_relation], u[self.of_key]
        k = expit(np.einsum("nq,nq->n", self.known, own[:, : self.split]) + effect)
        g = expit(np.einsum("nq,nq->n", self.guess, own[:, self.split :]) + effect)
        return k, g, np.clip(g + (1 - g) * k, _SMALLEST, 1 - _SMALLEST)

    def loss(self, state: _State, p: npt.NDArray, inverse: npt.NDArray) -> float:
        """Negative log posterior, without what does not depend on beta, c and u."""
        fit = -(self.y * np.log(p) + (1 - self.y) * np.log1p(-p)).sum() / state.dispersion
        off = state.c - state.beta
        shrink = np.einsum("ri,ij,rj->", off, inverse, off) + state.u @ state.u / (
            state.answer_variance
        )
        from_prior = (state.beta - self.prior.mean) / self.prior.deviation
        return float(fit + (shrink + from_prior @ from_prior) / 2)

    def climb(self, state: _State) -> tuple[_State, _Blocks]:
        """To the optimum of beta, c and u at the variances of the state."""
        inverse = np.linalg.inv(state.spread)
        parts = self.parts(state.c, state.u)
        loss = self.loss(state, parts[2], inverse)
        blocks = None
        for _ in range(_STEPS):
            step, blocks = self.step(state, inverse, *parts)
            largest = max(float(np.abs(part).max()) for part in step)
            lower = self.descend(state, loss, inverse, step, min(1.0, _LARGEST_STEP / largest))
            if lower is None:
                break
            gain = loss - lower[2]
            state, parts, loss = lower
            if gain < _SMALL_GAIN or largest < _SMALL_STEP:
                break
        assert blocks is not None
        return state, blocks

    def descend(
        self, state: _State, loss: float, inverse: npt.NDArray, step: _Vectors, scale: float
    ) -> tuple[_State, _Vectors, float] | None:
        """The step, scaled and halved until it raises the loss no more; None if none is left."""
        while scale > _SMALL_GAIN:
            beta, c, u = (part * scale for part in step)
            trial = replace(state, beta=state.beta + beta, c=state.c + c, u=state.u + u)
            parts = self.parts(trial.c, trial.u)
            trial_loss = self.loss(trial, parts[2], inverse)
            if trial_loss <= loss:
                return trial, parts, trial_loss
            scale /= 2
        return None

    def step(self, state: _State, inverse: npt.NDArray, k, g, p) -> tuple[_Vectors, _Blocks]:
        """The step of Fisher scoring, and the curvature that it rests on."""
        d_known, d_guess = (1 - g) * k * (1 - k), (1 - k) * g * (1 - g)
        J = np.hstack([self.known * d_known[:, None], self.guess * d_guess[:, None]])
        d_effect = d_known + d_guess
        weight = 1 / (p * (1 - p) * state.dispersion)
        residual = (self.y - p) * weight
        WJ = J * weight[:, None]
        sums = np.add.reduceat
        answer = sums(weight * d_effect**2, self.key_start) + 1 / state.answer_variance
        to_u = sums(residual * d_effect, self.key_start) - state.u / state.answer_variance
        cross = sums(WJ * d_effect[:, None], self.key_start, axis=0)
        to_c = sums(J * residual[:, None], self.start, axis=0)
        relation = np.empty((len(self.relations), J.shape[1], J.shape[1]))
        for r, (first, last) in enumerate(zip(self.start, self.stop, strict=True)):
            keys = slice(*self.key_bounds[r : r + 2])
            scaled = cross[keys] / answer[keys, None]
            relation[r] = J[first:last].T @ WJ[first:last] - scaled.T @ cross[keys] + inverse
            to_c[r] -= scaled.T @ to_u[keys]
        off = state.c - state.beta
        to_c -= off @ inverse
        precision = 1 / self.prior.deviation**2
        to_beta = off.sum(axis=0) @ inverse - (state.beta - self.prior.mean) * precision
        own = np.linalg.inv(relation)
        lost = np.einsum("ij,rjk,kl->il", inverse, own, inverse, optimize=True)
        covariance = np.linalg.inv(np.diag(precision) + len(own) * inverse - lost)
        gathered = np.einsum("ij,rjk,rk->i", inverse, own, to_c, optimize=True)
        d_beta = covariance @ (to_beta + gathered)
        d_c = np.einsum("rij,rj->ri", own, to_c + inverse @ d_beta)
        d_u = (to_u - np.einsum("lq,lq->l", cross, d_c[self.key_relation])) / answer
        return (d_beta, d_c, d_u), _Blocks(answer, cross, own, covariance)

    def shrink(self, state: _State, blocks: _Blocks) -> _State:
        """The variances and the dispersion that the optimum and its curvature ask for."""
        q, seen = len(state.beta), len(self.relations)
        pull = blocks.relation @ np.linalg.inv(state.spread)
        off, rest = state.c - state.beta, pull - np.eye(q)
        second = off.T @ off + blocks.relation.sum(axis=0)
        second += np.einsum("rij,jk,rlk->il", rest, blocks.beta, rest, optimize=True)
        spread = second + _PRIOR_RELATIONS * _PRIOR_VARIANCE * np.eye(q)
        spread /= seen + _PRIOR_RELATIONS
        spread[self.prior.fixed] = spread[:, self.prior.fixed] = 0.0
        spread[self.prior.fixed, self.prior.fixed] = _FIXED_VARIANCE
        along = np.einsum("rij,jk,rlk->ril", pull, blocks.beta, pull, optimize=True)
        covariance = (blocks.relation + along)[self.key_relation]
        scaled = blocks.answer_cross / blocks.answer[:, None]
        own = 1 / blocks.answer
        own += np.einsum("lq,lqp,lp->l", scaled, covariance, scaled, optimize=True)
        # How many effects the data determine, after MacKay 1992; where hardly any, plain EM.
        determined = len(own) - own.sum() / state.answer_variance
        squares = float(state.u @ state.u)
        if determined > 0.1 * len(own):
            answer_variance = squares / max(determined, 1.0)
        else:
            answer_variance = (squares + own.sum()) / len(own)
        p = self.parts(state.c, state.u)[2]
        dispersion = float(np.square(self.y - p).sum() / (p * (1 - p)).sum())
        return replace(
            state,
            spread=spread,
            answer_variance=float(np.clip(answer_variance, *_VARIANCE_RANGE)),
            dispersion=max(dispersion, _LEAST_DISPERSION),
        )

    def posterior(self, state: _State, blocks: _Blocks) -> Posterior:
        return Posterior(
            beta=state.beta,
            beta_covariance=blocks.beta,
            spread=state.spread,
            answer_variance=state.answer_variance,
            dispersion=state.dispersion,
            relations=self.relations,
            coefficients=state.c,
            own_covariance=blocks.relation,
            pull=blocks.relation @ np.linalg.inv(state.spread),
            keys=self.keys,
            effects=state.u,
            effect_precision=blocks.answer,
            effect_pull=blocks.answer_cross / blocks.answer[:, None],
            answers=self.answers,
        )


def _runs(values: npt.NDArray) -> tuple[npt.NDArray, npt.NDArray, npt.NDArray]:
    """Of sorted values: the different ones, where each begins, and the number of each entry."""
    different, start, member = np.unique(values, return_index=True, return_inverse=True)
    return different, start, member
