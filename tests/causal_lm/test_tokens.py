import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.any_model import byte_level
from factcap.causal_lm.asking import continued
from factcap.causal_lm.tokens import Tokenizer, Tokens
from factcap.synth.errors import BadInput
from tests.causal_lm.models import TEXTS, metaspace


@pytest.fixture(scope="module", params=["byte level", "metaspace"])
def tokenizer(request):
    return byte_level(TEXTS, 400) if request.param == "byte level" else metaspace()


def value_of(tokenizer, text: str, value: str) -> list[str]:
    """The pieces that the value is cut into, as they stand in the vocabulary."""
    [tokens] = Tokenizer(tokenizer, "m", 500).cut([text])
    start = text.index(value)
    first, last = tokens.find(start, start + len(value))
    return [
        piece.replace("Ġ", "_").replace("▁", "_")
        for piece in tokenizer.convert_ids_to_tokens(tokens.ids[first:last])
    ]


@pytest.mark.parametrize(
    ("text", "value", "wanted"),
    [
        ("Bo Ade was born in Rome", "Rome", "_Rome"),
        ("Bo Ade was born in Rome.", "Rome", "_Rome"),
        ("Ana Eck was born in New York", "New York", "_New_York"),
        ("Kim Ode is Porto (Portugal).", "Porto", "_Porto"),
        ("is in Roma", "Roma", "_Roma"),
    ],
)
def test_the_space_goes_with_the_value_and_nothing_else_does(tokenizer, text, value, wanted):
    assert "".join(value_of(tokenizer, text, value)) == wanted


def test_a_value_behind_a_bracket_is_without_it():
    assert (
        "".join(value_of(byte_level(TEXTS, 400), "is Porto (Portugal).", "Portugal")) == "Portugal"
    )


def test_a_text_is_cut_as_one_piece(tokenizer):
    """Not prompt and value apart: the last space of a prompt would be a token of its own."""
    before, value = "Bo Ade was born in ", "Rome"
    [passage] = continued(Tokenizer(tokenizer, "m", 500), [(before, value)])
    assert passage.tokens.tolist() == tokenizer(before + value)["input_ids"]
    apart = tokenizer(before)["input_ids"] + tokenizer(value, add_special_tokens=False)["input_ids"]
    assert passage.tokens.tolist() != apart
    [(start, end)] = passage.spans
    assert end == len(passage.tokens)
    assert tokenizer.decode(passage.tokens[start:end].tolist()).strip() == value


def test_bytes_of_one_character_are_all_of_its_value():
    tokenizer = byte_level(TEXTS, 400)
    pieces = value_of(tokenizer, "Bo Ade was born in 東京.", "東京")
    assert pieces[0] == "_"
    assert len(pieces) == 1 + len("東京".encode())


def test_a_token_that_reaches_into_the_value_is_the_values():
    tokenizer = metaspace(["in_Rome in_Rome in_Rome"], 40)
    assert value_of(tokenizer, "Bo in_Rome", "Rome") == ["_in_Rome"]


def test_what_a_tokenizer_puts_behind_a_text_is_left_out():
    from tokenizers import processors

    tokenizer = metaspace()
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    [tokens] = Tokenizer(tokenizer, "m", 500).cut(["Bo Ade"])
    assert tokens.ids[0] == 1
    assert 2 not in tokens.ids


def test_a_text_that_begins_with_its_value_gets_a_start_token(tokenizer):
    [passage] = continued(Tokenizer(tokenizer, "m", 500), [("", "Rome")])
    assert passage.spans[0][0] == 1
    assert passage.tokens[0] == tokenizer.bos_token_id
    assert np.count_nonzero(passage.tokens == tokenizer.bos_token_id) == 1
    bare = byte_level(TEXTS, 400)
    bare.bos_token = bare.eos_token = None
    with pytest.raises(BadInput, match="no start token"):
        list(continued(Tokenizer(bare, "m", 500), [("", "Rome")]))
    assert list(continued(Tokenizer(bare, "m", 500), [("Bo Ade was born in ", "Rome")]))


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.integers(0, 2**32 - 1))
def test_the_tokens_of_characters_are_found_as_one_would_by_looking_at_each(lengths, seed):
    """Tokens of several characters or none, some characters told by several tokens."""
    rng = np.random.default_rng(seed)
    text = "".join(rng.choice(list("ab  "), 3 * len(lengths)))
    starts, ends, at = [], [], 0
    for length in lengths:
        back = int(rng.integers(0, 2)) if starts and length else 0
        starts.append(max(starts[-1] if starts else 0, at - back))
        ends.append(max(at, starts[-1] + length))
        at = ends[-1] + int(rng.integers(0, 2))
    tokens = Tokens(text, list(range(len(starts))), starts, ends)
    start, end = sorted(rng.choice(len(text) + 1, 2, replace=False).tolist())
    with_space = start - (start > 0 and text[start - 1] == " ")
    theirs = [
        number
        for number, (first, last) in enumerate(zip(starts, ends, strict=True))
        if first < end and (last > start or (first >= with_space and last > with_space))
    ]
    wanted = (theirs[0], theirs[-1] + 1) if theirs else (0, 0)
    assert tokens.find(start, end) == wanted


def test_a_value_that_cannot_be_written_is_named():
    words = Tokenizer(metaspace(), "the model", 500)
    with pytest.raises(BadInput, match=r"the model cannot write 'Żary' after '.*in '"):
        list(continued(words, [("Bo Ade was born in ", "Rome"), ("Ana Eck was born in ", "Żary")]))
    # A tokenizer without an unknown token drops what it does not know, and says nothing.
    silent = metaspace()
    silent.unk_token = None
    definition = silent.backend_tokenizer
    definition.model.unk_token = None
    with pytest.raises(BadInput, match="cannot write 'Żary'"):
        list(continued(Tokenizer(silent, "m", 500), [("Bo Ade was born in ", "Żary")]))


def test_a_token_that_the_model_does_not_know(tokenizer):
    with pytest.raises(BadInput, match=r"the tokenizer of m is not its own: .* knows 9 tokens"):
        Tokenizer(tokenizer, "m", 9).cut(["Bo Ade was born in Rome"])
