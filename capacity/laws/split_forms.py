"""Candidate forms of the loss of a split training: size, pretraining and specialization tokens."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from jaxtyping import Float64

from factcap.capacity.laws.duals import Dual, parameters
from factcap.capacity.laws.split_runs import Place, Scale

Kind = Literal["floor", "scale", "power", "root", "signed_power", "offset", "exchange"]
Formula = Callable[[Mapping[str, Dual], Place], Dual]


@dataclass(frozen=True)
class Form:
    """A form of the law.

    Attributes:
        name: of it.
        formula: as text.
        kinds: of each parameter: which values make sense.
        loss: the formula, in the units of a scale.
        offsets: which parameters, for D and for D', count only where a run has no such tokens.
    """

    name: str
    formula: str
    kinds: Mapping[str, Kind]
    loss: Formula
    offsets: tuple[str, str] | None = None

    def names(self, scale: Scale) -> tuple[str, ...]:
        """The parameters that these runs call for."""
        left_out = set()
        if self.offsets is not None:
            left_out = {
                name for name, zero in zip(self.offsets, scale.zeros, strict=True) if not zero
            }
        return tuple(name for name in self.kinds if name not in left_out)

    def log_loss(
        self, scale: Scale, theta: Float64[np.ndarray, "sets parameters"], place: Place
    ) -> Dual:
        """The logarithm of the loss over the scale's, with derivatives by theta."""
        values = dict(zip(self.names(scale), parameters(theta), strict=True))
        return self.loss(values, place).log()


def _power(p: Mapping[str, Dual], scale: str, power: str, log_amount: Dual | npt.NDArray) -> Dual:
    """Scale * amount^-power; the parameters are logarithms."""
    return (p[scale] - p[power].exp() * log_amount).exp()


def _with_offset(p: Mapping[str, Dual], name: str, log_amount: npt.NDArray) -> Dual | npt.NDArray:
    """log(amount + offset), where there is an offset."""
    return p[name].logaddexp(log_amount) if name in p else log_amount


def _sized(tokens: Formula) -> Formula:
    """E + A N^-a + what the tokens add; to the power r but for E, where there is one."""

    def loss(p: Mapping[str, Dual], x: Place) -> Dual:
        above = _power(p, "A", "a", x.n) + tokens(p, x)
        return p["E"].exp() + ((p["r"].exp() * above.log()).exp() if "r" in p else above)

    return loss


def _additive(p: Mapping[str, Dual], x: Place) -> Dual:
    pretrained = _power(p, "B", "b", _with_offset(p, "d", x.d))
    return pretrained + _power(p, "S", "s", _with_offset(p, "e", x.s))


def _interacting(p: Mapping[str, Dual], x: Place) -> Dual:
    log_d, log_s = _with_offset(p, "d", x.d), _with_offset(p, "e", x.s)
    fallen = (p["S"] - p["s"].exp() * log_s - p["c"].exp() * log_d).exp()
    return _power(p, "B", "b", log_d) + fallen


def _joint(p: Mapping[str, Dual], x: Place) -> Dual:
    log_d, log_s = _with_offset(p, "d", x.d), _with_offset(p, "e", x.s)
    return (p["B"] - p["b"].exp() * log_d - p["s"].exp() * log_s).exp()


def _product(p: Mapping[str, Dual], x: Place) -> Dual:
    log_d, log_s = _with_offset(p, "d", x.d), _with_offset(p, "e", x.s)
    log_size = p["a"].exp() * x.n
    fallen = p["B"] - p["b"].exp() * log_d - p["s"].exp() * log_s - log_size
    return p["E"].exp() + fallen.exp()


def _transferred(p: Mapping[str, Dual], x: Place) -> Dual:
    transferred = p["m"] + p["g"].exp() * _finite(x.d)
    return _power(p, "B", "b", transferred.logaddexp(_finite(x.s)))


def _transferred_by_size(p: Mapping[str, Dual], x: Place) -> Dual:
    transferred = p["m"] + p["g"].exp() * _finite(x.d) + p["h"] * x.n
    return _power(p, "B", "b", transferred.logaddexp(_finite(x.s)))


def _boosted(p: Mapping[str, Dual], x: Place) -> Dual:
    boosted = p["m"] + p["g"].exp() * _finite(x.s)
    return _power(p, "B", "b", boosted.logaddexp(_finite(x.d)))


def _two_floors(p: Mapping[str, Dual], x: Place) -> Dual:
    transferred = p["m"] + p["g"].exp() * _finite(x.d)
    pretrained = _power(p, "B", "b", _with_offset(p, "d", x.d))
    return pretrained + _power(p, "S", "s", transferred.logaddexp(_finite(x.s)))


def _finite(log_amount: npt.NDArray) -> npt.NDArray:
    """No tokens as so few that they add nothing; -inf times a derivative would be no number."""
    return np.maximum(log_amount, -200.0)


_SIZE: dict[str, Kind] = {"E": "floor", "A": "scale", "a": "power"}
_ROOT: dict[str, Kind] = {"r": "root"}
_DATA: dict[str, Kind] = {"B": "scale", "b": "power"}
_SPECIAL: dict[str, Kind] = {"S": "scale", "s": "power"}
_OFFSETS: dict[str, Kind] = {"d": "offset", "e": "offset"}
_MOVED: dict[str, Kind] = {"m": "exchange", "g": "power"}
_BOTH = ("d", "e")

# The forms that the law of the loss may have, by name.
FORMS = {
    form.name: form
    for form in (
        Form(
            "additive",
            "E + A N^-a + B (D+d)^-b + S (D'+e)^-s",
            {**_SIZE, **_DATA, **_SPECIAL, **_OFFSETS},
            _sized(_additive),
            _BOTH,
        ),
        Form(
            "transferred",
            "E + A N^-a + B (D' + m D^g)^-b",
            {**_SIZE, **_DATA, **_MOVED},
            _sized(_transferred),
        ),
        Form(
            "boosted",
            "E + A N^-a + B (D + m D'^g)^-b",
            {**_SIZE, **_DATA, **_MOVED},
            _sized(_boosted),
        ),
        Form(
            "joint",
            "E + A N^-a + B (D+d)^-b (D'+e)^-s",
            {**_SIZE, **_DATA, "s": "power", **_OFFSETS},
            _sized(_joint),
            _BOTH,
        ),
        Form(
            "product",
            "E + B N^-a (D+d)^-b (D'+e)^-s",
            {"E": "floor", "a": "power", **_DATA, "s": "power", **_OFFSETS},
            _product,
            _BOTH,
        ),
        Form(
            "transferred_by_size",
            "E + A N^-a + B (D' + m D^g N^h)^-b",
            {**_SIZE, **_DATA, **_MOVED, "h": "signed_power"},
            _sized(_transferred_by_size),
        ),
        Form(
            "interacting",
            "E + A N^-a + B (D+d)^-b + S (D'+e)^-s (D+d)^-c",
            {**_SIZE, **_DATA, **_SPECIAL, "c": "power", **_OFFSETS},
            _sized(_interacting),
            _BOTH,
        ),
        Form(
            "pretrained_and_transferred",
            "E + A N^-a + B (D+d)^-b + S (D' + m D^g)^-s",
            {**_SIZE, **_DATA, **_SPECIAL, **_MOVED, "d": "offset"},
            _sized(_two_floors),
            ("d", ""),
        ),
        Form(
            "kaplan_transferred",
            "E + (A N^-a + B (D' + m D^g)^-b)^r",
            {**_SIZE, **_DATA, **_MOVED, **_ROOT},
            _sized(_transferred),
        ),
        Form(
            "kaplan_joint",
            "E + (A N^-a + B (D+d)^-b (D'+e)^-s)^r",
            {**_SIZE, **_DATA, "s": "power", **_OFFSETS, **_ROOT},
            _sized(_joint),
            _BOTH,
        ),
        Form(
            "kaplan_pretrained_and_transferred",
            "E + (A N^-a + B (D+d)^-b + S (D' + m D^g)^-s)^r",
            {**_SIZE, **_DATA, **_SPECIAL, **_MOVED, "d": "offset", **_ROOT},
            _sized(_two_floors),
            ("d", ""),
        ),
    )
}


def natural(
    form: Form, scale: Scale, theta: Float64[np.ndarray, "sets parameters"]
) -> dict[str, Float64[np.ndarray, " sets"]]:
    """The constants of the formula with N, D and D' as numbers and the loss in its own unit."""
    names = form.names(scale)
    p = {name: theta[:, number] for number, name in enumerate(names)}
    log_n, log_d, log_s = (
        math.log(each) for each in (scale.parameters, scale.pretraining, scale.specialization)
    )
    found = {
        name: np.exp(value) if form.kinds[name] != "signed_power" else value
        for name, value in p.items()
    }

    def power(name: str) -> npt.NDArray:
        return found.get(name, np.zeros(len(theta)))

    log_scale = dict.fromkeys(names, np.zeros(len(theta)))
    root = found.get("r", np.ones(len(theta)))
    for name in ("E", "A", "B", "S"):
        log_scale[name] = math.log(scale.loss) / (root if name != "E" else np.ones(len(theta)))
    log_scale["A"] = log_scale["A"] + power("a") * log_n
    match form.name:
        case "transferred" | "transferred_by_size" | "kaplan_transferred":
            log_scale["B"] = log_scale["B"] + power("b") * log_s
            log_scale["m"] = log_s - power("g") * log_d - power("h") * log_n
        case "boosted":
            log_scale["B"] = log_scale["B"] + power("b") * log_d
            log_scale["m"] = log_d - power("g") * log_s
        case "joint" | "kaplan_joint":
            log_scale["B"] = log_scale["B"] + power("b") * log_d + power("s") * log_s
        case "product":
            log_scale["B"] = log_scale["B"] + power("b") * log_d + power("s") * log_s
            log_scale["B"] = log_scale["B"] + power("a") * log_n
        case _:
            log_scale["B"] = log_scale["B"] + power("b") * log_d
            log_scale["S"] = log_scale["S"] + power("s") * log_s + power("c") * log_d
            if "m" in names:
                log_scale["m"] = log_s - power("g") * log_d
    log_scale["d"], log_scale["e"] = np.full(len(theta), log_d), np.full(len(theta), log_s)
    return {name: found[name] * np.exp(log_scale[name]) for name in names if name != "h"} | {
        name: found[name] for name in names if name == "h"
    }
