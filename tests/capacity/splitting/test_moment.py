import math

import numpy as np
import pytest

from factcap.capacity.splitting import (
    Learning,
    UniformDomains,
    best_moment,
    facts_known,
    full_at,
)


class Memory:
    """Facts stored one by one as they are drawn, in a model that holds so many of them."""

    def __init__(self, domains: UniformDomains, fitting: int, learning: Learning, rng):
        self.domains, self.fitting, self.rng = domains, fitting, rng
        self.rate, self.lag = learning.rate, learning.lag
        self.stored = np.zeros(domains.shared + domains.domains * domains.private, bool)
        self.drawn = np.zeros(len(self.stored))

    def asked_by(self, domain):
        first = self.domains.shared + domain * self.domains.private
        return np.r_[: self.domains.shared, first : first + self.domains.private]

    def train(self, draws, domain=None, overwriting=0.0):
        shared, k = self.domains.shared, self.domains.domains
        own = set() if domain is None else set(self.asked_by(domain).tolist())
        for _ in range(draws):
            asked = self.asked_by(self.rng.integers(k) if domain is None else domain)
            fact = self.rng.choice(asked)
            self.drawn[fact] += 1
            if self.drawn[fact] <= self.lag:
                continue
            if self.stored[fact] or self.rng.random() > self.rate:
                continue
            if self.stored.sum() >= self.fitting:
                # the trunk lets go of a private fact for a shared one, a branch of another domain's
                others = [
                    i
                    for i in np.flatnonzero(self.stored)
                    if (i >= shared if domain is None else i not in own)
                ]
                if domain is None and fact >= shared:
                    continue
                if not others or self.rng.random() > 1 / (1 + overwriting):
                    continue
                self.stored[self.rng.choice(others)] = False
            self.stored[fact] = True


def simulated(domains, fitting, learning, budget, trunk, seeds=6):
    found = []
    for seed in range(seeds):
        memory = Memory(domains, fitting, learning, np.random.default_rng(seed))
        memory.train(trunk)
        before, drawn = memory.stored.copy(), memory.drawn.copy()
        for domain in range(domains.domains):
            memory.stored, memory.drawn = before.copy(), drawn.copy()
            left = (budget - trunk) // domains.domains
            memory.train(left, domain, learning.overwriting)
            found.append(memory.stored[memory.asked_by(domain)].sum())
    return np.mean(found)


CASES = [
    (UniformDomains(3, 40, 0, 2.0**10), 50, Learning(0.2)),
    (UniformDomains(3, 30, 30, 2.0**10), 70, Learning(0.2)),
    (UniformDomains(2, 40, 20, 2.0**10), 45, Learning(0.15, lag=6)),
    (UniformDomains(3, 30, 20, 2.0**10), 60, Learning(0.2, overwriting=2.0)),
]


@pytest.mark.parametrize(("domains", "fitting", "learning"), CASES)
def test_facts_are_known_as_in_a_simulation(domains, fitting, learning):
    budget = 2400
    shares = [0.0, 0.25, 0.5, 0.75, 1.0]
    theory = facts_known(domains, 10.0 * fitting, learning, budget, np.multiply(shares, budget))
    for share, known in zip(shares, theory, strict=True):
        found = simulated(domains, fitting, learning, budget, int(share * budget))
        assert found == pytest.approx(known, abs=0.05 * domains.asked), share


@pytest.mark.parametrize(("domains", "fitting", "learning"), CASES)
@pytest.mark.parametrize("budget", [500, 3000, 20_000])
def test_nothing_on_a_grid_is_better_than_the_best_moment(domains, fitting, learning, budget):
    found = best_moment(domains, 10.0 * fitting, learning, budget)
    grid = np.linspace(0, budget, 997)
    known = facts_known(domains, 10.0 * fitting, learning, budget, grid)
    assert known.max() <= found.known * (1 + 2e-6)
    assert 0 <= found.earliest <= found.share <= 1
    tied = facts_known(domains, 10.0 * fitting, learning, budget, found.earliest * budget)
    assert tied == pytest.approx(found.known, rel=1e-5)


def test_the_trunk_is_full_when_what_it_holds_says_so():
    domains, learning = UniformDomains(4, 100, 50, 2.0**10), Learning(0.1, lag=3)
    draws = full_at(domains, 2000.0, learning)
    each = draws / domains.asked
    held = 50 * -math.expm1(-0.1 * (each - 3)) + 400 * -math.expm1(-0.1 * (each / 4 - 3))
    assert held * 10 == pytest.approx(2000)
    assert full_at(domains, 4500.0, learning) == math.inf


def test_branching_waits_for_the_full_trunk():
    learning = Learning(0.05)
    for k in (2, 4, 8):
        for shared in (0, 30, 60):
            domains = UniformDomains(k, 90 - shared, shared, 2.0**10)
            for load in (1.2, 2.0):
                capacity = domains.all_bits / load
                found = best_moment(domains, capacity, learning, 30_000)
                assert found.draws >= min(found.full, 30_000) * (1 - 1e-3)
                if shared == 0 and found.known < 0.999 * min(capacity / 10, 90):
                    assert found.share == pytest.approx(found.full / 30_000, rel=1e-3)


def test_a_model_that_holds_everything_is_not_split():
    """Where a fact is shared, later is better to the end."""
    domains = UniformDomains(3, 40, 20, 2.0**10)
    assert best_moment(domains, domains.all_bits, Learning(0.05), 3000).share == 1


def test_the_moment_moves_with_load_and_cost_of_overwriting():
    def full(domains, load):
        return full_at(domains, domains.all_bits / load, Learning(0.05))

    domains = UniformDomains(4, 60, 30, 2.0**10)
    assert full(domains, 1.2) > full(domains, 1.5) > full(domains, 3.0)
    # more domains fill it sooner, relative to the draws that their facts need
    capacity = 1500.0
    by_k = [
        full_at(UniformDomains(k, 60, 30, 2.0**10), capacity, Learning(0.05)) for k in (3, 4, 8)
    ]
    assert by_k == sorted(by_k, reverse=True)
    shares = [
        best_moment(
            UniformDomains(8, 60, 60, 2.0**10), 1200.0, Learning(0.05, overwriting=cost), 40_000
        ).share
        for cost in (0.0, 0.5, 1.0)
    ]
    assert shares[0] > shares[1] > shares[2]


def test_what_specialization_forgets_moves_it_to_the_beginning():
    def best(shared, carried):
        domains = UniformDomains(4, 60 - shared, shared, 2.0**10)
        return best_moment(domains, 1000.0, Learning(0.05, carried=carried), 12_000).share

    assert best(0, 0.5) == 0 < best(0, 1.0)
    assert 0 < best(30, 0.5) <= best(30, 1.0)


def test_progress_before_the_lag_is_carried_over():
    """Half of the lag in the trunk, half in the branch."""
    domains, learning = UniformDomains(2, 50, 0, 2.0**10), Learning(0.5, lag=20)
    known = facts_known(domains, 10_000.0, learning, 4400, [0, 1000, 2000])
    np.testing.assert_allclose(known, 50 * -math.expm1(-0.5 * 24))
    forgetful = Learning(0.5, lag=20, carried=0.0)
    assert facts_known(domains, 10_000.0, forgetful, 4400, 3000) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d: Learning(0), "rate must be finite and > 0"),
        (lambda d: Learning(1, lag=-1), "lag must be finite and >= 0"),
        (lambda d: Learning(1, carried=2), r"carried must lie in \[0, 1\]"),
        (
            lambda d: facts_known(d, 10, Learning(1), 100, 101),
            r"trunk_draws must lie in \[0, 100\]",
        ),
        (lambda d: full_at(d, math.inf, Learning(1)), "capacity_bits must be finite"),
        (lambda d: best_moment(d, 10, Learning(1), 0), "budget_draws must be finite and > 0"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(UniformDomains(2, 10, 10, 4.0))
