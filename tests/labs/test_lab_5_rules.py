import numpy as np
import pytest

from factcap.capacity import binary_entropy, least_exception_error
from factcap.capacity.rules_and_facts import coincidence_ratio
from labs.run import run_lab
from tests.labs.judging import LABS, states, student_lab

LAB = LABS / "lab_5_rules.py"
EXERCISES = ["5.1", "5.2", "5.3", "5.4"]


def of_all_facts(parameters, bits_each, facts, epsilon, choices):
    return 1 - least_exception_error(epsilon, choices, bits_each * parameters / facts)


def with_all_bits(parameters, bits_each, facts, epsilon, choices):
    wrong = least_exception_error(epsilon, choices, bits_each * parameters)
    return 1 - wrong / (epsilon * (1 - 1 / choices))


WRONG = (
    {
        "wrong_by_rule": lambda epsilon: epsilon,
        "bits_beyond_rule": lambda epsilon: epsilon,
        "best_ratio": lambda epsilon, load: coincidence_ratio(epsilon) ** 0.5,
        "most_exceptions": of_all_facts,
    },
    {
        "wrong_by_rule": lambda epsilon: 0.5,
        "bits_beyond_rule": lambda epsilon: binary_entropy(epsilon) + epsilon,
        "best_ratio": lambda epsilon, load: 0.1,
        "most_exceptions": with_all_bits,
    },
)


def test_solutions_are_right():
    assert states(LAB) == dict.fromkeys(EXERCISES, "right")


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
    linear = [one["generalization_error"] for one in found["linear"]]
    assert found["linear"][0]["memorization_error"] == 0
    assert linear[0] > min(linear) + 0.03
    kernels = found["kernel_errors"]
    assert all(one["memorization_error"] == 0 for one in kernels.values())
    of_ratio = sorted((found["kernel_ratios"][name], name) for name in kernels)
    first, last = (kernels[of_ratio[at][1]]["generalization_error"] for at in (0, -1))
    least = min(one["generalization_error"] for one in kernels.values())
    assert first > least + 0.01
    assert last > least
    errors = {
        key: [
            np.mean([row[key] for row in found["networks"] if row["hidden"] == hidden])
            for hidden in found["units"]
        ]
        for key in ("generalization_error", "memorization_error")
    }
    assert errors["memorization_error"][3:] == [0, 0, 0, 0]
    assert errors["generalization_error"][-1] < errors["generalization_error"][3]
    _, fresh = found["mean_of"]("fresh_known")
    sizes, exceptions = found["mean_of"]("exceptions_known")
    assert exceptions[0] < 0.05
    assert exceptions[-1] == 1
    assert fresh[0] > max(fresh[1:]) + 0.05
    bound = [found["most_exceptions"](size, found["bits_each"], 400, 0.2, 4096.0) for size in sizes]
    assert all(known <= most + 1e-9 for known, most in zip(exceptions, bound, strict=True))
