import pytest
from hypothesis import given
from hypothesis import strategies as st

from factcap.synth import BadInput
from factcap.synth.generators.pieces import learn_pieces, tokenize

words = st.lists(st.text("abc. ", min_size=1, max_size=9), min_size=1, max_size=12)


def groups(words, length):
    return [word[i : i + length] for word in words for i in range(len(word) - length + 1)]


def saving(words, group):
    return groups(words, len(group)).count(group) * (len(group) - 1)


def different_pieces(words):
    return {group for length in range(1, 5) for group in groups(words, length)}


@given(words, st.data())
def test_pieces_are_the_characters_and_the_groups_that_save_most(words, data):
    characters = set("".join(words))
    everything = different_pieces(words)
    size = data.draw(st.integers(len(characters), len(everything)))
    pieces = learn_pieces(words, size)
    assert len(pieces) == len(set(pieces)) == size
    assert set(pieces[: len(characters)]) == characters
    taken = [saving(words, group) for group in pieces[len(characters) :]]
    left = [saving(words, group) for group in everything - set(pieces)]
    assert taken == sorted(taken, reverse=True)
    assert not taken or not left or min(taken) >= max(left)
    assert pieces == learn_pieces(words[::-1], size)


@given(words, st.data())
def test_words_are_cut_by_the_longest_piece_from_the_left(words, data):
    everything = different_pieces(words)
    size = data.draw(st.integers(len(set("".join(words))), len(everything)))
    pieces = learn_pieces(words, size)
    for word, ids in zip(words, tokenize(words, pieces), strict=True):
        rest = word
        for number in ids:
            assert pieces[number] == max(filter(rest.startswith, pieces), key=len)
            rest = rest.removeprefix(pieces[number])
        assert rest == ""


@pytest.mark.parametrize("size", [2, 100])
def test_a_vocabulary_that_cannot_be_is_refused(size):
    with pytest.raises(BadInput, match=f"{size}.*pieces|pieces.*{size}"):
        learn_pieces(["cab", "bac"], size)
