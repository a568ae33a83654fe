import json
import math

import numpy as np
import pytest

from factcap.synth import BadInput
from factcap.synth.selection import SCHEMES, SelectConfig, Selector
from factcap.synth.selection.budget import expected_bits, late_exponent
from tests.conftest import make_facts


def selector(facts, config, draws=10_000, parameters=100):
    return Selector(facts, config, parameters, draws, seed=3)


@pytest.mark.parametrize("schedule", ["once", "repeatedly", "continuously"])
def test_selections_come_when_they_are_due(schedule):
    facts = make_facts(40)
    config = SelectConfig("loss_h", budget_bits=50.0, schedule=schedule, first=0.3)
    chosen, taken = selector(facts, config), []
    for done in range(0, 1000, 10):
        if chosen.due(done, 1000):
            taken.append(done / 1000)
            chosen.look(done / 1000, np.linspace(0, 2, 40))
    shares = {"once": [0.3], "repeatedly": [0.3 + 0.05 * k for k in range(11)]}
    expected = shares.get(schedule, [0.3 + 0.025 * k for k in range(21)])
    np.testing.assert_allclose(taken, expected, atol=0.0101)


def test_going_on_from_a_state_selects_the_same():
    facts = make_facts(60, exponent=1.0)
    for scheme, counted in (("worth", True), ("worth", False), ("loss_hf", True), ("random", True)):
        budget = 0.0 if SCHEMES[scheme].sets_budget else 100.0
        config = SelectConfig(scheme, budget_bits=budget, counted=counted)
        one, rng = selector(facts, config), np.random.default_rng(0)
        losses = [facts.entropy_bits * rng.random(60) * 1.1 for _ in range(4)]
        for share, nll in zip((0.05, 0.1), losses, strict=False):
            one.look(share, nll)
        other = selector(facts, config)
        other.restore(json.loads(json.dumps(one.state())))
        for share, nll in zip((0.2, 0.3), losses[2:], strict=True):
            assert one.look(share, nll) == other.look(share, nll)
        assert np.array_equal(one.weights, other.weights)
        assert one.history == other.history


def test_what_is_kept_fits_the_given_budget_and_losses_of_the_dropped_are_not_read():
    facts = make_facts(60, exponent=1.0)
    for scheme in [name for name in SCHEMES if SCHEMES[name].keeps_budget]:
        config = SelectConfig(scheme, budget_bits=120.0, schedule="once", first=0.1)
        chosen = selector(facts, config)
        nll = facts.entropy_bits * np.random.default_rng(0).random(60)
        chosen.look(0.1, nll, np.ones(60))
        first = chosen.weights > 0
        assert 100 < facts.entropy_bits[first].sum() <= 120
        chosen.look(0.2, np.where(first, nll, 0.0), np.ones(60))
        assert np.all(first[chosen.weights > 0])


@pytest.mark.parametrize("scheme", ["loss_h", "loss_hf"])
def test_a_fact_set_is_narrowed_little_by_little_to_the_budget(scheme):
    facts = make_facts(400, vocabulary=30, exponent=1.0)
    config = SelectConfig(scheme, budget_bits=float(facts.entropy_bits.sum() / 8))
    chosen, kept, rng = selector(facts, config), [], np.random.default_rng(0)
    nll = facts.entropy_bits * rng.uniform(0.01, 1, 400)
    for share in config.shares(narrowing=True):
        chosen.look(share, nll)
        kept.append(chosen.bits_kept / facts.entropy_bits.sum())
        flat = np.ptp(chosen.weights[chosen.weights > 0]) == 0
        drawn = np.where(chosen.weights > 0, facts.frequency, 0.0)
        if scheme == "loss_h":
            np.testing.assert_array_equal(chosen.weights, drawn)
        elif share < 0.5:
            left = np.clip(nll / facts.entropy_bits, 0.03, 1)
            np.testing.assert_allclose(chosen.weights, drawn * left)
        assert flat == (scheme == "loss_hf" and share >= 0.5)
    # (N / B)^f of the budget: f = ((0.5 - t) / 0.45)^1.5, in whole facts
    expected = [8 ** (max(0.5 - t, 0) / 0.45) ** 1.5 / 8 for t in config.shares(narrowing=True)]
    np.testing.assert_allclose(kept, expected, atol=0.006)
    assert kept[0] == 1


def test_what_is_dropped_is_what_was_known_least_over_all_looks():
    facts = make_facts(100, values=(2, 2))
    config = SelectConfig("loss_hf", budget_bits=float(facts.entropy_bits[:50].sum()) + 1)
    chosen, H = selector(facts, config), facts.entropy_bits
    for number, share in enumerate(config.shares(narrowing=True)):
        # the first half is known better, but every other look says the contrary of ten facts
        nll = np.where(np.arange(100) < 50, 0.5, 0.9) * H
        if number % 2:
            nll[:5], nll[-5:] = 0.7 * H[:5], 0.65 * H[-5:]
        chosen.look(share, nll)
    assert set(np.flatnonzero(chosen.weights)) == set(range(50))


def test_narrowing_keeps_what_is_asked_for_more_often_than_cutting_at_once():
    """Facts whose losses fall with the draws, plus noise that a model too full has."""
    facts = make_facts(600, vocabulary=30, exponent=0.8)
    budget, wins = float(facts.entropy_bits.sum() / 4), 0
    for seed in range(5):
        held = {}
        for schedule in ("once", "repeatedly"):
            config = SelectConfig("loss_hf", budget_bits=budget, schedule=schedule)
            chosen, rng = selector(facts, config), np.random.default_rng(seed)
            exposures, before = np.zeros(600), 0.0
            for share in config.shares(narrowing=schedule == "repeatedly"):
                drawn = chosen.weights / chosen.weights.sum()
                exposures += rng.poisson(drawn * 60_000 * (share - before))
                before = share
                noise = 1 + 0.1 * rng.standard_normal(600)
                chosen.look(share, facts.entropy_bits * np.exp(-exposures / 40) * noise)
            held[schedule] = facts.frequency[chosen.weights > 0].sum()
        wins += held["repeatedly"] > held["once"] + 0.02
    assert wins == 5


@pytest.mark.parametrize("rest", [0.0, 0.2])
def test_what_shared_its_draws_with_others_is_expected_to_grow_the_more_without_them(rest):
    """Facts whose stored bits are as the square root of their own draws."""
    facts = make_facts(400, vocabulary=30, values=(2, 2))
    config, H = SelectConfig("loss_h", rest=rest), facts.entropy_bits
    chosen = selector(facts, config, parameters=1_000_000)
    ease = np.random.default_rng(0).uniform(3, 5, 400)
    drawn, before, cut = np.zeros(400), 0.0, []
    for share in config.shares(narrowing=True):
        drawn += (share - before) * chosen.drawn_by / chosen.drawn_by.sum()
        before, present = share, chosen.weights > 0
        chosen.look(share, H * (1 - ease * np.sqrt(drawn)))
        if share < 0.5:
            continue
        at_end = drawn + (1 - share) * (1 - rest) * present / present.sum()
        budget = (H * ease * np.sqrt(at_end))[present].sum() * (1 + max(1 - share / 0.8, 0) / 4)
        cut.append(chosen.bits_kept < H[present].sum())
        assert budget >= chosen.bits_kept
        if cut[-1]:
            assert budget - chosen.bits_kept < H.max()
    assert sum(cut) >= 2
    state = json.loads(json.dumps(chosen.state()))
    other = selector(facts, config, parameters=1_000_000)
    other.restore(state)
    assert json.loads(json.dumps(other.state())) == state
    assert other.drawn is not None
    np.testing.assert_allclose(other.drawn, drawn)


def test_a_budget_that_is_told_or_nothing_that_shrinks_counts_no_draws():
    facts = make_facts(60)
    told, once = SelectConfig("loss_h", budget_bits=50.0), SelectConfig("loss_h", schedule="once")
    for config, narrowing in ((told, True), (once, True), (SelectConfig("loss_h"), False)):
        chosen = Selector(facts, config, 1e6, 10_000, seed=3, narrowing=narrowing)
        chosen.look(0.1, 0.5 * facts.entropy_bits)
        assert chosen.drawn is None
        assert chosen.state()["drawn"] is None


def test_what_is_expected_late_follows_the_depth_and_what_is_measured_early_is_no_less():
    history = [(0.1, 100.0)]
    for late in (0.5, 0.8, 1.4):
        assert expected_bits(history, 0.5, 300.0, late=late) == pytest.approx(300 * 2**late)
        # log2(1.7) = 0.77, and 1 where nothing was measured
        measured = expected_bits(history, 0.2, 170.0, late=late)
        assert measured == pytest.approx(170 * 5 ** max(math.log2(1.7), late))
        assert expected_bits([], 0.2, 170.0, late=late) == pytest.approx(170 * 5 ** max(1, late))
    shared = expected_bits(history, 0.2, 170.0, drawn=0.1)
    assert shared == pytest.approx(170 * 9 ** math.log2(1.7))


def test_a_deeper_model_keeps_more():
    facts, kept = make_facts(400, vocabulary=30), {}
    for depth in (1, 2, 4, 8):
        late = late_exponent(depth)
        chosen = Selector(facts, SelectConfig("worth"), 1e6, 10_000, seed=3, late=late)
        chosen.look(0.4, 0.84 * facts.entropy_bits)
        kept[depth] = chosen.bits_kept / (0.16 * facts.entropy_bits.sum())
    assert kept[1] == kept[2]
    for depth, power in ((2, 0.5), (4, 0.8), (8, 1.4)):
        assert kept[depth] == pytest.approx(min(1.125 * 0.4**-power, 1 / 0.16), rel=0.02)


def test_without_narrowing_what_is_too_much_is_dropped_at_once():
    facts = make_facts(60, exponent=1.0)
    config = SelectConfig("loss_h", budget_bits=120.0)
    chosen = Selector(facts, config, 100, 10_000, seed=3, narrowing=False)
    chosen.look(0.05, facts.entropy_bits * np.linspace(0.1, 1, 60))
    assert chosen.bits_kept <= 120
    fresh = Selector(facts, config, 100, 10_000, seed=3, narrowing=False)
    assert fresh.planned_draws() == pytest.approx(9 * 60 / 3)
    assert selector(facts, config).planned_draws() == pytest.approx(13 * 60 / 3)


def test_without_narrowing_what_was_dropped_comes_back_by_the_loss_it_had():
    facts = make_facts(60, values=(2, 2))

    def fresh():
        return Selector(facts, SelectConfig("loss_h"), 1e6, 10_000, seed=3, narrowing=False)

    chosen, H = fresh(), facts.entropy_bits
    early = H * np.linspace(0.8, 0.95, 60)
    chosen.look(0.1, early)
    assert (chosen.weights > 0).all()
    # Nothing more is stored: S(1) is that times 5^(1/2), and 3/16 more at the most.
    chosen.look(0.2, early)
    kept = np.flatnonzero(chosen.weights)
    assert kept.tolist() == list(range(19))
    # What is kept is known: there is room. Losses of what was dropped are not read.
    state, later = json.loads(json.dumps(chosen.state())), np.where(chosen.weights > 0, 0.0, 99.0)
    chosen.look(0.4, later)
    assert np.flatnonzero(chosen.weights).tolist() == list(range(33))
    np.testing.assert_array_equal(chosen.weights[:33], facts.frequency[:33])
    other = fresh()
    other.restore(state)
    other.look(0.4, later)
    np.testing.assert_array_equal(other.weights, chosen.weights)
    assert other.state() == chosen.state()


def test_scoring_is_charged_for_what_is_left():
    facts = make_facts(60)
    assert selector(facts, SelectConfig("deduplicate")).planned_draws() == 0
    once = {"schedule": "once", "budget_bits": 120.0}
    assert selector(facts, SelectConfig("random", **once)).planned_draws() == 0
    assert selector(facts, SelectConfig("loss_h", **once)).planned_draws() == pytest.approx(20)
    worth = selector(facts, SelectConfig("worth", **once))
    assert worth.planned_draws() == pytest.approx((worth.weights > 0).sum() / 3)
    # the gradient of the held-out facts, and a pass forward with its derivative
    assert selector(facts, SelectConfig("influence", **once)).planned_draws() == pytest.approx(552)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"scheme": "best"}, "no scheme is called 'best'; there are random"),
        ({"scheme": "random"}, "the scheme random must be told the budget, in bits"),
        ({"budget_bits": -1.0}, "the budget must be positive, or 0 to set itself"),
        ({"budget_bits": float("inf")}, "the budget must be positive, or 0"),
        ({"schedule": "often"}, "no schedule is called 'often'; there are once, repeatedly"),
        ({"first": 0.0}, r"a share in \(0, 0.8\], not 0"),
        ({"first": 0.9}, r"a share in \(0, 0.8\], not 0.9"),
    ],
)
def test_values_out_of_range_are_refused(fields, message):
    with pytest.raises(BadInput, match=message):
        SelectConfig(**({"scheme": "loss_h"} | fields))
