import numpy as np
import pytest

from labs.run import run_lab
from tests.labs.judging import LABS, states, student_lab

LAB = LABS / "lab_6_diffusion.py"
EXERCISES = ["6.1", "6.2", "6.3", "6.4"]


def nearest(x, points, sigma):
    return points[((points - x) ** 2).sum(axis=1).argmin()]


def without_the_two(x, points, sigma):
    share = np.exp(-((points - x) ** 2).sum(axis=1) / sigma**2)
    return share / share.sum() @ points


WRONG = (
    {
        "denoise": nearest,
        "by_chance": lambda d, threshold: threshold,
        "full_at": lambda points, stored, everything: points[int(np.argmax(stored))],
        "claimed_spread": lambda weights, points: np.mean(
            weights @ (points - weights @ points) ** 2
        ),
    },
    {
        "denoise": without_the_two,
        "by_chance": lambda d, threshold: threshold ** (1 / d),
        "full_at": lambda points, stored, everything: np.interp(max(stored), everything, points),
        "claimed_spread": lambda weights, points: np.sqrt(points.var(axis=0).mean()),
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
    assert min(found["best_copies"].values()) > 0.95
    networks = found["networks"]
    copies = {n: network["copies"] for n, network in networks.items()}
    assert copies[8] > 0.9
    assert copies[512] < 0.02
    stored = {n: network["stored"] for n, network in networks.items()}
    assert stored[8] < max(stored.values())
    assert stored[1024] < 0.8 * max(stored.values())
    # Half of the samples are copies about where the network is full.
    full = found["full_at"](list(networks), found["stored_bits"], found["all_bits"])
    assert copies[32] > 0.5 > copies[128]
    assert 32 < full < 128
    assert networks[1024]["error"] < 0.1 < networks[64]["error"]
    memorized, true, claimed, _ = found["of_instruments"].T
    assert list(found["instruments"]) == sorted(found["instruments"])
    assert memorized.argmin() not in (0, len(memorized) - 1)
    assert memorized[0] > 1.2 * memorized.min()
    assert true[0] < 1.01 * true.min()
    assert claimed[0] < 0.3 * memorized[0]
