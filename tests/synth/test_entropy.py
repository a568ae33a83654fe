import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factcap.synth.entropy import plug_in_entropy


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 6)), max_size=40))
def test_each_group_is_that_of_its_counts(pairs):
    pairs += [(0, 5), (1, 5), (2, 0)]
    group, item = np.array(pairs).T
    estimate = plug_in_entropy(item, group)
    for number in range(3):
        counts = Counter(i for g, i in pairs if g == number)
        n = counts.total()
        bits = sum(c / n * math.log2(n / c) for c in counts.values())
        assert estimate.bits[number] == pytest.approx(bits, abs=1e-12)
        assert estimate.items[number] == n
        assert estimate.different[number] == len(counts)
        assert estimate.commonest[number] == max(counts.values()) / n


def test_the_bias_is_that_of_simulated_samples():
    rng = np.random.default_rng(0)
    probability = np.array([0.4, 0.2, 0.2, 0.1, 0.05, 0.05])
    truth = probability @ np.log2(1 / probability)
    samples, size = 4000, 200
    items = rng.choice(len(probability), p=probability, size=samples * size)
    estimate = plug_in_entropy(items, np.repeat(np.arange(samples), size))
    error_of_mean = estimate.bits.std() / math.sqrt(samples)
    shortfall = truth - estimate.bits.mean()
    assert shortfall == pytest.approx(estimate.bias_bits.mean(), abs=4 * error_of_mean)
    assert shortfall > 8 * error_of_mean
