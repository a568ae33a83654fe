import csv
import math
from itertools import pairwise

import numpy as np
import pytest

from factcap.capacity.rules_and_facts import kernel_coefficients, separability_threshold
from factcap.figures.theory.kernel_plane import draw as draw_plane
from factcap.figures.theory.kernel_plane import kernel_plane
from factcap.figures.theory.rules_and_facts import (
    BAYES,
    LEARNERS,
    draw,
    most_separable,
    rules_and_facts,
)
from factcap.figures.theory.rules_simulation import (
    ERRORS,
    KERNELS,
    TABLE,
    TABLE_COLUMNS,
    Setting,
    simulate,
    table_row,
    write_table,
)

QUICK = [TABLE[place] for place in (1, 3, 6, 8, 11, 14, 16, 19, 21, 24)]


def assert_agrees(setting, seed, repeats):
    theory = setting.theory()
    found = simulate(setting, 400, repeats, seed)
    assert theory.converged
    assert found.converged
    # Few repeats tell their own spread badly: it is at least that of as many coins, and one point.
    points = repeats * 400 * setting.alpha
    counted = (4000 * repeats, points * setting.epsilon, points * (1 - setting.epsilon))
    for error, number in zip(ERRORS, counted, strict=True):
        expected = getattr(theory, error)
        coins = math.sqrt(expected * (1 - expected) / number)
        spread = max(found.error[error], coins, 1 / number)
        assert abs(found.mean[error] - expected) < 3 * spread, (setting, error)


@pytest.mark.parametrize("setting", QUICK, ids=str)
def test_simulation_agrees_with_theory(setting):
    assert_agrees(setting, seed=100 + TABLE.index(setting), repeats=8)


@pytest.mark.slow
@pytest.mark.parametrize("setting", TABLE, ids=str)
def test_simulation_agrees_with_theory_in_every_setting(setting):
    assert_agrees(setting, seed=80 + TABLE.index(setting), repeats=16)


def test_table_has_five_settings_a_learner():
    kinds = {}
    for setting in TABLE:
        kind = "features" if setting.width < math.inf else setting.features
        kind = setting.loss if kind == "linear" else "kernel" if kind in KERNELS else kind
        kinds[kind] = kinds.get(kind, 0) + 1
    assert kinds == {"square": 5, "hinge": 5, "logistic": 5, "kernel": 5, "features": 5}


def test_table_is_written(tmp_path):
    path = tmp_path / "table.csv"
    rows = write_table(path, TABLE[1:3], dimension=60, repeats=3)
    with open(path) as file:
        read = list(csv.DictReader(file))
    assert [{name: str(value) for name, value in row.items()} for row in rows] == read
    assert tuple(read[0]) == TABLE_COLUMNS
    assert table_row(TABLE[1], 60, 3, 1) == rows[0]


@pytest.mark.parametrize("kernel", ["relu", "erf", "sign"])
def test_kernels_are_the_averages_of_their_activations(kernel):
    activation, direct = kernel_coefficients(kernel), kernel_coefficients(kernel=KERNELS[kernel])
    assert (activation.mu0, activation.mu1, activation.mu_star) == pytest.approx(
        (direct.mu0, direct.mu1, direct.mu_star), abs=1e-7
    )


def test_simulation_is_the_same_again_and_uses_its_seed():
    setting = Setting("hinge", 1.0, 0.3, 0.5, "tanh", 1.0)
    assert simulate(setting, 30, 3, 1) == simulate(setting, 30, 3, 1)
    assert simulate(setting, 30, 3, 1) != simulate(setting, 30, 3, 2)


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rules")
    return (
        rules_and_facts(folder, preset="tiny", changes={"dimension": "40"}),
        kernel_plane(folder, preset="tiny", changes={"dimension": "40"}),
    )


def test_bayes_lies_below_every_learner(rows):
    theory = [row for row in rows[0] if row["panel"] == "theory" and row["alpha"] != ""]
    best = {
        (row["epsilon"], row["alpha"]): row["generalization_error"]
        for row in theory
        if row["learner"] == BAYES
    }
    others = [row for row in theory if row["learner"] != BAYES]
    assert len(others) == len(best) * len(LEARNERS)
    for row in others:
        assert best[row["epsilon"], row["alpha"]] < row["generalization_error"]
        assert row["converged"]


def test_random_labels_are_separable_up_to_two_points_a_dimension():
    # the mean of the most separable points is 2 d for any d: Cover's probabilities, summed
    most = [most_separable(12, 1.0, seed) for seed in range(100)]
    assert abs(np.mean(most) - 24) < 3 * np.std(most, ddof=1) / 10


def test_separability_falls_towards_its_threshold(rows):
    simulated = [
        row for row in rows[0] if row["learner"] == "separability" and row["panel"] == "simulation"
    ]
    assert simulated[0]["separability"] > simulated[-1]["separability"]
    most = [most_separable(50, 0.4, seed) / 50 for seed in range(12)]
    spread = np.std(most, ddof=1) / math.sqrt(12)
    assert abs(np.mean(most) - separability_threshold(0.4)) < 3 * spread + 2 / 50


def test_interpolating_kernels_touch_the_best_ridge_on_the_line(rows):
    for alpha in {row["alpha"] for row in rows[1] if row["panel"] == "interpolating"}:
        curve, best = (
            [row for row in rows[1] if row["panel"] == panel and row["alpha"] == alpha]
            for panel in ("interpolating", "best ridge")
        )
        gaps = [
            one["generalization_error"] - other["generalization_error"]
            for one, other in zip(curve, best, strict=True)
        ]
        assert min(gaps) >= -1e-12
        assert all(row["memorization_error"] == 0 for row in curve)
        # the gap closes towards the line, and beyond it no ridge is the best ridge
        closing = [gap for gap, row in zip(gaps, best, strict=True) if row["ridge"] > 0]
        assert all(a > b > 0 for a, b in pairwise(closing))
        assert all(gap == 0 for gap in gaps[len(closing) :])


def hollow(figure):
    lines = [line for axes in figure.axes for line in axes.get_lines()]
    return sum(
        len(np.atleast_1d(line.get_xdata()))
        for line in lines
        if isinstance(line.get_markerfacecolor(), str) and line.get_markerfacecolor() == "none"
    )


def test_what_did_not_converge_is_hollow(rows):
    for made, drawing in zip(rows, (draw, draw_plane), strict=True):
        assert hollow(drawing(made)) == 0
        place = next(i for i, row in enumerate(made) if row["panel"] == "simulation")
        wrong = [*made]
        wrong[place] = {**made[place], "converged": False}
        assert hollow(drawing(wrong)) >= 1
        # a point of theory as well
        theory = next(
            i for i, row in enumerate(made) if row["panel"] in ("theory", "interpolating")
        )
        wrong[theory] = {**made[theory], "converged": False}
        assert hollow(drawing(wrong)) >= 2


def test_kernels_lie_on_the_plane_at_their_radius(rows):
    plane = {row["kernel"]: row for row in rows[1] if row["panel"] == "plane"}
    assert {"relu", "erf", "tanh", "sign"} < set(plane)
    for name, radius in (("sign", 1.0), ("erf", math.sqrt(2 / math.pi * math.asin(2 / 3)))):
        found = np.hypot(plane[name]["mu1"], plane[name]["mu_star"])
        assert found == pytest.approx(radius)
