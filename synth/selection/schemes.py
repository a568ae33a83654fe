"""The schemes: pure functions from what is known of the facts to new sampling weights.

All but `deduplicate` keep facts whole within the budget, in an order of their own (see `pack`), and
leave the weights as they are where all facts fit. Ties go to the fact that stands first. A fact of
weight 0 stays dropped; what may come back is offered with its frequency. The weights that they give
have the scale of those they were given, or 1 for each fact where they make it equal; only their
ratios matter.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from jaxtyping import Float64, Shaped

from factcap.synth.errors import require
from factcap.synth.selection.evidence import Evidence
from factcap.synth.selection.frequencies import LEAST_LOSS, exposures_from_losses
from factcap.synth.selection.packing import pack

Weights = Float64[np.ndarray, " facts"]

# A fact of less loss, in bits, is known: its value has more than half of the probability.
_KNOWN = 1.0


def random(evidence: Evidence) -> Weights:
    """Random subsampling: a random order; the baseline (Gu et al. 2025, 2505.18091).

    One seed gives one order, so that what stays is a subset of what stayed before.
    """
    order = np.random.default_rng(evidence.seed).permutation(len(evidence.losses))
    return _kept(evidence, np.argsort(order))


def random_flat(evidence: Evidence) -> Weights:
    """Random subsampling, what is kept equally often: flattened, as the schemes below are."""
    return _flattened(random(evidence), evidence)


def frequency(evidence: Evidence) -> Weights:
    """The most frequent facts, equally often: what an oracle on frequency would keep."""
    assert evidence.frequency is not None
    return _flattened(_kept(evidence, -evidence.frequency), evidence)


def loss_h(evidence: Evidence) -> Weights:
    """LossH, in our reading: drops the facts of highest loss until the others fit.

    The others keep their weights. Ye, Feldman and Talwar 2026 (2604.08519) describe LossH; the text
    of their algorithm was not available.
    """
    return _kept(evidence, evidence.losses)


def loss_hf(evidence: Evidence) -> Weights:
    """LossHF, in our reading: LossH, then what is left is seen equally often.

    Where the frequency is known, all kept facts get one weight; which are kept does not depend on
    it. Where it is not, as of documents whose repetitions nobody counted, low losses tell what is
    seen too often: with n the exposures that the loss suggests (`exposures_from_losses`), a fact's
    weight is thinned by least n / n, least n being that of the kept fact of highest loss, or a
    tenth of their mean where that is more. The text of the algorithm of Ye, Feldman and Talwar 2026
    (2604.08519) was not available.
    """
    kept = _kept(evidence, evidence.losses)
    held = kept > 0
    if evidence.all_fit or not held.any():
        return kept
    if evidence.frequency is not None:
        return _flattened(kept, evidence)
    seen = exposures_from_losses(evidence.losses, evidence.entropies)
    least = max(seen[held].min(), 0.1 * seen[held].mean(), np.finfo(float).tiny)
    return kept * least / np.maximum(seen, least)


def influence(evidence: Evidence) -> Weights:
    """The facts of highest first-order influence (TracIn-like, Pruthi et al. 2020, 2002.08484).

    After those that are known: a fact of next to no loss has next to no gradient, and so no
    influence, whatever it is worth.
    """
    assert evidence.scores is not None
    return _kept(evidence, evidence.losses > _KNOWN, -evidence.scores)


def deduplicate(evidence: Evidence) -> Weights:
    """Every fact equally often; drops none, whatever the budget."""
    return evidence.present.astype(float)


def worth(evidence: Evidence) -> Weights:
    """Ours: the facts that are worth most for a bit still to be stored, equally often.

    Knowing fact i gains p_i (1 - 2^-H_i) over a guess, and its loss l_i tells the bits that are
    still to be stored; the order is by their ratio. Early in a training l_i is near H_i, and the
    order is that of the all-or-nothing bound; late it prefers what is nearly known. Where all facts
    occur equally often it is the order of LossH. p_i is the frequency if it is known (of counts,
    what `shrunk_counts` makes of them), else it is taken from the loss (`exposures_from_losses`).
    """
    seen = evidence.frequency
    if seen is None:
        seen = exposures_from_losses(evidence.losses, evidence.entropies)
    gain = seen * -np.expm1(-evidence.entropies * np.log(2))  # p (1 - 2^-H)
    cost = np.maximum(evidence.losses, LEAST_LOSS)
    # A fact without entropy is free.
    price = np.where(evidence.entropies > 0, gain / cost, np.inf)
    return _flattened(_kept(evidence, -price, evidence.losses), evidence)


@dataclass(frozen=True)
class Scheme:
    """A scheme and what it reads besides losses, weights, entropies and budget.

    Attributes:
        choose: the function.
        needs: `frequency` or `scores`, or nothing.
        reads_losses: whether losses matter to it; where not, no scoring pass is needed.
        keeps_budget: whether what it keeps fits the budget.
        sets_budget: whether the budget may follow from the bits stored so far. They tell nothing to
            a scheme that may drop the very facts that stored them.
        starts_equal: whether a training that uses it draws all facts equally often before the first
            selection; not those that read frequency from losses.
    """

    choose: Callable[[Evidence], Weights]
    needs: str | None = None
    reads_losses: bool = True
    keeps_budget: bool = True
    sets_budget: bool = True
    starts_equal: bool = False


# The schemes by name.
SCHEMES: Mapping[str, Scheme] = MappingProxyType(
    {
        "random": Scheme(random, reads_losses=False, sets_budget=False),
        "random_flat": Scheme(
            random_flat, reads_losses=False, sets_budget=False, starts_equal=True
        ),
        "frequency": Scheme(frequency, needs="frequency", reads_losses=False, starts_equal=True),
        "loss_h": Scheme(loss_h),
        "loss_hf": Scheme(loss_hf),
        "influence": Scheme(influence, needs="scores", sets_budget=False),
        "deduplicate": Scheme(
            deduplicate, reads_losses=False, keeps_budget=False, starts_equal=True
        ),
        "worth": Scheme(worth, starts_equal=True),
    }
)


def check_scheme(name: str) -> None:
    """Raise `BadInput`, with the names that there are, unless this is one of them."""
    require(name in SCHEMES, f"no scheme is called {name!r}; there are {', '.join(SCHEMES)}")


def select(name: str, evidence: Evidence) -> Weights:
    """New sampling weights by the scheme of this name; 0 for a fact that is dropped.

    Raises:
        BadInput: for an unknown name, for a scheme that needs what is not known, or where the
            budget is too small for the first fact.

    >>> losses, flat = np.array([1.0, 5.0, 3.0]), np.ones(3)
    >>> select("loss_h", Evidence(losses, flat, 8 * flat, budget_bits=16.0)).tolist()
    [1.0, 0.0, 1.0]
    """
    check_scheme(name)
    needs = SCHEMES[name].needs
    require(
        needs is None or getattr(evidence, needs) is not None,
        f"the scheme {name} needs the {needs} of each fact, which is not known here",
    )
    weights = SCHEMES[name].choose(evidence)
    require(
        bool(weights.any()),
        f"a budget of {evidence.budget_bits:g} bits is too small for the first fact that {name} "
        "would keep; give more",
    )
    return weights


def _kept(evidence: Evidence, *keys: Shaped[np.ndarray, " facts"]) -> Weights:
    """The weights, 0 where a fact does not fit; the lowest first key first, then the second."""
    if evidence.all_fit:
        return evidence.weights.copy()
    order = np.lexsort(keys[::-1])
    order = order[evidence.present[order]]
    kept = pack(order, evidence.entropies, evidence.budget_bits)
    return np.where(kept, evidence.weights, 0.0)


def _flattened(weights: Weights, evidence: Evidence) -> Weights:
    """One weight for all kept facts, unless there was nothing to drop."""
    return weights if evidence.all_fit else (weights > 0).astype(float)
