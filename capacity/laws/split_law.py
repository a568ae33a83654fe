"""The law of the loss of a split training, L(N, D, D'): chosen by extrapolation, with intervals."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from jaxtyping import Float64

from factcap.capacity.arguments import require_whole
from factcap.capacity.laws.split_design import check_design, check_effects
from factcap.capacity.laws.split_fit import DomainLaw, bootstrapped, predict
from factcap.capacity.laws.split_forms import FORMS, Form
from factcap.capacity.laws.split_heldout import HeldOut, choose_form, compute, hold_out
from factcap.capacity.laws.split_runs import SplitRuns

# An exponent whose interval spans a larger factor is said not to be identified.
_WIDEST = 8.0
# Held-out runs that are missed by more are said to be.
_TRUSTED = 0.05


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
        measured: least and largest of N, of D, of D' (each without zeros) and of $N (D + k D')$.
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
    """Fit $L(N, D, D')$ to the runs of each domain, in the form that extrapolates best.

    Each form is fitted to the small runs and asked for the large ones: above a quarter, a half and
    nine tenths of the largest size or compute, where enough is left. The form with the least mean
    error is taken; of those about as good, one with fewer parameters. It is then fitted to all
    runs, and so are its rivals, forms that predict what is held out nearly as well. Huber's loss
    on the logarithms, many starts, and a weak pull to usual exponents, which decides only what the
    runs leave open. Intervals by resampling residuals. Runs that differ in their loss alone, as
    seeds do, count as one with the median loss.

    The forms are `factcap.capacity.laws.FORMS`: additive powers of N, D and D' (Hoffmann et al.
    2022, 2203.15556); data transferred from D that adds to D' (Hernandez et al. 2021, 2102.01293);
    products of powers of D and D' (after D-CPT, 2406.01375); mixtures of these; and some in which
    the scarcer of size and tokens limits the loss (Kaplan et al. 2020, 2001.08361).

    Args:
        runs: those of each domain.
        rng: draws starts and resamples.
        forms: names of forms to try.
        domains: k, by which the compute of a run is $N (D + k D')$; the number of `runs` if None.
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
    runs = {name: each.merged() for name, each in runs.items()}
    count = len(runs) if domains is None else require_whole("domains", domains)
    warned: list[str] = []
    for name, each in runs.items():
        check_design(name, each)
        warned += check_effects(name, each)
    tried = [FORMS[name] for name in forms]
    held_out = hold_out(runs, tried, count, rng, progress)
    form, rivals = choose_form(tried, held_out)
    if not held_out:
        warned.append("too few runs to hold the largest out: how the law extrapolates is not known")

    def law(form: Form) -> SplitLaw:
        laws = {}
        for name, each in runs.items():
            laws[name] = bootstrapped(form, each, resamples, level, rng)
            progress()
        return SplitLaw(
            form=form,
            domains=laws,
            held_out=tuple(held_out),
            level=level,
            warnings=(
                *warned,
                *_untrusted(form, held_out),
                *(text for name in laws for text in _unidentified(name, form, laws[name])),
            ),
            measured=_measured(runs, count),
            zeros=(
                all(np.any(each.pretraining_tokens == 0) for each in runs.values()),
                all(np.any(each.specialization_tokens == 0) for each in runs.values()),
            ),
        )

    return replace(law(form), rivals=tuple(law(rival) for rival in rivals))


def _measured(runs: Mapping[str, SplitRuns], domains: int) -> dict[str, tuple[float, float]]:
    found = {}
    for name in ("parameters", "pretraining_tokens", "specialization_tokens"):
        values = np.concatenate([getattr(each, name) for each in runs.values()])
        found[name] = (float(values[values > 0].min()), float(values.max()))
    all_compute = np.concatenate([compute(each, domains) for each in runs.values()])
    return found | {"compute": (float(all_compute.min()), float(all_compute.max()))}


def _untrusted(form: Form, held_out: list[HeldOut]) -> list[str]:
    if not held_out or held_out[0].error[form.name] <= _TRUSTED:
        return []
    return [
        "fitted without the largest runs, the law misses these by "
        f"{held_out[0].error[form.name]:.0%}: "
        "the losses do not fall as any of its forms"
    ]


def _unidentified(name: str, form: Form, law: DomainLaw) -> list[str]:
    found = []
    for constant, (low, high) in law.interval.items():
        if form.kinds[constant] == "power" and high > _WIDEST * low:
            found.append(
                f"{name}: the exponent {constant} of {form.formula} is not identified: "
                f"{low:.2g} to {high:.2g}"
            )
    return found
