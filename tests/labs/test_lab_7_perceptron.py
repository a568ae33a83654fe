import numpy as np
import pytest

from factcap.capacity import binary_entropy, error_floor, gardner_capacity
from labs.run import run_lab
from tests.labs.judging import LABS, states, student_lab

LAB = LABS / "lab_7_perceptron.py"
EXERCISES = ["7.1", "7.2", "7.3", "7.4", "7.5"]


def cut_anywhere(n, d):
    return 2 if n == 1 else cut_anywhere(n - 1, d) + (cut_anywhere(n - 1, d - 1) if d else 0)


def by_perceptron_rule(inputs, labels):
    weights = np.zeros(inputs.shape[1])
    for _ in range(100):
        for x, y in zip(inputs, labels, strict=True):
            weights += y * x if y * (x @ weights) <= 0 else 0
    return bool((labels * (inputs @ weights) > 0).all())


WRONG = (
    {
        "dichotomies": lambda n, d: 2**n,
        "separable": lambda inputs, labels: True,
        "capacity": lambda margin: 1 / gardner_capacity(margin),
        "bits_a_weight": lambda f: gardner_capacity(positive_fraction=f),
        "least_errors": lambda load: max(0, 1 - 2 / load),
    },
    {
        "dichotomies": cut_anywhere,
        "separable": lambda inputs, labels: (labels @ inputs > 0).all(),
        "capacity": lambda margin: 1 / (1 + margin**2),
        "bits_a_weight": lambda f: 2 * binary_entropy(f),
        "least_errors": lambda load: max(0, 1 - 2 / load) / 2,
    },
)


def test_solutions_are_right():
    assert states(LAB) == dict.fromkeys(EXERCISES, "right")


def test_another_program_is_right():
    assert states(LAB, {"separable": by_perceptron_rule})["7.2"] == "right"


def test_blanks_are_unanswered(tmp_path):
    blank = student_lab(LAB.stem, tmp_path)
    assert states(blank) == dict.fromkeys(EXERCISES, "unanswered")


@pytest.mark.parametrize("answers", WRONG)
def test_wrong_answers_are_wrong(answers):
    assert states(LAB, answers) == dict.fromkeys(EXERCISES, "wrong")


@pytest.mark.slow
def test_the_lab_shows_what_it_says():
    finished = run_lab(LAB)
    assert all(verdict.right for verdict in finished.verdicts.values())
    found = finished.values
    most = {d: np.mean(points) / d for d, points in found["most_points"].items()}
    assert most == pytest.approx(dict.fromkeys(most, 2), rel=0.15)
    spread = [np.std(points) / d for d, points in found["most_points"].items()]
    assert spread == sorted(spread, reverse=True)
    assert found["margins"][128] == pytest.approx(
        [margin_at(load) for load in found["loads"]], abs=0.1
    )
    labels = np.mean(found["stored_labels"], axis=1)
    bits = [each * binary_entropy(f) for f, each in zip(found["shares"], labels, strict=True)]
    assert labels[-1] > 2.5 * labels[0]
    assert bits == pytest.approx([2] * 4, abs=0.5)
    at_four = np.mean(found["wrong"][found["beyond"].index(4.0)])
    assert at_four > 1.5 * error_floor(4, 2)


def margin_at(load):
    margins = np.linspace(0, 3, 301)
    capacities = [gardner_capacity(margin) for margin in margins]
    return np.interp(-load, np.negative(capacities), margins)
