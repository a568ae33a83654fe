import pytest
from hypothesis import given
from hypothesis import strategies as st

from factcap.models import chain, product, zipped
from factcap.synth import BadInput

AXES = st.dictionaries(st.sampled_from("abcd"), st.lists(st.integers(), max_size=3), max_size=4)


@given(AXES)
def test_a_product_has_every_combination_once_and_in_order(axes):
    made = product(**axes)
    size = 1
    for values in axes.values():
        size *= len(values)
    assert len(made) == size
    for number, config in enumerate(made):
        assert list(config) == list(axes)
        for name in reversed(list(axes)):
            number, place = divmod(number, len(axes[name]))
            assert config[name] == axes[name][place]


@given(AXES, st.lists(st.integers(), max_size=3))
def test_parts_of_a_product_are_axes(axes, seeds):
    parted = product(product(**axes), seed=seeds)
    assert parted == product(**axes, seed=seeds)
    assert chain(parted, parted) == parted * 2


def test_what_does_not_fit_is_said():
    with pytest.raises(BadInput, match=r"one length, not \{'a': 2, 'b': 1\}"):
        zipped(a=[1, 2], b=[3])
    with pytest.raises(BadInput, match="a is given by two parts"):
        product([{"a": 1}], a=[2])
