import math

import numpy as np
import pytest

from factcap.synth import BadInput, rules_and_facts


def test_rules_are_followed_and_facts_are_coins():
    drawn = rules_and_facts(20_000, 10, 0.3, seed=1)
    assert drawn.inputs.shape == (len(drawn), 10) == (20_000, 10)
    assert np.linalg.norm(drawn.teacher) == pytest.approx(math.sqrt(10))
    assert set(drawn.labels) == {-1.0, 1.0}
    agrees = drawn.labels == np.sign(drawn.inputs @ drawn.teacher)
    assert agrees[~drawn.is_fact].all()
    facts = drawn.is_fact.sum()
    assert abs(facts / 20_000 - 0.3) < 4 * math.sqrt(0.3 * 0.7 / 20_000)
    # a coin is fair and knows neither rule nor input
    assert abs(agrees[drawn.is_fact].mean() - 0.5) < 2 / math.sqrt(facts)
    assert abs(drawn.labels[drawn.is_fact].mean()) < 4 / math.sqrt(facts)
    assert np.abs(np.corrcoef(drawn.inputs.T) - np.eye(10)).max() < 0.05
    assert drawn.inputs.std() == pytest.approx(1, abs=0.01)


def test_the_same_seed_is_the_same_and_the_smaller_set_a_prefix():
    small, large = rules_and_facts(50, 7, 0.4, seed=3), rules_and_facts(80, 7, 0.4, seed=3)
    assert np.array_equal(small.inputs, large.inputs[:50])
    assert np.array_equal(small.labels, large.labels[:50])
    assert np.array_equal(small.teacher, large.teacher)
    other = rules_and_facts(50, 7, 0.4, seed=4)
    assert not np.array_equal(small.inputs, other.inputs)
    assert not np.array_equal(small.teacher, other.teacher)


def test_a_larger_share_makes_facts_of_more_of_the_same_points():
    few, many = rules_and_facts(500, 7, 0.2), rules_and_facts(500, 7, 0.6)
    assert np.array_equal(few.inputs, many.inputs)
    assert np.all(many.is_fact[few.is_fact])
    assert np.array_equal(few.labels[few.is_fact], many.labels[few.is_fact])
    assert not rules_and_facts(500, 7, 0.0).is_fact.any()
    assert rules_and_facts(500, 7, 1.0).is_fact.all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 5, 0.1, 0), "points must be at least 1, not 0"),
        ((5, 0, 0.1, 0), "dimension must be at least 1, not 0"),
        ((5, 5, 1.5, 0), r"epsilon must lie in \[0, 1\], not 1.5"),
        ((5, 5, math.nan, 0), r"epsilon must lie in \[0, 1\], not nan"),
        ((5, 5, 0.1, -1), "seed must be >= 0, not -1"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    *positional, seed = arguments
    with pytest.raises(BadInput, match=message):
        rules_and_facts(*positional, seed=seed)
