import sys
from pathlib import Path

import pytest

pytest.importorskip("marimo", reason="the labs need marimo: pip install 'factcap[labs]'")
sys.path.insert(0, str(Path(__file__).parents[2] / "labs"))

from kit import attempt, between, check, near, predict


def judged(answer):
    slips = [(near(20), "Twice.")]
    return check("1", answer, near(10), hint="Count again.", slips=slips, praise="Ten.")


@pytest.mark.parametrize("answer", [..., None, [3, ...]])
def test_what_is_left_blank_is_unanswered(answer):
    assert judged(answer).state == "unanswered"


def test_a_right_answer_is_praised():
    verdict = judged(10.01)
    assert verdict.right
    assert verdict.message == "Right. Ten."


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (20, "Twice."),
        (11, "Count again."),
        ("ten", "Count again."),
        (10**400, "Count again."),
    ],
)
def test_a_wrong_answer_gets_the_hint_of_its_slip(answer, said):
    verdict = judged(answer)
    assert verdict.state == "wrong"
    assert verdict.message == f"Not yet. {said}"


def test_an_answer_that_lacks_what_is_looked_for_is_wrong():
    verdict = check("1", {"other": 1}, lambda found: found["asked"] == 1, hint="Look again.")
    assert (verdict.state, verdict.message) == ("wrong", "Not yet. Look again.")


def test_code_that_stops_is_a_wrong_answer():
    verdict = judged(attempt(lambda: 1 / 0))
    assert verdict.state == "wrong"
    assert "ZeroDivisionError" in verdict.message


def test_between_holds_its_ends():
    assert [between(1, 2)(x) for x in (0.9, 1, 2, 2.1)] == [False, True, True, False]


@pytest.mark.parametrize(
    ("asked", "sent", "value"),
    [({"span": (0, 100, 1)}, 30, 30), ({"options": ["many", "few"]}, "few", "few")],
)
def test_a_prediction_has_no_value_until_it_is_given(asked, sent, value):
    form = predict("How many?", default=value, **asked)
    assert form.value is None
    form._update(sent)
    assert form.value == value
