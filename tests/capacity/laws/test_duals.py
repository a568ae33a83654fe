import re

import numpy as np
import pytest

from factcap.capacity.laws import FORMS
from factcap.capacity.laws.split_forms import natural
from factcap.capacity.laws.split_runs import Place, Scale
from tests.capacity.laws.simulated import grid, table


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("zeros", [False, True])
def test_derivatives_are_those_of_differences(name, zeros):
    form, where = FORMS[name], grid(2, 2, zeros)
    scale = Scale.of(table("additive", domains=1, where=where)["domain 0"])
    theta = np.random.default_rng(0).normal(-0.5, 0.4, (3, len(form.names(scale))))
    place = Place.of(scale, *where)
    found = form.log_loss(scale, theta, place)
    for number in range(theta.shape[1]):
        step = np.zeros(theta.shape[1])
        step[number] = 1e-6
        up, down = (form.log_loss(scale, theta + sign * step, place).value for sign in (1, -1))
        slope = np.broadcast_to(found.slope, (*up.shape, theta.shape[1]))[..., number]
        np.testing.assert_allclose(slope, (up - down) / 2e-6, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("name", FORMS)
def test_constants_stand_in_the_formula_as_it_is_printed(name):
    form, (n, d, s) = FORMS[name], grid(2, 2)
    scale = Scale.of(table("additive", domains=1, where=(n, d, s))["domain 0"])
    theta = np.random.default_rng(1).normal(-0.7, 0.3, (1, len(form.names(scale))))
    value = form.log_loss(scale, theta, Place.of(scale, n, d, s)).value[0]
    constants = {key: float(each[0]) for key, each in natural(form, scale, theta).items()}
    text = form.formula.replace("D'", "special").replace("^", "**")
    text = re.sub(r"(?<=[\w)]) (?=[\w(])", "*", text)  # what stands side by side is multiplied
    names = {"N": n, "D": d, "special": s} | constants
    loss = eval(text, {"__builtins__": {}}, names)
    np.testing.assert_allclose(scale.loss * np.exp(value), loss, rtol=1e-9)
