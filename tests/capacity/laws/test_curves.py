import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from factcap.capacity import (
    EdgeWarning,
    fit_exposures,
    fit_membership,
    fit_parameters,
    membership_f1,
)

# Morris et al. 2025 (2505.24832), table of the validation of their membership law: parameters,
# training samples, predicted F1.
VALIDATION = [
    (1_556_075_200, 170_654_583, 0.55),
    (1_556_075_200, 76_795_021, 0.75),
    (1_556_075_200, 18_851_574, 0.95),
    (123_702_528, 13_566_442, 0.55),
    (123_702_528, 6_104_935, 0.75),
    (123_702_528, 1_498_634, 0.95),
]


FAR = np.linspace(0.1, 0.3, 8)  # ratios beyond the fall


@pytest.mark.parametrize(("parameters", "samples", "predicted"), VALIDATION)
def test_membership_law_gives_the_published_rows(parameters, samples, predicted):
    assert float(membership_f1(samples, parameters)) == pytest.approx(predicted, abs=0.003)


def test_the_form_often_quoted_does_not():
    # capacity / |D| in the sigmoid, with 3.6 bits a parameter: constant over the table
    for parameters, samples, predicted in VALIDATION:
        quoted = 0.5 * (1 + 1.34 * special.expit(-33.14 * (3.6 * parameters / samples - 0.034)))
        assert abs(quoted - predicted) > 0.04


@given(st.floats(1, 1e12), st.floats(1, 1e12))
def test_membership_falls_with_samples(samples, parameters):
    found = float(membership_f1(samples, parameters))
    assert 0.5 <= found <= 1
    assert float(membership_f1(2 * samples, parameters)) <= found
    # only the ratio counts
    assert float(membership_f1(2 * samples, 2 * parameters)) == pytest.approx(found)


@given(st.floats(0.01, 100), st.floats(0.002, 0.05))
@settings(deadline=None, max_examples=30)
def test_exposures_without_noise_give_the_constants(saturated, rate):
    exposures = np.array([10, 25, 50, 100, 200, 500, 1000.0])
    capacity = saturated * (1 - np.exp(-rate * exposures))
    fit = fit_exposures(exposures, capacity, rng=np.random.default_rng(0), resamples=20)
    assert fit.estimate["saturated"] == pytest.approx(saturated, rel=1e-4)
    assert fit.estimate["rate"] == pytest.approx(rate, rel=1e-4)
    np.testing.assert_allclose(fit.predict(exposures), capacity, rtol=1e-4)
    assert fit.edge == ()


@pytest.mark.parametrize("power", [0.8, 1.0, 1.3])
def test_parameters_without_noise_give_the_constants(power):
    sizes = np.array([1e4, 3e4, 1e5, 1e6])
    middle = np.exp(np.log(sizes).mean())
    bits = 2.1 * middle * (sizes / middle) ** power
    fit = fit_parameters(sizes, bits, rng=np.random.default_rng(0), resamples=20)
    assert fit.estimate == pytest.approx({"power": power, "bits_per_parameter": 2.1})
    np.testing.assert_allclose(fit.predict(sizes), bits, rtol=1e-9)


def test_membership_fit_finds_the_published_constants():
    ratio = np.geomspace(0.003, 0.3, 12)
    f1 = membership_f1(ratio * 1e8, 1e8)
    fit = fit_membership(ratio * 1e8, 1e8, f1, rng=np.random.default_rng(0), resamples=10)
    wanted = {"height": 1.34, "slope": 33.14, "middle": 0.034}
    assert fit.estimate == pytest.approx(wanted, rel=1e-3)


def test_intervals_cover_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(0)
    exposures = np.repeat([20, 50, 100, 200, 400, 800.0], 4)
    truth = 2.0 * (1 - np.exp(-0.01 * exposures))
    covered = 0
    trials = 60
    for _ in range(trials):
        noisy = truth + 0.05 * rng.normal(size=len(truth))
        fit = fit_exposures(exposures, noisy, rng=rng, resamples=100, level=0.9)
        low, high = fit.interval["saturated"]
        assert low <= fit.estimate["saturated"] <= high
        covered += low <= 2.0 <= high
    assert covered / trials > 0.75


def test_intervals_repeat_with_the_seed():
    x, y = np.arange(1.0, 30), np.arange(1.0, 30) ** 0.9
    first, second = (fit_parameters(x, y, rng=np.random.default_rng(3)) for _ in range(2))
    assert first.interval == second.interval


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda rng: fit_exposures([10, 20, 40, 80], [0.1, 0.2, 0.4, 0.8], rng=rng),
            "is beyond the 80 measured: the saturated capacity is an extrapolation",
        ),
        (
            lambda rng: fit_exposures([100, 200, 400], [2.0, 2.0, 2.0], rng=rng),
            "all exposures measured lie beyond the rate's scale",
        ),
        (
            lambda rng: fit_parameters([10, 11, 12], [20, 22, 24.0], rng=rng),
            "the sizes span a factor of 1.2 only",
        ),
        (
            lambda rng: fit_membership(
                FAR * 1e8, 1e8, membership_f1(FAR * 1e8, 1e8), rng=rng, resamples=5
            ),
            "is outside the ratios measured",
        ),
    ],
)
def test_a_fit_warns_at_the_edge_of_its_data(call, message):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit = call(np.random.default_rng(0))
    edges = [str(one.message) for one in caught if one.category is EdgeWarning]
    assert any(message in edge for edge in edges)
    assert tuple(edges) == fit.edge


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda rng: fit_exposures([1, 2], [1, 2], rng=rng), "must have 3 different values"),
        (lambda rng: fit_exposures([0, 1, 2], [1, 2, 3], rng=rng), "exposures must be finite and"),
        (lambda rng: fit_exposures([1, 2, 3], [1, 2], rng=rng), "one number a measurement each"),
        (lambda rng: fit_exposures([1, 2, 3], [1, 2, -1], rng=rng), "capacity_bits must be finite"),
        (lambda rng: fit_exposures([1, 2, 3], [1, 2, 3], rng=rng, level=1), "level must lie in"),
        (
            lambda rng: fit_parameters([1, 9], [1, 2], rng=rng, resamples=0),
            "resamples must",
        ),
        (lambda rng: fit_parameters([1, 9], [0, 2], rng=rng), "capacity_bits must be above 0"),
        (
            lambda rng: fit_membership([1, 2, 3, 4], 1, [1, 1, 1, 1.5], rng=rng),
            r"f1 must lie in \[0, 1\]",
        ),
        (lambda rng: membership_f1(0, 1), "samples must be finite and > 0"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.random.default_rng(0))
