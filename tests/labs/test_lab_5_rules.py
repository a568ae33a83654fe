import numpy as np
import pytest

from tests.labs.teachers import run_solved


@pytest.mark.slow
def test_the_lab_shows_what_it_says():
    found = run_solved("lab_5_rules").values
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
    assert errors["memorization_error"][3:] == [0, 0, 0]
    assert errors["generalization_error"][-1] < errors["generalization_error"][3]
    _, fresh = found["mean_of"]("fresh_known")
    sizes, exceptions = found["mean_of"]("exceptions_known")
    assert exceptions[0] < 0.05
    assert exceptions[-1] == 1
    assert fresh[0] > max(fresh[1:]) + 0.05
    bound = [found["most_exceptions"](size, found["bits_each"], 400, 0.2, 4096.0) for size in sizes]
    assert all(known <= most + 1e-9 for known, most in zip(exceptions, bound, strict=True))
