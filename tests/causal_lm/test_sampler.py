import json

import numpy as np
import pytest
from scipy.stats import chisquare

from factcap.synth import BadInput

pytest.importorskip("torch")
import torch
from torch.utils.data import DataLoader, TensorDataset

from factcap.causal_lm import WeightedSampler

WEIGHTS = np.array([1.0, 0.0, 2.5, 0.25, 4.0, 1.25])


def test_each_example_is_drawn_as_often_in_an_epoch_as_its_weight_says():
    sampler = WeightedSampler(WEIGHTS, draws=100, seed=3)
    expected = 100 * WEIGHTS / WEIGHTS.sum()
    for _ in range(5):
        counts = np.bincount(list(sampler), minlength=6)
        assert counts.sum() == len(sampler) == 100
        assert np.all(np.abs(counts - expected) < 1)


def test_at_each_place_of_an_epoch_examples_are_drawn_by_their_weights():
    sampler = WeightedSampler(WEIGHTS, draws=20, seed=5)
    drawn = np.array([list(sampler) for _ in range(1500)])
    some = WEIGHTS > 0
    for place in (0, 7, 19):
        counts = np.bincount(drawn[:, place], minlength=6)
        assert counts[~some].sum() == 0
        assert chisquare(counts[some], 1500 * WEIGHTS[some] / WEIGHTS.sum()).pvalue > 0.01


def test_with_equal_weights_an_epoch_is_a_shuffle():
    sampler = WeightedSampler(np.full(50, 0.7), draws=50, seed=0)
    first, second = list(sampler), list(sampler)
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second
    assert list(WeightedSampler(np.full(50, 0.7), draws=50, seed=0)) == first
    assert list(WeightedSampler(np.full(50, 0.7), draws=50, seed=1)) != first


def test_new_weights_hold_from_the_next_draw_on():
    sampler = WeightedSampler(np.array([1.0, 1.0, 0.0]), draws=40, seed=0)
    drawn = []
    for example in sampler:
        drawn.append(example)
        if len(drawn) == 10:
            sampler.update(np.array([1.0, 0.0, 0.0]))
            sampler.update(np.array([0.0, 0.0, 3.0]))
    assert set(drawn[:10]) == {0, 1}
    assert drawn[10:] == [2] * 30
    assert list(sampler) == [2] * 40


def test_a_restored_sampler_goes_on_with_the_same_draws():
    one = WeightedSampler(WEIGHTS, draws=30, seed=2)
    states, drawn = [], []
    for _ in range(3):
        for example in one:
            drawn.append(example)
            if len(drawn) in (20, 50):
                one.update(WEIGHTS[::-1].copy() + len(drawn))
            if len(drawn) in (0, 12, 20, 29, 30, 45, 50, 77):
                states.append(json.loads(json.dumps(one.state_dict())))
    assert len(states) == 7
    for state in states:
        other = WeightedSampler(np.ones(6), draws=30, seed=0)
        other.load_state_dict(state)
        rest, left = [], drawn[state["drawn"] :]
        while len(rest) < len(left):
            for example in other:
                rest.append(example)
                if state["drawn"] + len(rest) == 50 and state["drawn"] != 50:
                    other.update(WEIGHTS[::-1].copy() + 50)
                if state["drawn"] + len(rest) == 20 and state["drawn"] != 20:
                    other.update(WEIGHTS[::-1].copy() + 20)
        assert rest == left


def test_draws_that_were_fetched_ahead_are_made_again_after_a_restart():
    """The state is that of the draws trained on; a loader with workers has made more of them."""
    sampler = WeightedSampler(np.array([1.0, 1.0, 0.0, 0.0]), draws=60, seed=4)
    fetched = iter(sampler)
    drawn = [next(fetched) for _ in range(20)]
    sampler.update(np.array([0.0, 0.0, 1.0, 1.0]))
    drawn += list(fetched)
    for trained in (12, 20, 33):
        other = WeightedSampler(np.ones(4), draws=60, seed=0)
        other.load_state_dict(sampler.state_dict(trained))
        assert list(other) == drawn[trained:]
        other.load_state_dict(sampler.state_dict(trained))
        # A loader may begin the epoch again, and skip what was trained on.
        other.set_epoch(0)
        assert list(other)[trained:] == drawn[trained:]


def test_a_loader_of_pytorch_takes_it():
    sampler = WeightedSampler(np.array([1.0, 0.0, 1.0]), draws=8, seed=0)
    data = TensorDataset(torch.tensor([10, 11, 12]))
    loader = DataLoader(data, batch_size=4, sampler=sampler)
    assert sorted(torch.cat([batch for (batch,) in loader]).tolist()) == [10] * 4 + [12] * 4


@pytest.mark.parametrize(
    ("weights", "draws", "message"),
    [
        ([1.0, -1.0], 4, "weights must be finite and >= 0; fact 1 has -1"),
        ([1.0, np.nan], 4, "weights must be finite"),
        ([0.0, 0.0], 4, "all weights are 0"),
        ([1.0, 1.0], 0, "an epoch must have at least one draw, not 0"),
    ],
)
def test_what_cannot_be_drawn_by_is_refused(weights, draws, message):
    with pytest.raises(BadInput, match=message):
        WeightedSampler(np.array(weights), draws, seed=0)


def test_weights_and_states_of_other_examples_are_refused():
    sampler = WeightedSampler(np.ones(3), draws=3, seed=0)
    with pytest.raises(BadInput, match="weights must be one number for each of the 3 facts"):
        sampler.update(np.ones(4))
    state = WeightedSampler(np.ones(4), draws=2, seed=0).state_dict()
    message = "the state is of 4 examples and 2 draws an epoch; there are 3 and 3"
    with pytest.raises(BadInput, match=message):
        sampler.load_state_dict(state)
