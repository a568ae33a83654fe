import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factcap.capacity.splitting import (
    UniformDomains,
    paying_range,
    power_law_domains,
    uniform_ways,
    ways,
)


@given(st.integers(1, 6), st.integers(0, 30), st.integers(0, 30), st.floats(0.1, 400))
def test_closed_form_is_the_bound_of_equal_frequencies(k, private, shared, capacity):
    if private + shared == 0:
        return
    domains = UniformDomains(k, private, shared, 16.0)
    closed = uniform_ways(domains, capacity)
    frequency = power_law_domains(k, private, shared, 0.0)
    bound = ways(frequency, 16.0, capacity, kind="all_or_nothing")
    for way in ("one", "branches", "one_large"):
        np.testing.assert_allclose(getattr(closed, way), getattr(bound, way), atol=1e-9)


@pytest.mark.parametrize(("k", "private", "shared"), [(2, 2, 1), (3, 1, 1), (2, 1, 2)])
@pytest.mark.parametrize("fitting", [1, 2, 3, 4])
def test_no_choice_of_whole_facts_knows_more(k, private, shared, fitting):
    """Every set of facts that fits, tried."""
    domains = UniformDomains(k, private, shared, 2.0**40)
    asked = power_law_domains(k, private, shared, 0.0)
    sets = itertools.combinations(range(asked.shape[1]), min(fitting, asked.shape[1]))
    best = max(asked[:, list(chosen)].sum(axis=1).mean() for chosen in sets)
    found = uniform_ways(domains, fitting * 40.0)
    assert found.one.mean() == pytest.approx(best, abs=1e-9)
    alone = max(
        asked[0, list(chosen)].sum()
        for chosen in itertools.combinations(range(asked.shape[1]), min(fitting, private + shared))
    )
    assert found.branches[0] == pytest.approx(alone, abs=1e-9)


@given(
    st.integers(2, 5),
    st.integers(1, 20),
    st.integers(0, 20),
    st.floats(0, 1.5),
    st.floats(1, 300),
    st.sampled_from(["rate_distortion", "all_or_nothing"]),
)
def test_more_memory_never_knows_less(k, private, shared, exponent, capacity, kind):
    found = ways(power_law_domains(k, private, shared, exponent), 8.0, capacity, kind=kind)
    assert found.one.mean() <= found.branches.mean() + 1e-6
    assert found.branches.mean() <= found.one_large.mean() + 1e-6


@pytest.mark.parametrize(
    ("k", "private", "shared"), [(2, 10, 0), (4, 10, 5), (3, 5, 20), (1, 9, 1)]
)
def test_branching_pays_within_the_range_and_only_there(k, private, shared):
    domains = UniformDomains(k, private, shared, 4.0)
    low, high = paying_range(domains)
    for capacity in np.linspace(0.5, 1.2 * domains.all_bits, 60):
        found = uniform_ways(domains, capacity)
        gain = found.branches[0] - found.one[0]
        assert (gain > 1e-12) == (low < capacity < high)
        stored = min(capacity / 2.0, domains.asked)
        if low < capacity < high and stored == capacity / 2.0:
            # what stands in the docstring; facts not stored are guessed
            facts = (1 - 1 / k) * (stored - shared) * (1 - 1 / 4.0)
            assert gain * domains.asked == pytest.approx(facts)


def test_bits_add_up():
    domains = UniformDomains(3, 100, 50, 4.0)
    assert (domains.domain_bits, domains.shared_bits, domains.all_bits) == (300, 100, 700)
    # all branches know everything from the bits of a domain on, the one model from all bits on
    assert uniform_ways(domains, 300).branches.tolist() == [1, 1, 1]
    assert uniform_ways(domains, 299).branches[0] < 1
    assert uniform_ways(domains, 700).one[0] == 1 > uniform_ways(domains, 699).one[0]


def test_the_power_law_is_the_same_within_each_domain():
    asked = power_law_domains(4, 6, 3, 1.2)
    wanted = np.sort(np.arange(1.0, 10) ** -1.2)[::-1]
    for row in asked:
        np.testing.assert_allclose(np.sort(row[row > 0])[::-1], wanted / wanted.sum())
    assert ((asked > 0).sum(axis=0) == [4] * 3 + [1] * 24).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: UniformDomains(0, 1, 1, 4.0), "domains must be a whole number >= 1"),
        (lambda: UniformDomains(2, 0, 0, 4.0), "a domain needs a fact"),
        (lambda: UniformDomains(2, 1, -1, 4.0), "shared must be a whole number >= 0"),
        (lambda: UniformDomains(2, 1, 1, 1.0), "choices must be above 1"),
        (lambda: uniform_ways(UniformDomains(2, 1, 1, 4.0), 0), "capacity_bits must be finite"),
        (lambda: power_law_domains(2, 1, 1, -1), "exponent must be finite and >= 0"),
        (lambda: ways([[0.5, 0.6]], 4, 10), "must sum to 1 in each domain"),
        (lambda: ways([0.5, 0.5], 4, 10), "one row a domain"),
        (lambda: ways([[1.0]], 4, 10, kind="luck"), "kind must be one of all_or_nothing"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
