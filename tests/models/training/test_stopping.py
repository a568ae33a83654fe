import pytest

from factcap.models import SelectConfig, TrainConfig
from factcap.models.training.stopping import Check, StoppingRule, stopped_growing


def rule(entropy_bits=1000.0, parameters=10_000, scoring_draws=0.0, **training):
    """Of 40 facts in 10,000 steps, whose rate would fall from 4000 on."""
    numbers = {"exposures": 1, "fewest_steps": 10_000, "batch": 16, **training}
    return StoppingRule(TrainConfig(**numbers), 40, entropy_bits, parameters, scoring_draws)


def checks(*bits, known=0):
    """After each 500 steps."""
    return [Check(500 * number, each, known) for number, each in enumerate(bits, 1)]


def test_bits_that_grow_are_not_said_to_have_stopped():
    growing = [(500 * k, 100.0 * k**0.5) for k in range(1, 40)]
    assert stopped_growing(growing, 1e3) is None
    assert stopped_growing([(500 * k, 1.0) for k in range(1, 40)], 1e3) is None  # learned nothing
    assert stopped_growing([*growing, (30_000, growing[-1][1])], 1e3) == 30_000
    assert stopped_growing(growing[:1], 1e3) is None


GROWN = (300.0, 600.0, 700.0, 705.0)  # after 2000 steps, 17 % more than after 1000


@pytest.mark.parametrize(
    ("made", "step"),
    [
        ([], None),
        (checks(300.0), None),
        (checks(*GROWN), None),
        (checks(*GROWN, 714.0), 2500),  # 2 % more than after 1500
        (checks(*GROWN, 715.0), None),
        (checks(*GROWN, 714.0, 900.0), 2500),  # found once
        (checks(99.0, 99.0, 99.0, 99.0), None),  # not a tenth of all bits
        (checks(990.0, known=40), 500),
        (checks(990.0, known=39), None),
        (checks(980.0, known=40), None),  # 2 % and more are left
        (checks(*[900.0 * 1.1**k for k in range(8)], 1e5, 1e5, 1e5, known=39), None),
        ([Check(4000, 990.0, 40)], 4000),
        ([Check(4100, 990.0, 40)], None),  # the rate has begun to fall
    ],
)
def test_the_step_from_which_the_rate_falls(made, step):
    assert rule().falls_from(made) == step
    assert rule(saturate=False).falls_from(made) is None
    assert rule(select=SelectConfig("loss_h")).falls_from(made) is None


def test_a_small_model_is_not_asked_for_a_tenth_of_all_bits():
    some = checks(99.0, 99.0, 99.0)
    assert rule(parameters=400).falls_from(some) == 1000
    assert rule(parameters=600).falls_from(some) is None


def test_a_fall_that_would_not_end_before_the_training_is_none():
    late = [Check(6700, 990.0, 40)]
    assert rule(decay=0.1).falls_from([Check(6600, 990.0, 40)]) == 6600
    assert rule(decay=0.1).falls_from(late) is None


def test_scoring_costs_steps():
    assert rule().most_steps == 10_000
    assert rule(scoring_draws=16 * 150).most_steps == 9850


@pytest.mark.parametrize(
    ("bits", "known", "full", "grows"),
    [
        (999.5, 40, True, False),
        (998.0, 40, False, False),
        (999.5, 39, False, False),
        (900.0, 40, False, True),
    ],
)
def test_nothing_is_left_to_learn_when_all_is_recalled_and_nearly_all_bits_are_stored(
    bits, known, full, grows
):
    check = Check(500, bits, known)
    assert (rule().is_full(check), rule().can_grow(check)) == (full, grows)


def test_checks_come_at_multiples_of_their_steps():
    assert [step for step in range(0, 2001, 100) if rule().is_check_step(step)] == [
        500,
        1000,
        1500,
        2000,
    ]
