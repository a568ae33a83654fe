import numpy as np
import pytest

from factcap.capacity.laws import (
    FORMS,
    SplitRuns,
    best_split,
    fit_splitting,
    split_losses,
)
from factcap.capacity.laws.split_heldout import compute
from tests.capacity.laws.simulated import LAWS, grid, law, table

FEW = ("additive", "joint", "product")


def fitted(runs, **more):
    return fit_splitting(runs, rng=np.random.default_rng(0), resamples=40, **more)


@pytest.fixture(scope="module")
def additive():
    runs = table("additive", noise=0.0)
    return runs, fitted(runs)


def test_constants_are_found_without_noise(additive):
    _, found = additive
    assert found.form.name == "additive"
    estimate = found.domains["domain 0"].estimate
    assert estimate["E"] == pytest.approx(1.5, rel=1e-3)
    for name, value in {"a": 0.34, "b": 0.28, "s": 0.3}.items():
        assert estimate[name] == pytest.approx(value, rel=5e-3)
    assert estimate["d"] == pytest.approx(1e7, rel=0.05)
    assert estimate["e"] == pytest.approx(1e6, rel=0.05)
    # the second domain is worse by 5 %
    ratio = found.domains["domain 1"].estimate["E"] / estimate["E"]
    assert ratio == pytest.approx(1.05, rel=2e-3)


# The slow tests take all forms.
@pytest.mark.parametrize(
    "name",
    [name if name in FEW else pytest.param(name, marks=pytest.mark.slow) for name in LAWS],
)
@pytest.mark.parametrize(
    ("noise", "zeros"), [(0.003, True), pytest.param(0.005, False, marks=pytest.mark.slow)]
)
def test_four_times_the_size_and_budget_is_predicted(name, noise, zeros):
    """From runs up to a quarter: the loss to 2 %, the split to 1 % of the best loss."""
    domains = 2
    runs = table(name, domains=domains, noise=noise, where=grid(zeros=zeros))
    found = fitted(runs)
    size = 4 * runs["domain 0"].parameters.max()
    budget = 6 * 4 * max(compute(each, domains).max() for each in runs.values())
    best = best_split(found, budget, domains=domains, parameters=size)
    share = np.linspace(0.01, 0.99, 197)
    tokens = budget / 6 / size
    truth = 1.025 * law(name, size, share * tokens, (1 - share) * tokens / domains)
    predicted = split_losses(found, budget, domains, size, share)
    assert np.mean(np.abs(predicted / truth - 1)) < 0.02
    reached = 1.025 * law(name, size, best.pretraining_tokens, best.specialization_tokens)
    assert reached < 1.01 * truth.min()
    assert best.interval[0] <= best.pretraining_share <= best.interval[1]
    assert best.loss_interval[0] <= best.predicted_loss <= best.loss_interval[1]
    spent = size * 6 * (best.pretraining_tokens + domains * best.specialization_tokens)
    assert spent == pytest.approx(budget)


@pytest.mark.slow
def test_intervals_cover_the_best_share():
    budget, size = 6e17, 1e7
    tokens = budget / 6 / size
    share = np.linspace(0.001, 0.999, 999)
    truth = share[np.argmin(law("additive", size, share * tokens, (1 - share) * tokens / 2))]
    covered = 0
    for seed in range(12):
        found = fitted(table("additive", noise=0.01, seed=seed), forms=["additive"])
        low, high = best_split(found, budget, domains=2, parameters=size).interval
        covered += low - 0.005 <= truth <= high + 0.005  # the grid of shares
        assert high - low < 0.3
    assert covered >= 9


def test_a_few_wrong_runs_do_not_pull_it():
    runs = table("additive", domains=1, noise=0.002)["domain 0"]
    loss = runs.loss.copy()
    loss[::19] *= 1.5
    wrong = SplitRuns(runs.parameters, runs.pretraining_tokens, runs.specialization_tokens, loss)
    one = fitted({"a": runs}, forms=["additive"], domains=2)
    other = fitted({"a": wrong}, forms=["additive"], domains=2)
    shares = [
        best_split(x, 6e17, domains=2, parameters=1e7).pretraining_share for x in (one, other)
    ]
    assert shares[1] == pytest.approx(shares[0], abs=0.03)


def test_seeds_repeat(additive):
    runs, found = additive
    again = fitted(runs)
    assert again.domains["domain 0"].interval == found.domains["domain 0"].interval
    assert again.held_out == found.held_out


def test_the_held_out_are_the_largest(additive):
    runs, found = additive
    first = found.held_out[0]
    each = runs["domain 0"]
    used = compute(each, 2)
    large = (each.parameters > first.share * 3e7 * (1 + 1e-9)) | (used > first.share * used.max())
    assert first.runs == 2 * large.sum()
    assert set(first.error) == set(FORMS)
    assert first.error["additive"] < 0.01 < first.error["transferred"]


def test_without_a_size_the_best_one_is_found(additive):
    _, found = additive
    best = best_split(found, 2e17, domains=2)
    others = [
        best_split(found, 2e17, domains=2, parameters=best.parameters * factor).predicted_loss
        for factor in (0.7, 1.4)
    ]
    assert best.predicted_loss < min(others)
    # N is free at the two ends too
    assert best.no_split_loss is not None
    assert best.from_nothing_loss is not None
    assert best.predicted_loss < min(best.no_split_loss, best.from_nothing_loss)


@pytest.mark.parametrize(
    ("budget", "size", "message"),
    [
        (1e19, 3e7, "the budget of 1e+19 FLOP is outside those of the runs, "),
        (2e17, 1e9, "the size of 1e+09 parameters is outside those of the runs"),
        (1e19, 3e7, "the optimum is at the edge: pretraining_tokens of"),
        (1e14, 3e7, "the optimum is at the edge"),
    ],
)
def test_it_says_when_the_optimum_is_at_the_edge(additive, budget, size, message):
    best = best_split(additive[1], budget, domains=2, parameters=size)
    assert any(message in text for text in best.warnings)


def test_nothing_is_said_within_the_runs(additive):
    best = best_split(additive[1], 2e17, domains=2, parameters=1e7)
    assert best.warnings == ()
    assert additive[1].warnings == ()


def test_ends_that_were_not_measured_are_told_as_such():
    found = fitted(table("additive", where=grid(zeros=False)), forms=["additive"])
    best = best_split(found, 2e17, domains=2, parameters=1e7)
    assert best.no_split_loss is None
    assert best.from_nothing_loss is None
    assert sum("was measured: what is said of that" in text for text in best.warnings) == 2


def test_an_effect_that_is_not_there_is_named():
    n, d, s = grid()
    rng = np.random.default_rng(0)
    loss = 2 + 0.5 * (d / 1e9 + 0.01) ** -0.3
    runs = {"a": SplitRuns(n, d, s, loss * np.exp(0.003 * rng.normal(size=len(n))))}
    found = fitted(runs, forms=["additive", "transferred"], domains=2)
    text = " ".join(found.warnings)
    assert "the exponent s of the specialization tokens D' is not identified" in text
    assert "the exponent a of the parameters N is not identified" in text
    assert "tokens D is not" not in text
    assert best_split(found, 2e17, domains=2, parameters=1e7).pretraining_share > 0.95


def test_seeds_count_as_one_run_with_the_median_loss():
    runs = table("additive", domains=1, noise=0.0)["domain 0"]
    factor = np.array([1.0, 1.01, 0.7])  # one of the seeds went wrong
    n, d, s = (np.tile(x, 3) for x in grid())
    several = SplitRuns(n, d, s, np.concatenate([runs.loss * each for each in factor]))
    merged, wanted = several.merged(), runs.merged()
    np.testing.assert_allclose(merged.loss, wanted.loss)
    for name in ("parameters", "pretraining_tokens", "specialization_tokens"):
        np.testing.assert_array_equal(getattr(merged, name), getattr(wanted, name))


def test_losses_that_follow_no_form_are_told():
    """As those of facts: nothing is learned for a while, and then all."""
    n, d, s = grid()
    loss = 10 / (1 + (n / 1e7 * (s / 1e8 + 0.3 * d / 1e9)) ** 3)
    rng = np.random.default_rng(0)
    runs = {"a": SplitRuns(n, d, s, loss * np.exp(0.01 * rng.normal(size=len(n))))}
    found = fitted(runs, domains=2)
    assert any("the losses do not fall as any of its forms" in text for text in found.warnings)


def _together():
    n, d, _ = grid(zeros=False)
    return n, d, d / 10


def _chinchilla():
    n, _, s = grid(zeros=False)
    return n, 20 * n, s


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        (
            lambda: table("additive", where=grid(sizes=2)),
            "too few sizes to fit the exponent a of the parameters N: 2; give 3",
        ),
        (
            lambda: table("additive", where=grid(tokens=2, zeros=False)),
            "too few numbers of pretraining tokens to fit the exponent b",
        ),
        (
            lambda: table("additive", where=_together()),
            "exponent s of the specialization tokens D' is not identified: specialization_tokens "
            "follows from the other two",
        ),
        (
            lambda: table("additive", where=_chinchilla()),
            "exponent b of the pretraining tokens D is not identified",
        ),
        (
            lambda: {"a": SplitRuns(*grid(), np.full(len(grid()[0]), 2.0))},
            "exponent b of the pretraining tokens D is not identified and the exponent s",
        ),
        (lambda: {}, "there are no runs"),
    ],
)
def test_runs_that_cannot_tell_are_refused(runs, message):
    with pytest.raises(ValueError, match=message):
        fitted(runs())


def test_noise_alone_is_no_law():
    n, d, s = grid()
    loss = np.exp(0.05 * np.random.default_rng(4).normal(size=len(n)))
    with pytest.raises(ValueError, match="the loss does not change with the tokens of either"):
        fitted({"a": SplitRuns(n, d, s, loss)})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda one: SplitRuns(one, one, one, -one), "loss must be finite and > 0"),
        (lambda one: SplitRuns(one, -one, one, one), "pretraining_tokens must be finite and >= 0"),
        (lambda one: SplitRuns(one, 0 * one, 0 * one, one), "must have pretraining or special"),
    ],
)
def test_bad_runs_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.ones(3))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resamples": 1}, "resamples must be a whole number >= 2"),
        ({"level": 1.0}, "level must lie in"),
        ({"domains": 0}, "domains must be a whole number"),
    ],
)
def test_bad_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        fit_splitting(table("additive"), rng=np.random.default_rng(0), **options)


def test_a_budget_must_be_positive(additive):
    with pytest.raises(ValueError, match="budget_flops must be finite and > 0"):
        best_split(additive[1], 0, domains=2)
