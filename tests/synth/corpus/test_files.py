import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factcap.synth import BadInput
from factcap.synth.corpus import Document, Span, load_documents, read_documents, write_documents

words = st.text("aé字 'x.\n\"", min_size=1, max_size=6)
GOOD = {"id": "a", "text": "Bo is from Rome."}
ROME = {"entity": "Bo", "relation": "r", "value": "Rome", "start": 11, "end": 15}


# A text is a beginning, then marked values, each with an entity, a relation and what follows.
marked = st.lists(st.tuples(words, words, words, words), max_size=3)


def document(number, text, pieces):
    spans = []
    for entity, relation, value, after in pieces:
        spans.append(Span(entity, relation, value, len(text), len(text + value)))
        text += value + after
    return Document(f"{number}", text, tuple(spans))


@given(st.lists(st.tuples(words, marked), min_size=1, max_size=4))
@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_what_is_written_is_read(tmp_path_factory, suffix, parts):
    path = tmp_path_factory.mktemp("documents") / f"d.{suffix}"
    documents = tuple(document(number, *part) for number, part in enumerate(parts))
    assert write_documents(iter(documents), path) == len(documents)
    assert load_documents(path) == documents


def test_a_document_without_marks_needs_no_column_of_them(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"id": "a", "text": "t", "more": 1}\n\n')
    pq.write_table(pa.table({"text": ["t"], "id": ["a"], "more": [1]}), tmp_path / "a.parquet")
    for name in ("a.jsonl", "a.parquet"):
        assert load_documents(tmp_path / name) == (Document("a", "t"),)


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    def broken():
        yield Document("a", "t")
        raise KeyError

    for name in ("a.jsonl", "a.parquet"):
        with pytest.raises(KeyError):
            write_documents(broken(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []
    write_documents([Document("a", "t")], tmp_path / "a.jsonl")
    with pytest.raises(BadInput, match="exists"):
        write_documents([], tmp_path / "a.jsonl")
    with pytest.raises(BadInput, match=r"must be \.jsonl or \.parquet"):
        write_documents([], tmp_path / "a.txt")
    with pytest.raises(BadInput, match="does not exist"):
        write_documents([], tmp_path / "no" / "a.jsonl")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": ""}, "a document has no id"),
        ({"id": 3}, "'id' must be text"),
        ({"text": None}, "'text' must be text"),
        ({"text": ""}, "has no text"),
        ({"spans": 1}, "'spans' must be a list"),
        ({"spans": [1]}, "a span must be an object"),
        ({"spans": [{**ROME, "start": "11"}]}, "'start' of a span must be a whole number"),
        ({"spans": [{**ROME, "start": True}]}, "'start' of a span must be a whole number"),
        ({"spans": [{**ROME, "value": 3}]}, "'value' of a span must be text, not 3"),
        ({"spans": [{**ROME, "end": 99}]}, "characters 11 to 99 of the document 'a' are no span"),
        ({"spans": [{**ROME, "start": -5}]}, "are no span"),
        ({"spans": [ROME, ROME]}, "follows the one before"),
        ({"spans": [{**ROME, "end": 14}]}, "are 'Rom', not the value 'Rome'"),
        ({"spans": [{**ROME, "entity": ""}]}, "has no entity"),
        ({"spans": [{**ROME, "relation": ""}]}, "has no relation"),
    ],
)
def test_a_bad_row_is_named(tmp_path, change, message):
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(GOOD | {"id": "z"}) + "\n" + json.dumps(GOOD | change) + "\n")
    with pytest.raises(BadInput, match=message) as caught:
        load_documents(path)
    assert str(caught.value).startswith(f"{path}: row 2: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", b"{}\n{", "row 1: 'id' must be text"),
        ("a.jsonl", b'{"id": "a", "text": "t"}\n{', "row 2 is not valid JSON"),
        ("a.jsonl", b"[1]\n", "row 1: it is not an object"),
        ("a.jsonl", b"\xff\xfe", "not UTF-8"),
        ("a.jsonl", b"", "is empty"),
        ("a.jsonl", b'{"id": "a", "text": "t"}\n' * 2, "two documents have the id 'a'"),
        ("a.parquet", b"PAR1", "cannot be read as Parquet"),
        ("a.csv", b"", "the suffix must be"),
    ],
)
def test_a_bad_file_is_refused_in_one_line(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BadInput, match=message) as caught:
        load_documents(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_columns_and_missing_files_are_refused(tmp_path):
    pq.write_table(pa.table({"body": ["t"]}), tmp_path / "a.parquet")
    with pytest.raises(BadInput, match="has no column 'id'; it has body"):
        load_documents(tmp_path / "a.parquet")
    with pytest.raises(BadInput, match="is not a file"):
        next(read_documents(tmp_path / "b.parquet"))
