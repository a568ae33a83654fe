"""A corpus cut into parts, and read."""

import gzip
import json
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factcap.synth.counting.pieces import Piece, corpus_files, cut_corpus
from factcap.synth.counting.texts import read_blocks
from factcap.synth.errors import BadInput

TEXTS = ["one", "zwei: ü", "", 'three\nlines\tin "one"', "4" * 300]


def texts_of(files, size=1 << 20, column="text"):
    parts = cut_corpus(files, size)
    return [
        text.decode("utf-8", "surrogatepass")
        for part in parts
        for piece in part
        for block in read_blocks(piece, column)
        for text in block
    ]


def lines(texts):
    return "".join(json.dumps({"id": 1, "text": text}) + "\n" for text in texts)


@given(
    st.lists(st.text(max_size=9).filter(str.strip), max_size=9), st.integers(1, 40), st.booleans()
)
def test_every_line_is_in_one_piece(tmp_path_factory, texts, size, ends):
    path = tmp_path_factory.mktemp("cut") / "corpus.jsonl"
    written = "\n\n".join(json.dumps({"text": text}) for text in texts)
    path.write_text(written + "\n" * ends)
    assert texts_of([path], size) == texts


def test_parts_are_of_about_equal_size(tmp_path):
    for number, length in enumerate((10, 2500, 30, 0, 40)):
        (tmp_path / f"{number}.txt").write_bytes(b"x" * length)
    parts = cut_corpus(corpus_files(str(tmp_path)), 1000)
    sizes = [[piece.stop - piece.start for piece in part] for part in parts]
    assert sizes == [[10, 1000], [1000], [500, 30, 40]]


@pytest.mark.parametrize("kind", ["jsonl", "json.gz", "jsonl.zst", "parquet", "large.parquet"])
def test_each_kind_of_file_gives_its_texts(tmp_path, kind):
    path = tmp_path / f"corpus.{kind}"
    if kind.endswith("parquet"):
        texts = pa.array(TEXTS, pa.large_string() if "large" in kind else pa.string())
        pq.write_table(pa.table({"n": [1] * 5, "text": texts}), path, row_group_size=2)
    elif kind.endswith("gz"):
        # As two files put together.
        path.write_bytes(
            gzip.compress(lines(TEXTS[:2]).encode()) + gzip.compress(lines(TEXTS[2:]).encode())
        )
    else:
        with pa.output_stream(path, compression="detect") as file:
            file.write(lines(TEXTS).encode())
    assert texts_of([path], 1) == TEXTS


def test_a_line_of_plain_text_is_a_document(tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_bytes("\ufeffone ü\r\n\n  \ntwo".encode())
    assert texts_of([path]) == ["one ü", "two"]


def test_a_key_of_another_name_is_read(tmp_path):
    path = tmp_path / "corpus.jsonl"
    path.write_text('{"text": 1, "content": "yes"}\n')
    assert texts_of([path], column="content") == ["yes"]


def test_a_corpus_is_a_file_a_folder_or_a_glob(tmp_path):
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / ".hidden").mkdir()
    names = ["in/b.txt", "in/a.JSONL", "in/deep/c.parquet", "in/notes.pdf", "in/d.parquet.gz"]
    for name in (*names, ".hidden/e.txt", "in/.f.txt"):
        (tmp_path / name).write_bytes(b"")

    def found(corpus):
        return [
            file.relative_to(tmp_path).as_posix() for file in corpus_files(str(tmp_path / corpus))
        ]

    assert found("") == ["in/a.JSONL", "in/b.txt", "in/deep/c.parquet"]
    assert found("in/b.txt") == ["in/b.txt"]
    assert found("in/*.[tJ]*") == ["in/a.JSONL", "in/b.txt"]
    assert found("**/c.parquet") == ["in/deep/c.parquet"]
    for corpus, message in (
        ("in/notes.pdf", "notes.pdf: the suffix must be .jsonl"),
        ("none.jsonl", "none.jsonl does not exist"),
        ("in/*.csv", r"in/\*.csv does not exist"),
    ):
        with pytest.raises(BadInput, match=message):
            found(corpus)
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match=r"empty has no \.jsonl"):
        found("empty")


@pytest.mark.parametrize("size", [1, 25, 1000])
@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{", "line 4 is not valid JSON"),
        (b"\xff{}", "line 4 is not valid JSON"),
        (b"[1]", "line 4 is not a JSON object"),
        (b'{"id": 1}', "line 4 has no text under 'text'; name the key of the text by --text"),
        (b'{"text": null}', "line 4 has no text under 'text'"),
    ],
)
def test_a_bad_line_is_named(tmp_path, line, message, size):
    path = tmp_path / "corpus.jsonl"
    path.write_bytes(lines(["a", "b" * 50]).encode() + b"\n" + line + b"\n" + lines("c").encode())
    with pytest.raises(BadInput, match=f"corpus.jsonl: {re.escape(message)}"):
        texts_of([path], size)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    (tmp_path / "b.jsonl.gz").write_bytes(b"no packing")
    (tmp_path / "c.txt").write_bytes("ä".encode("utf-16"))
    pq.write_table(pa.table({"text": ["a", None]}), tmp_path / "d.parquet")
    pq.write_table(pa.table({"text": [1]}), tmp_path / "e.parquet")
    pq.write_table(pa.table({"t": ["a"]}), tmp_path / "f.parquet")
    for name, message in (
        ("a.parquet", "cannot be read as Parquet"),
        ("b.jsonl.gz", "cannot be read"),
        ("c.txt", "line 1 is not UTF-8"),
        ("d.parquet", "'text' in row 2 is empty"),
        ("e.parquet", "the column 'text' is int64, not text"),
        ("f.parquet", "has no column 'text'; it has t: name that of the text by --text"),
    ):
        with pytest.raises(BadInput, match=f"{name}:? {re.escape(message)}") as caught:
            texts_of([tmp_path / name])
        assert "\n" not in str(caught.value)


def test_a_block_is_about_a_mebibyte(tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_bytes(b"".join(b"x" * 99_999 + b"\n" for _ in range(40)))
    sizes = [
        sum(map(len, block)) for block in read_blocks(Piece(str(path), 0, 4_000_000, 1), "text")
    ]
    assert sum(sizes) == 40 * 99_999
    assert max(sizes) < 2 << 20
