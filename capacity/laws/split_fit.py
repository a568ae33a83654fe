"""One domain's law in one form: fitted from many starts, with intervals from the bootstrap."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from jaxtyping import Float64

from factcap.capacity.laws.robust import fit_robust
from factcap.capacity.laws.split_forms import Form, Kind, natural
from factcap.capacity.laws.split_runs import Place, Scale, SplitRuns

# Of each kind of parameter, as a logarithm in the middle of the runs, but for the signed power:
# where it is drawn to, how weakly, and its range.
_PRIORS: dict[Kind, tuple[float, float, float, float]] = {
    "floor": (-0.7, 2.0, -7.0, 0.0),
    "scale": (-1.2, 3.0, -14.0, 8.0),
    "power": (-1.2, 1.0, -5.0, 1.6),
    "root": (-1.0, 1.0, -3.0, 0.0),
    "signed_power": (0.0, 0.5, -2.0, 2.0),
    "offset": (-4.0, 4.0, -25.0, 5.0),
    "exchange": (0.0, 3.0, -20.0, 15.0),
}
STARTS = 32
_STEPS, _RESAMPLE_STEPS = 100, 40


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


def where(runs: SplitRuns) -> tuple[npt.NDArray, npt.NDArray, npt.NDArray]:
    """N, D and D' of the runs."""
    return runs.parameters, runs.pretraining_tokens, runs.specialization_tokens


def _priors(form: Form, scale: Scale) -> tuple[npt.NDArray, ...]:
    chosen = [_PRIORS[form.kinds[name]] for name in form.names(scale)]
    return tuple(np.array(column) for column in zip(*chosen, strict=True))


def fit_form(
    form: Form, scale: Scale, runs: SplitRuns, rng: np.random.Generator, starts: int
) -> npt.NDArray[np.float64]:
    """The parameters that fit some runs best."""
    center, width, *_ = _priors(form, scale)
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
    place = Place.of(scale, *where(runs))
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


def bootstrapped(
    form: Form, runs: SplitRuns, resamples: int, level: float, rng: np.random.Generator
) -> DomainLaw:
    """The law of one domain, fitted again to as many resamples of its residuals."""
    scale = Scale.of(runs)
    theta = fit_form(form, scale, runs, rng, STARTS)
    law = DomainLaw({}, {}, 0.0, scale, theta[None])
    fitted = predict(form, law, *where(runs))[0]
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
