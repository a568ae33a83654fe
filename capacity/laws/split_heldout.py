"""Which form extrapolates best: each is fitted to the small runs and asked for the large ones."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from jaxtyping import Float64

from factcap.capacity.laws.split_fit import DomainLaw, fit_form, predict, where
from factcap.capacity.laws.split_forms import Form
from factcap.capacity.laws.split_runs import Scale, SplitRuns

_STARTS = 20
# What is held out: runs above this share of the largest size or compute.
_SHARES = (0.25, 0.5, 0.9)
# How many sizes, and how many different runs of a domain, must be left: the strictest that can be.
_ENOUGH = ((3, 16), (2, 16), (2, 9))
# A form of fewer parameters is taken if its held-out error is not larger by more than this.
_AS_GOOD, _NEGLIGIBLE = 1.1, 2e-4
# Forms whose held-out error is at most so much larger are rivals: the interval covers them too.
_RIVAL, _MOST_RIVALS = 1.3, 2


@dataclass(frozen=True)
class HeldOut:
    """How well a form predicts runs that it was not fitted on.

    Attributes:
        share: held out are the runs above this share of the largest size or compute.
        runs: how many are held out, in all domains.
        error: mean of |log predicted - log measured|, by the name of the form.
    """

    share: float
    runs: int
    error: Mapping[str, float]


def compute(runs: SplitRuns, domains: int) -> Float64[np.ndarray, " runs"]:
    """N (D + k D') of each run: a sixth of the FLOP of a trunk and k branches like it."""
    return runs.parameters * (runs.pretraining_tokens + domains * runs.specialization_tokens)


def hold_out(
    runs: Mapping[str, SplitRuns],
    forms: list[Form],
    domains: int,
    rng: np.random.Generator,
    progress: Callable[[], object],
) -> list[HeldOut]:
    """Fit each form to what is left of all domains, for each share of the largest.

    Args:
        runs: those of each domain.
        forms: to try.
        domains: k.
        rng: draws starts.
        progress: called after each form.

    Returns:
        How the forms predict; nothing where too few runs are left.
    """
    found: list[HeldOut] = []
    for share in _trusted_shares(runs, domains):
        large = {name: _large(each, share, domains) for name, each in runs.items()}
        held = sum(int(each.sum()) for each in large.values())
        if any(held == one.runs for one in found):
            continue
        errors = {}
        for form in forms:
            missed = []
            for name, each in runs.items():
                small, rest = each.take(~large[name]), each.take(large[name])
                if len(rest):
                    scale = Scale.of(small)
                    theta = fit_form(form, scale, small, rng, _STARTS)
                    law = DomainLaw({}, {}, 0.0, scale, theta[None])
                    loss = predict(form, law, *where(rest))[0]
                    with np.errstate(divide="ignore"):
                        missed.append(np.minimum(np.abs(np.log(loss / rest.loss)), 10.0))
                progress()
            errors[form.name] = float(np.concatenate(missed).mean())
        found.append(HeldOut(share, held, errors))
    return found


def _large(runs: SplitRuns, share: float, domains: int) -> npt.NDArray:
    used = compute(runs, domains)
    return (runs.parameters > share * runs.parameters.max()) | (used > share * used.max())


def _trusted_shares(runs: Mapping[str, SplitRuns], domains: int) -> list[float]:
    """Which of the shares leave enough to fit: by the strictest demand that one of them meets."""
    left = {
        share: [each.take(~_large(each, share, domains)) for each in runs.values()]
        for share in _SHARES
        if all(not np.all(_large(each, share, domains)) for each in runs.values())
    }
    for sizes, points in _ENOUGH:
        met = [s for s in left if all(_has(each, sizes, points) for each in left[s])]
        if met:
            return met
    return []


def _has(runs: SplitRuns, sizes: int, points: int) -> bool:
    found, *tokens = (len(np.unique(each)) for each in where(runs))
    different = len(np.unique(np.stack(where(runs)), axis=1).T)
    return found >= sizes and min(tokens) >= 3 and different >= points


def choose_form(forms: list[Form], held_out: list[HeldOut]) -> tuple[Form, list[Form]]:
    """The form to take, and its rivals."""
    if not held_out:
        return min(forms, key=lambda form: len(form.kinds)), []
    error = {
        form.name: float(np.mean([one.error[form.name] for one in held_out])) for form in forms
    }
    least = min(error.values())
    as_good = [f for f in forms if error[f.name] <= _AS_GOOD * least + _NEGLIGIBLE]
    chosen = min(as_good, key=lambda form: (len(form.kinds), error[form.name]))
    near = [f for f in forms if f != chosen and error[f.name] <= _RIVAL * least + _NEGLIGIBLE]
    return chosen, sorted(near, key=lambda form: error[form.name])[:_MOST_RIVALS]
