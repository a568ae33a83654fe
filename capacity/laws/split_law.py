"""The law of the loss of a split training, L(N, D, D'): chosen by extrapolation, with intervals."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from jaxtyping import Float64

from factcap.capacity.arguments import require_whole
from factcap.capacity.laws.robust import fit_robust
from factcap.capacity.laws.split_design import check_design, check_effects
from factcap.capacity.laws.split_forms import FORMS, Form, Kind, Place, Scale, SplitRuns, natural

# Of each kind of parameter, as a logarithm in the middle of the runs, but for the signed power:
# where it is drawn to, how weakly, and its range.
_PRIORS: dict[Kind, tuple[float, float, float, float]] = {
    "floor": (-0.7, 2.0, -7.0, 0.0),
    "scale": (-1.2, 3.0, -14.0, 8.0),
    "power": (-1.2, 1.0, -5.0, 1.6),
    "signed_power": (0.0, 0.5, -2.0, 2.0),
    "offset": (-4.0, 4.0, -25.0, 5.0),
    "exchange": (0.0, 3.0, -20.0, 15.0),
}
_STARTS, _HELD_OUT_STARTS = 32, 20
_STEPS, _RESAMPLE_STEPS = 100, 40
# What is held out: runs above this share of the largest size or compute.
_SHARES = (0.25, 0.5, 0.9)
# How many sizes, and how many different runs of a domain, must be left: the strictest that can be.
_ENOUGH = ((3, 16), (2, 16), (2, 9))
# A form of fewer parameters is taken if its held-out error is not larger by more than this.
_AS_GOOD, _NEGLIGIBLE = 1.1, 2e-4
# Forms whose held-out error is at most so much larger are rivals: the interval covers them too.
_RIVAL, _MOST_RIVALS = 1.3, 2
# An exponent whose interval spans a larger factor is said not to be identified.
_WIDEST = 8.0


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


@dataclass(frozen=True)
class DomainLaw:
    """The law of one domain.

    Attributes:
        estimate: value of each constant of the formula.
        interval: lower and upper end for each constant, from the bootstrap.
        deviation: root mean square of log measured - log predicted.
        scale: in whose units it is computed.
        theta: the parameters as they are fitted, first those of the estimate, then those of each
            resample.
    """

    estimate: Mapping[str, float]
    interval: Mapping[str, tuple[float, float]]
    deviation: float
    scale: Scale
    theta: Float64[np.ndarray, "sets parameters"]


@dataclass(frozen=True)
class SplitLaw:
    """A fitted law of the loss against size, pretraining and specialization tokens.

    Attributes:
        form: which form was chosen.
        domains: the law of each domain.
        held_out: how the forms predict what is held out; the first says how well the law chosen
            extrapolates. Empty where the runs are too few to hold any out.
        level: share of the bootstrap that lies within an interval.
        warnings: what is not identified.
        measured: least and largest of N, of D, of D' (each without zeros) and of N (D + k D').
        zeros: whether each domain has runs without pretraining, and without specialization.
        rivals: the law in other forms, which predict what is held out about as well.
    """

    form: Form
    domains: Mapping[str, DomainLaw]
    held_out: tuple[HeldOut, ...]
    level: float
    warnings: tuple[str, ...]
    measured: Mapping[str, tuple[float, float]]
    zeros: tuple[bool, bool]
    rivals: tuple["SplitLaw", ...] = ()

    def loss(
        self,
        size: npt.ArrayLike,
        pretrained: npt.ArrayLike,
        special: npt.ArrayLike,
        *,
        resamples: bool = False,
    ) -> Float64[np.ndarray, "..."]:
        """The predicted loss, the mean over domains; infinite where the law does not reach.

        Args:
            size: N.
            pretrained: D, tokens.
            special: D', tokens of each branch.
            resamples: give that of each resample too, along a first axis, after the estimate.
        """
        shape = np.broadcast_shapes(*(np.shape(each) for each in (size, pretrained, special)))
        flat = [np.broadcast_to(each, shape).ravel() for each in (size, pretrained, special)]
        rows = [
            predict(self.form, law, *flat, resamples=resamples) for law in self.domains.values()
        ]
        mean = np.mean(rows, axis=0)
        return mean.reshape(-1, *shape) if resamples else mean[0].reshape(shape)


def predict(
    form: Form,
    law: DomainLaw,
    size: npt.NDArray,
    pretrained: npt.NDArray,
    special: npt.NDArray,
    *,
    resamples: bool = False,
) -> Float64[np.ndarray, "sets runs"]:
    """The loss of one domain by each set of parameters, or by the estimate alone."""
    theta = law.theta if resamples else law.theta[:1]
    place = Place.of(law.scale, size, pretrained, special)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        value = form.log_loss(law.scale, theta, place).value
    value = np.broadcast_to(value, (len(theta), len(place.n)))
    with np.errstate(over="ignore"):
        return np.where(value > 100, np.inf, law.scale.loss * np.exp(value))


def fit_splitting(
    runs: Mapping[str, SplitRuns],
    *,
    rng: np.random.Generator,
    forms: Iterable[str] = tuple(FORMS),
    domains: int | None = None,
    resamples: int = 200,
    level: float = 0.95,
    progress: Callable[[], object] = lambda: None,
) -> SplitLaw:
    """Fit L(N, D, D') to the runs of each domain, in the form that extrapolates best.

    Each form is fitted to the small runs and asked for the large ones: above a quarter, a half and
    nine tenths of the largest size or compute, where enough is left. The form with the least mean
    error is taken; of those about as good, one with fewer parameters. It is then fitted to all
    runs, and so are its rivals, forms that predict what is held out nearly as well. Huber's loss on the logarithms, many starts, and a weak pull to usual exponents, which
    decides only what the runs leave open. Intervals by resampling residuals.

    The forms are `factcap.capacity.laws.FORMS`: additive powers of N, D and D' (Hoffmann et al.
    2022, 2203.15556); data transferred from D that adds to D' (Hernandez et al. 2021, 2102.01293);
    products of powers of D and D' (after D-CPT, 2406.01375); and mixtures of these.

    Args:
        runs: those of each domain.
        rng: draws starts and resamples.
        forms: names of forms to try.
        domains: k, by which the compute of a run is N (D + k D'); the number of `runs` if None.
        resamples: number of them, at least 2.
        level: of the intervals, in (0, 1).
        progress: called after each fit.

    Raises:
        ValueError: for an argument out of range; too few sizes or token counts; runs from which no
            form can tell what size, pretraining and specialization do, naming the constant.
    """
    require_whole("resamples", resamples, least=2)
    if not 0 < level < 1:
        raise ValueError(f"level must lie in (0, 1), not {level}")
    if not runs:
        raise ValueError("there are no runs")
    count = len(runs) if domains is None else require_whole("domains", domains)
    warned: list[str] = []
    for name, each in runs.items():
        check_design(name, each)
        warned += check_effects(name, each)
    tried = [FORMS[name] for name in forms]
    held_out = _held_out(runs, tried, count, rng, progress)
    form, rivals = _chosen(tried, held_out)
    if not held_out:
        warned.append("too few runs to hold the largest out: how the law extrapolates is not known")

    def law(form: Form) -> SplitLaw:
        laws = {}
        for name, each in runs.items():
            laws[name] = _bootstrapped(form, each, resamples, level, rng)
            progress()
        return SplitLaw(
            form=form,
            domains=laws,
            held_out=tuple(held_out),
            level=level,
            warnings=(
                *warned,
                *(text for name in laws for text in _unidentified(name, form, laws[name])),
            ),
            measured=_measured(runs, count),
            zeros=(
                all(np.any(each.pretraining_tokens == 0) for each in runs.values()),
                all(np.any(each.specialization_tokens == 0) for each in runs.values()),
            ),
        )

    return replace(law(form), rivals=tuple(law(rival) for rival in rivals))


def compute(runs: SplitRuns, domains: int) -> Float64[np.ndarray, " runs"]:
    """N (D + k D') of each run: a sixth of the FLOP of a trunk and k branches like it."""
    return runs.parameters * (runs.pretraining_tokens + domains * runs.specialization_tokens)


def _measured(runs: Mapping[str, SplitRuns], domains: int) -> dict[str, tuple[float, float]]:
    found = {}
    for name in ("parameters", "pretraining_tokens", "specialization_tokens"):
        values = np.concatenate([getattr(each, name) for each in runs.values()])
        found[name] = (float(values[values > 0].min()), float(values.max()))
    all_compute = np.concatenate([compute(each, domains) for each in runs.values()])
    return found | {"compute": (float(all_compute.min()), float(all_compute.max()))}


def _held_out(
    runs: Mapping[str, SplitRuns],
    forms: list[Form],
    domains: int,
    rng: np.random.Generator,
    progress: Callable[[], object],
) -> list[HeldOut]:
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
                    theta = _fit(form, scale, small, rng, _HELD_OUT_STARTS)
                    law = DomainLaw({}, {}, 0.0, scale, theta[None])
                    loss = predict(form, law, *_arguments(rest))[0]
                    with np.errstate(divide="ignore"):
                        missed.append(np.minimum(np.abs(np.log(loss / rest.loss)), 10.0))
                progress()
            errors[form.name] = float(np.concatenate(missed).mean())
        found.append(HeldOut(share, held, errors))
    return found


def _arguments(runs: SplitRuns) -> tuple[npt.NDArray, npt.NDArray, npt.NDArray]:
    return runs.parameters, runs.pretraining_tokens, runs.specialization_tokens


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
    found, *tokens = (len(np.unique(each)) for each in _arguments(runs))
    different = len(np.unique(np.stack(_arguments(runs)), axis=1).T)
    return found >= sizes and min(tokens) >= 3 and different >= points


def _chosen(forms: list[Form], held_out: list[HeldOut]) -> tuple[Form, list[Form]]:
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


def _priors(form: Form, scale: Scale) -> tuple[npt.NDArray, ...]:
    chosen = [_PRIORS[form.kinds[name]] for name in form.names(scale)]
    return tuple(np.array(column) for column in zip(*chosen, strict=True))


def _fit(
    form: Form, scale: Scale, runs: SplitRuns, rng: np.random.Generator, starts: int
) -> npt.NDArray[np.float64]:
    center, width, low, high = _priors(form, scale)
    drawn = center + 0.7 * width * rng.normal(size=(starts, len(center)))
    drawn[0] = center
    theta, cost = _fit_from(form, scale, runs, np.log(runs.loss / scale.loss), drawn)
    best = np.nanargmin(cost)
    return theta[best]


def _fit_from(
    form: Form,
    scale: Scale,
    runs: SplitRuns,
    target: npt.NDArray,
    starts: npt.NDArray,
    *,
    all_count: bool = False,
) -> tuple[npt.NDArray, npt.NDArray]:
    center, width, low, high = _priors(form, scale)
    place = Place.of(scale, *_arguments(runs))
    shape = (len(starts), len(runs))

    def model(theta: npt.NDArray) -> tuple[npt.NDArray, npt.NDArray]:
        found = form.log_loss(scale, theta, place)
        return (
            np.broadcast_to(found.value, shape),
            np.broadcast_to(found.slope, (*shape, theta.shape[1])),
        )

    return fit_robust(
        model,
        target,
        starts,
        center=center,
        width=width,
        low=low,
        high=high,
        all_count=all_count,
        iterations=_RESAMPLE_STEPS if all_count else _STEPS,
    )


def _bootstrapped(
    form: Form, runs: SplitRuns, resamples: int, level: float, rng: np.random.Generator
) -> DomainLaw:
    scale = Scale.of(runs)
    theta = _fit(form, scale, runs, rng, _STARTS)
    law = DomainLaw({}, {}, 0.0, scale, theta[None])
    fitted = predict(form, law, *_arguments(runs))[0]
    residual = np.log(runs.loss / fitted)
    spread = residual * np.sqrt(len(runs) / max(len(runs) - len(theta), 1))
    drawn = spread[rng.integers(len(runs), size=(resamples, len(runs)))]
    targets = np.log(fitted / scale.loss) + drawn
    starts = np.repeat(theta[None], resamples, axis=0)
    again, _ = _fit_from(form, scale, runs, targets, starts, all_count=True)
    sets = np.concatenate([theta[None], again])
    values = natural(form, scale, sets)
    tails = (1 - level) / 2
    ends = {name: np.quantile(each[1:], [tails, 1 - tails]) for name, each in values.items()}
    return DomainLaw(
        estimate={name: float(each[0]) for name, each in values.items()},
        interval={name: (float(low), float(high)) for name, (low, high) in ends.items()},
        deviation=float(np.sqrt(np.mean(residual**2))),
        scale=scale,
        theta=sets,
    )


def _unidentified(name: str, form: Form, law: DomainLaw) -> list[str]:
    found = []
    for constant, (low, high) in law.interval.items():
        if form.kinds[constant] == "power" and high > _WIDEST * low:
            found.append(
                f"{name}: the exponent {constant} of {form.formula} is not identified: "
                f"{low:.2g} to {high:.2g}"
            )
    return found
