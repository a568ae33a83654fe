import numpy as np
import pytest

from factcap.capacity import binary_entropy, error_floor, gardner_capacity
from tests.labs.answers import lab_7_perceptron as answers
from tests.labs.teachers import run_solved


def by_perceptron_rule(inputs, labels):
    weights = np.zeros(inputs.shape[1])
    for _ in range(100):
        for x, y in zip(inputs, labels, strict=True):
            weights += y * x if y * (x @ weights) <= 0 else 0
    return bool((labels * (inputs @ weights) > 0).all())


def test_another_program_is_right():
    run_solved("lab_7_perceptron", answers.measured() | {"separable": by_perceptron_rule})


@pytest.mark.slow
def test_the_lab_shows_what_it_says():
    found = run_solved("lab_7_perceptron").values
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
