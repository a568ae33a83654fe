"""The best split of a budget by a fitted law: with an interval, and against the two ends."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from factcap.capacity.arguments import require_positive, require_whole
from factcap.capacity.laws.split_law import SplitLaw

_FLOP = 6.0  # a parameter and token, forward and backward
_SIZES = 49
# How far beyond the sizes measured a size is looked for.
_SMALLER, _LARGER = 0.5, 4.0
_RANGE_TOLERANCE = 1.001


@dataclass(frozen=True)
class BestSplit:
    """The best split of a budget.

    Attributes:
        budget_flops: $6 N (D + k D')$.
        domains: k.
        parameters: N, given or chosen.
        pretraining_tokens: D.
        specialization_tokens: D' of each branch.
        pretraining_share: $D / (D + k D')$.
        interval: lower and upper end of the share.
        predicted_loss: mean over domains.
        loss_interval: lower and upper end of it.
        no_split_loss: of one model for all, at the best size where none was given; None where no
            run without specialization was measured and the law does not reach there.
        from_nothing_loss: of k models from nothing, likewise.
        warnings: what lies at the edge of the runs, or beyond.
    """

    budget_flops: float
    domains: int
    parameters: float
    pretraining_tokens: float
    specialization_tokens: float
    pretraining_share: float
    interval: tuple[float, float]
    predicted_loss: float
    loss_interval: tuple[float, float]
    no_split_loss: float | None
    from_nothing_loss: float | None
    warnings: tuple[str, ...]


def share_grid() -> npt.NDArray[np.float64]:
    """Shares from 0 to 1, finer towards both ends."""
    fine = np.geomspace(1e-4, 0.5, 120)
    return np.unique(np.concatenate([[0.0], fine, 1 - fine, np.linspace(0.01, 0.99, 197), [1.0]]))


def split_losses(
    law: SplitLaw,
    budget_flops: float,
    domains: int,
    size: npt.ArrayLike,
    share: npt.ArrayLike,
    *,
    resamples: bool = False,
) -> npt.NDArray[np.float64]:
    """The predicted loss when a share of the tokens of a budget goes to the trunk.

    Args:
        law: fitted.
        budget_flops: $6 N (D + k D')$.
        domains: k.
        size: N.
        share: $D / (D + k D')$.
        resamples: see `SplitLaw.loss`.
    """
    tokens = budget_flops / (_FLOP * np.asarray(size, float))
    pretrained = np.asarray(share) * tokens
    special = (1 - np.asarray(share)) * tokens / domains
    return law.loss(size, pretrained, special, resamples=resamples)


def best_split(
    law: SplitLaw, budget_flops: float, *, domains: int, parameters: float | None = None
) -> BestSplit:
    """The share of the tokens, and the size where none is given, at which the law is least.

    Args:
        law: fitted.
        budget_flops: $6 N (D + k D')$, > 0.
        domains: k.
        parameters: N; None looks for it from half the smallest size measured to four times the
            largest.

    Raises:
        ValueError: for an argument out of range.
    """
    require_positive("budget_flops", budget_flops)
    count = require_whole("domains", domains)
    if parameters is not None:
        require_positive("parameters", parameters)
    least, largest = law.measured["parameters"]
    sizes = (
        np.array([float(parameters)])
        if parameters is not None
        else np.geomspace(least * _SMALLER, largest * _LARGER, _SIZES)
    )
    shares = share_grid()
    losses_NxS = split_losses(law, budget_flops, count, sizes[:, None], shares)
    place = int(np.argmin(losses_NxS.min(axis=1)))
    size = float(sizes[place])
    if parameters is None:
        size = _refined_size(law, budget_flops, count, sizes, place)
    share = _refined_share(law, budget_flops, count, size, shares)
    tried = [law, *law.rivals]
    low, high = _span(
        [
            shares[np.argmin(_losses(each, budget_flops, count, size, shares)[1:], axis=1)]
            for each in tried
        ],
        share,
        law.level,
    )
    at_best = [_losses(each, budget_flops, count, size, share)[:, 0] for each in tried]
    predicted = float(at_best[0][0])
    loss_interval = _span([each[1:] for each in at_best], predicted, law.level)
    from_nothing, no_split = (float(losses_NxS[:, end].min()) for end in (0, -1))
    tokens = budget_flops / (_FLOP * size)
    best = BestSplit(
        budget_flops=float(budget_flops),
        domains=count,
        parameters=size,
        pretraining_tokens=share * tokens,
        specialization_tokens=(1 - share) * tokens / count,
        pretraining_share=share,
        interval=(low, high),
        predicted_loss=predicted,
        loss_interval=loss_interval,
        no_split_loss=no_split if np.isfinite(no_split) else None,
        from_nothing_loss=from_nothing if np.isfinite(from_nothing) else None,
        warnings=(),
    )
    return _warned(best, law, parameters is None)


def _losses(
    law: SplitLaw, budget: float, domains: int, size: float, share: npt.ArrayLike
) -> npt.NDArray:
    """The loss by each resample, after the estimate, at each share."""
    return split_losses(law, budget, domains, size, np.atleast_1d(share), resamples=True)


def _span(several: list[npt.NDArray], value: float, level: float) -> tuple[float, float]:
    """The least interval that holds those of several samples, and a value."""
    tails = [(1 - level) / 2, (1 + level) / 2]
    ends = [np.quantile(each, tails) for each in several]
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    return min(float(low), value), max(float(high), value)


def _refined_share(
    law: SplitLaw, budget: float, domains: int, size: float, shares: npt.NDArray
) -> float:
    for _ in range(3):
        losses = split_losses(law, budget, domains, size, shares)
        best = int(np.argmin(losses))
        low, high = shares[max(best - 1, 0)], shares[min(best + 1, len(shares) - 1)]
        shares = np.unique(np.append(np.linspace(low, high, 41), shares[best]))
    return float(shares[np.argmin(split_losses(law, budget, domains, size, shares))])


def _refined_size(
    law: SplitLaw, budget: float, domains: int, sizes: npt.NDArray, best: int
) -> float:
    low, high = sizes[max(best - 1, 0)], sizes[min(best + 1, len(sizes) - 1)]
    finer = np.geomspace(low, high, 25)
    losses = split_losses(law, budget, domains, finer[:, None], share_grid())
    return float(finer[np.argmin(losses.min(axis=1))])


def _warned(best: BestSplit, law: SplitLaw, size_chosen: bool) -> BestSplit:
    found = []
    least, largest = law.measured["compute"]
    if not least / _RANGE_TOLERANCE <= best.budget_flops / _FLOP <= largest * _RANGE_TOLERANCE:
        found.append(
            f"the budget of {best.budget_flops:.3g} FLOP is outside those of the runs, "
            f"{_FLOP * least:.3g} to {_FLOP * largest:.3g}: the answer is an extrapolation"
        )
    small, large = law.measured["parameters"]
    if not small / _RANGE_TOLERANCE <= best.parameters <= large * _RANGE_TOLERANCE:
        what = "the best size" if size_chosen else "the size"
        edge = size_chosen and not (
            small * _SMALLER * 1.05 < best.parameters < large * _LARGER / 1.05
        )
        more = "; it lies at the end of the sizes looked at" if edge else ""
        found.append(
            f"{what} of {best.parameters:.4g} parameters is outside those of the runs, "
            f"{small:.4g} to {large:.4g}{more}"
        )
    for name, zero in (("pretraining_tokens", 0), ("specialization_tokens", 1)):
        value, (low, high) = getattr(best, name), law.measured[name]
        if value == 0 and law.zeros[zero]:
            continue
        if not low / _RANGE_TOLERANCE <= value <= high * _RANGE_TOLERANCE:
            found.append(
                f"the optimum is at the edge: {name} of {value:.3g} are outside those of the runs, "
                f"{low:.3g} to {high:.3g}"
            )
    if best.pretraining_share in (0.0, 1.0):
        end = "no split" if best.pretraining_share == 1 else "no pretraining"
        found.append(f"the optimum is at the edge: {end}")
    if best.interval[1] - best.interval[0] > 0.8:
        found.append("the runs do not determine the share: its interval spans nearly all of it")
    for measured, end in zip(law.zeros, ("from nothing", "without a split"), strict=True):
        if not measured:
            found.append(f"no run {end} was measured: what is said of that is an extrapolation")
    return BestSplit(**{**vars(best), "warnings": tuple(found)})
