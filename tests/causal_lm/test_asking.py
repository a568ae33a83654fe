import json
import shutil

import numpy as np
import pytest

from factcap.causal_lm.asking import ask, read_facts
from factcap.causal_lm.checkpoint import load_checkpoint
from factcap.causal_lm.measuring import measure
from factcap.synth import bitstrings, phonebook, triples, write
from factcap.synth.corpus import Document, Span, write_documents
from factcap.synth.errors import BadInput
from tests.causal_lm.models import save_model
from tests.conftest import make_facts


@pytest.fixture(scope="module")
def gpt2(folders):
    return load_checkpoint(str(folders["gpt2"]))


def document(name: str, text: str, *facts: tuple[str, str, str]) -> Document:
    spans = []
    for entity, relation, value in facts:
        start = text.index(value, spans[-1].end if spans else 0)
        spans.append(Span(entity, relation, value, start, start + len(value)))
    return Document(name, text, tuple(spans))


DOCUMENTS = (
    document(
        "a", "Bo comes from Rome; his field is law.", ("Bo", "born", "Rome"), ("Bo", "is", "law")
    ),
    document("b", "Nothing is marked here."),
    document("c", "Rome is where Bo was born.", ("Bo", "born", "Rome")),
    document("d", "Ana was born in Lima.", ("Ana", "born", "Lima")),
)


@pytest.mark.parametrize("keyless", [False, True])
def test_a_fact_set_is_asked_by_its_tokens(tmp_path, keyless):
    facts = make_facts(20, keys=(0, 3) if keyless else (2, 3), exponent=1.0)
    write(facts, tmp_path / "f.parquet")
    vocabulary = facts.vocabulary_size + keyless
    folder = save_model(tmp_path / "m", "gpt_neox", vocabulary=vocabulary, context=16)
    checkpoint = load_checkpoint(str(folder), tokenizer=False)
    asked = ask(checkpoint, read_facts(tmp_path / "f.parquet"))
    for row, passage in enumerate(asked.passages):
        key, length = int(facts.key_length[row]), int(facts.length[row])
        tokens = facts.tokens[row, :length].tolist()
        assert passage.tokens.tolist() == [facts.vocabulary_size] * keyless + tokens
        assert passage.spans == ((key + keyless, length + keyless),)
    found = measure(checkpoint, asked)
    np.testing.assert_array_equal(found.measurement.entropy_bits, facts.entropy_bits)
    np.testing.assert_array_equal(found.measurement.frequency, facts.frequency)
    assert found.facts.relations == ("test",) * 20


def test_relations_of_a_fact_set_of_triples(tmp_path, gpt2):
    rows = "subject,relation,object\nBo,born in,Rome\nAna,field,law\n"
    (tmp_path / "facts.csv").write_text(rows)
    facts = triples(tmp_path / "facts.csv")
    folder = save_model(tmp_path / "m", "gpt2", vocabulary=facts.vocabulary_size)
    asked = ask(load_checkpoint(str(folder), tokenizer=False), facts)
    assert asked.facts.relations == ("born in", "field")


def test_a_model_of_another_vocabulary_is_refused(gpt2):
    facts = phonebook(5, digits=2)
    with pytest.raises(BadInput, match=r"the fact set has 2\d\d token ids, .* has 3\d\d"):
        ask(gpt2, facts)


def test_documents_are_asked_at_their_places(tmp_path, gpt2):
    write_documents(DOCUMENTS, tmp_path / "d.jsonl")
    asked = ask(gpt2, read_facts(tmp_path / "d.jsonl"))
    assert asked.facts.entities == ("Bo", "Bo", "Ana")
    assert asked.facts.values == ("Rome", "law", "Lima")
    np.testing.assert_allclose(asked.facts.entropy_bits, [1, 0, 1])
    np.testing.assert_allclose(asked.facts.frequency, [0.5, 0.25, 0.25])
    assert asked.fact_of_prompt.tolist() == [0, 0, 1, 2]
    # Spans are numbered document by document, prompts fact by fact.
    assert asked.prompt_of_span.tolist() == [0, 2, 1, 3]
    words = gpt2.tokenizer
    assert [len(passage.spans) for passage in asked.passages] == [2, 1, 1]
    said = [
        words.decode(passage.tokens[start:end].tolist())
        for passage in asked.passages
        for start, end in passage.spans
    ]
    assert said == [" Rome", " law", "Rome", " Lima"]
    assert {int(passage.tokens[0]) for passage in asked.passages} == {words.bos_token_id}
    found = measure(gpt2, asked)
    np.testing.assert_allclose(
        found.measurement.nll_bits,
        [found.nll_bits_of_prompt[:2].mean(), *found.nll_bits_of_prompt[2:]],
        rtol=1e-6,
    )


def test_what_the_context_cannot_hold(tmp_path, gpt2):
    long = document("a", "Bo " + "and so " * 40 + "is from Rome.", ("Bo", "born", "Rome"))
    with pytest.raises(BadInput, match="holds 64 tokens; a fact with what is read before"):
        ask(gpt2, (long,))
    facts = bitstrings(3, vocabulary=30, length=10)
    folder = save_model(tmp_path / "m", "llama", vocabulary=30, context=9)
    assert ask(load_checkpoint(str(folder), tokenizer=False), facts).passages[0].read == 9
    folder = save_model(tmp_path / "n", "llama", vocabulary=30, context=8)
    with pytest.raises(BadInput, match=r"holds 8 tokens; .* takes 9"):
        ask(load_checkpoint(str(folder), tokenizer=False), facts)


def test_what_is_read_is_known_by_its_columns(tmp_path, gpt2):
    write(phonebook(3, digits=2), tmp_path / "f.parquet")
    write_documents(DOCUMENTS, tmp_path / "d.parquet")
    for name, kind in (("f.parquet", "a fact set"), ("d.parquet", "documents")):
        with pytest.raises(BadInput, match=f"needs no templates: it is {kind}"):
            read_facts(tmp_path / name, tmp_path / "templates.jsonl")
    (tmp_path / "bad.parquet").write_bytes(b"PAR1")
    with pytest.raises(BadInput, match="not a readable Parquet file"):
        read_facts(tmp_path / "bad.parquet")
    with pytest.raises(BadInput, match="does not exist"):
        read_facts(tmp_path / "absent.parquet")
    (tmp_path / "bare.jsonl").write_text(json.dumps({"text": "x", "spans": [], "id": "a"}) + "\n")
    with pytest.raises(BadInput, match="no document has a marked fact"):
        ask(gpt2, read_facts(tmp_path / "bare.jsonl"))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda at: at.mkdir(), "is no model of transformers: it has no config.json"),
        (lambda at: at.write_text("x"), "is a file; give the folder"),
        (lambda at: None, "does not exist; give the folder of a model, or its id"),
    ],
)
def test_what_is_no_model(tmp_path, make, message):
    make(tmp_path / "m")
    with pytest.raises(BadInput, match=message):
        load_checkpoint(str(tmp_path / "m"))


def test_models_that_are_not_whole(tmp_path, folders):
    for name in ("no_weights", "no_words", "other", "bad"):
        shutil.copytree(folders["gpt2"], tmp_path / name)
    (tmp_path / "no_weights" / "model.safetensors").unlink()
    (tmp_path / "bad" / "model.safetensors").write_bytes(b"x" * 100)
    for path in (tmp_path / "no_words").glob("tokenizer*"):
        path.unlink()
    entry = json.loads((tmp_path / "other" / "config.json").read_text())
    (tmp_path / "other" / "config.json").write_text(json.dumps({**entry, "n_layer": 3}))
    for name, message in (
        ("no_weights", "no causal language model that can be loaded"),
        ("bad", "no causal language model that can be loaded"),
        ("no_words", "has no tokenizer; text needs one"),
        ("other", "no whole causal language model: it lacks 12 parameters"),
    ):
        with pytest.raises(BadInput, match=message) as caught:
            load_checkpoint(str(tmp_path / name))
        assert "\n" not in str(caught.value)
    assert load_checkpoint(str(tmp_path / "no_words"), tokenizer=False).tokenizer is None


def test_devices_and_precisions(folders):
    with pytest.raises(BadInput, match="there is no device 'abacus' here"):
        load_checkpoint(str(folders["gpt2"]), device="abacus")
    with pytest.raises(BadInput, match="precision must be float32 or bfloat16, not 'int8'"):
        load_checkpoint(str(folders["gpt2"]), precision="int8")
    half = load_checkpoint(str(folders["gpt2"]), precision="bfloat16")
    whole = load_checkpoint(str(folders["gpt2"]), device="cpu")
    assert half.parameters == whole.parameters
    assert 2 * half.bytes == whole.bytes
    assert half.fingerprint() != whole.fingerprint()
    assert load_checkpoint(str(folders["gpt2"])).fingerprint() == whole.fingerprint()
