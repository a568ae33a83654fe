import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factcap.synth import BadInput
from factcap.synth.selection import SCHEMES, Evidence, pack, select
from factcap.synth.selection.frequencies import exposures_from_losses, shrunk_counts

BUDGETED = [name for name, scheme in SCHEMES.items() if scheme.keeps_budget]
LOSS_ONLY = [name for name in BUDGETED if not name.startswith("random")]


def evidence(facts, budget_share, seed, *, distinct=True):
    """Random evidence whose budget is a share of the entropy of all facts, at least one fact's."""
    rng = np.random.default_rng(seed)
    entropies = rng.uniform(1, 20, facts)
    losses = entropies * rng.random(facts)
    weights = rng.random(facts) + 0.01
    counts = rng.permutation(facts) * 7.0 + 1 if distinct else np.ones(facts)
    budget = max(budget_share * entropies.sum(), entropies.max())
    return Evidence(losses, weights, entropies, budget, counts, rng.normal(size=facts), seed)


def changed(given, **fields):
    return Evidence(**{**vars(given), **fields})


cases = given(st.integers(1, 40), st.floats(0.01, 1.2), st.integers(0, 2**32 - 1))


@pytest.mark.parametrize("name", BUDGETED)
@cases
def test_weights_are_not_negative_and_what_is_kept_fits(name, facts, share, seed):
    known = evidence(facts, share, seed)
    weights = select(name, known)
    assert np.all(weights >= 0)
    assert np.all(np.isfinite(weights))
    assert weights.any()
    total = known.entropies[weights > 0].sum()
    assert total <= known.budget_bits * (1 + 2e-12)
    # no room for the largest fact among those dropped, or a smaller one stood behind the cut
    if not np.all(weights > 0):
        assert total + known.entropies[weights == 0].max() > known.budget_bits


@pytest.mark.parametrize("name", LOSS_ONLY)
@cases
def test_the_order_of_the_facts_does_not_matter(name, facts, share, seed):
    known = evidence(facts, share, seed)
    order = np.random.default_rng(seed).permutation(facts)
    moved = changed(
        known,
        **{
            field: getattr(known, field)[order]
            for field in ("losses", "weights", "entropies", "frequency", "scores")
        },
    )
    np.testing.assert_allclose(select(name, moved), select(name, known)[order], rtol=1e-12)


@pytest.mark.parametrize("name", SCHEMES)
@cases
def test_the_same_evidence_gives_the_same_weights(name, facts, share, seed):
    known = evidence(facts, share, seed)
    before = {field: np.copy(getattr(known, field)) for field in ("losses", "weights")}
    assert np.array_equal(select(name, known), select(name, evidence(facts, share, seed)))
    assert all(np.array_equal(getattr(known, field), before[field]) for field in before)


@pytest.mark.parametrize("name", BUDGETED)
@cases
def test_a_larger_budget_keeps_all_that_a_smaller_one_keeps(name, facts, share, seed):
    small = evidence(facts, share, seed)
    large = changed(small, budget_bits=1.4 * small.budget_bits)
    assert np.all((select(name, small) > 0) <= (select(name, large) > 0))


@pytest.mark.parametrize("name", BUDGETED)
@cases
def test_where_all_fits_nothing_is_done(name, facts, share, seed):
    known = changed(evidence(facts, share, seed), budget_bits=np.inf)
    assert np.array_equal(select(name, known), known.weights)


@pytest.mark.parametrize("name", SCHEMES)
@cases
def test_what_was_dropped_stays_dropped(name, facts, share, seed):
    known = evidence(facts, share, seed)
    weights = np.where(np.arange(facts) % 3 == 1, 0.0, known.weights)
    chosen = select(name, changed(known, weights=weights))
    assert np.all(chosen[weights == 0] == 0)


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 1.1))
def test_loss_h_keeps_the_longest_prefix_that_fits(seed, share):
    known = evidence(7, share, seed)
    fitting = [
        subset
        for size in range(8)
        for subset in itertools.combinations(range(7), size)
        if known.entropies[list(subset)].sum() <= known.budget_bits * (1 + 1e-12)
        # nothing outside has a lower loss than anything inside
        and all(
            known.losses[out] > known.losses[inside]
            for inside in subset
            for out in set(range(7)) - set(subset)
        )
    ]
    assert set(np.flatnonzero(select("loss_h", known))) == set(max(fitting, key=len))


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 1.0))
def test_worth_is_less_than_one_fact_from_the_best_knapsack(seed, share):
    drawn = evidence(9, share, seed)
    # nothing learned yet: the loss is the entropy, and the order that of the bound
    known = changed(drawn, losses=drawn.entropies.copy())
    assert known.frequency is not None
    gain = known.frequency * (1 - 2.0**-known.entropies)
    best = max(
        gain[list(subset)].sum()
        for size in range(10)
        for subset in itertools.combinations(range(9), size)
        if known.entropies[list(subset)].sum() <= known.budget_bits * (1 + 1e-12)
    )
    kept = select("worth", known) > 0
    assert best - gain.max() <= gain[kept].sum() <= best * (1 + 1e-12)


def test_frequency_may_have_any_scale():
    for seed in range(20):
        known = evidence(30, 0.4, seed)
        assert known.frequency is not None
        few = changed(known, frequency=known.frequency * 1e-6)
        for name in ("worth", "frequency"):
            assert np.array_equal(select(name, few), select(name, known))


def test_worth_is_loss_h_where_all_facts_occur_equally_often():
    for seed in range(20):
        known = evidence(30, 0.4, seed, distinct=False)
        known = changed(known, entropies=np.full(30, 20.0), budget_bits=240.0)
        assert np.array_equal(select("worth", known) > 0, select("loss_h", known) > 0)


def test_flattening_schemes_give_one_weight():
    known = evidence(30, 0.4, 3)
    for name in ("frequency", "loss_hf", "worth"):
        weights = select(name, known)
        assert set(weights) == {0.0, 1.0}
    kept = select("loss_h", known)
    assert np.array_equal(kept[kept > 0], known.weights[kept > 0])


def test_loss_hf_thins_low_losses_where_nothing_was_counted():
    losses = np.array([0.1, 1.0, 4.0, 7.0, 9.0])
    weights = select("loss_hf", Evidence(losses, np.ones(5), np.full(5, 10.0), 40.0))
    seen = np.log(10 / losses)
    np.testing.assert_allclose(weights[:4] * seen[:4], seen[3])
    assert weights[3] == 1
    assert weights[4] == 0


def test_deduplicate_drops_nothing():
    known = evidence(30, 0.1, 0)
    assert np.array_equal(select("deduplicate", known), np.ones(30))


def test_exposures_are_recovered_from_losses_that_fall_exponentially():
    exposures = np.arange(1.0, 9.0)
    entropies = np.linspace(5, 20, 8)
    estimate = exposures_from_losses(entropies * np.exp(-0.3 * exposures), entropies)
    np.testing.assert_allclose(estimate / 0.3, exposures)


def test_shrunk_counts_are_nearer_to_the_truth_than_counts():
    rng = np.random.default_rng(0)
    truth = rng.gamma(2.0, 3.0, 5000)
    counts = rng.poisson(truth).astype(float)
    error = np.mean((shrunk_counts(counts) - truth) ** 2)
    # Bayes with shape 2 and scale 3: variance shape scale^2 / (1 + scale) = 4.5
    assert error == pytest.approx(4.5, rel=0.05)
    assert error < 0.8 * np.mean((counts - truth) ** 2)


def test_packing_is_in_order_and_stops_at_the_first_that_does_not_fit():
    rng = np.random.default_rng(1)
    for _ in range(200):
        bits, order = rng.integers(0, 5, 8).astype(float), rng.permutation(8)[: rng.integers(9)]
        budget = float(rng.integers(0, 20))
        kept, left, open_ = set(), budget, True
        for fact in order:
            open_ = open_ and bits[fact] <= left
            if open_:
                kept.add(fact)
                left -= bits[fact]
        assert set(np.flatnonzero(pack(order, bits, budget))) == kept


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"losses": np.array([1.0, np.nan])}, "losses must be finite and >= 0; fact 1 has nan"),
        ({"losses": np.array([1.0, np.inf])}, "losses must be finite and >= 0; fact 1 has inf"),
        ({"losses": np.array([-1.0, 1.0])}, "losses must be finite and >= 0; fact 0 has -1"),
        ({"weights": np.zeros(2)}, "all weights are 0"),
        ({"budget_bits": 0.0}, "the budget must be positive, in bits, not 0"),
        ({"budget_bits": np.nan}, "the budget must be positive, in bits, not nan"),
        ({"scores": np.array([1.0, np.nan])}, "scores must be finite; fact 1 has nan"),
    ],
)
def test_bad_evidence_is_refused(fields, message):
    good = {"losses": np.ones(2), "weights": np.ones(2), "entropies": np.ones(2), "budget_bits": 1}
    with pytest.raises(BadInput, match=message):
        Evidence(**{**good, **fields})


def test_unknown_or_impossible_schemes_are_refused():
    known = Evidence(np.ones(2), np.ones(2), np.full(2, 3.0), 4.0)
    with pytest.raises(BadInput, match="no scheme is called 'best'; there are random, random_flat"):
        select("best", known)
    with pytest.raises(BadInput, match="frequency needs the frequency of each fact"):
        select("frequency", known)
    with pytest.raises(BadInput, match="a budget of 2 bits is too small for the first fact"):
        select("loss_h", changed(known, budget_bits=2.0))


def test_influence_keeps_what_is_known_first():
    losses, scores = np.array([0.1, 9.0, 8.0, 0.5]), np.array([0.0, 3.0, 4.0, -1.0])
    evidence = Evidence(losses, np.ones(4), np.full(4, 10.0), 30.0, scores=scores)
    assert select("influence", evidence).tolist() == [1, 0, 1, 1]
