import csv
import json
import tempfile
import unicodedata
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factcap.synth import BadInput
from factcap.synth.tabular.tables import column_names, read_columns, table_files

# Letters of many scripts, combining marks and wide spaces, and all that is special in CSV or JSON.
characters = st.one_of(
    st.characters(max_codepoint=0x1FFF, exclude_categories=["Cc", "Cs", "Cn", "Co"]),
    st.sampled_from(",\"'\n\t;\\{}[]é\u2003"),
)
cells = st.text(characters, max_size=8)
rows = st.lists(st.tuples(cells, cells), min_size=1, max_size=6)
NAMES = ("left", "right")


def clean(cell):
    return unicodedata.normalize("NFC", cell or "").strip() or None


def expected(rows):
    return [{name: clean(cell) for name, cell in zip(NAMES, row, strict=True)} for row in rows]


def write_delimited(path, rows, delimiter=",", encoding="utf-8"):
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL)
        writer.writerows([NAMES, *rows])


def write_json_lines(path, rows, encoding="utf-8"):
    lines = [json.dumps(dict(zip(NAMES, row, strict=True)), ensure_ascii=False) for row in rows]
    path.write_text("\n\n".join(lines) + "\n", encoding=encoding)


def write_parquet(path, rows):
    pq.write_table(pa.table(dict(zip(NAMES, zip(*rows, strict=True), strict=True))), path)


@given(rows)
def test_every_format_gives_the_same_text(rows):
    with tempfile.TemporaryDirectory() as folder:
        csv_, tsv, jsonl, parquet = (
            Path(folder) / name for name in ("t.csv", "t.TSV", "t.jsonl", "t.parquet")
        )
        write_delimited(csv_, rows)
        write_delimited(tsv, rows, delimiter="\t")
        write_json_lines(jsonl, rows)
        write_parquet(parquet, rows)
        for path in (csv_, tsv, jsonl, parquet):
            assert column_names(path) == NAMES
            assert read_columns(path, NAMES).to_pylist() == expected(rows)
            assert read_columns(path, ["right"]).column_names == ["right"]


@pytest.mark.parametrize("write", [write_delimited, write_json_lines])
def test_a_byte_order_mark_is_no_part_of_the_first_name(write, tmp_path):
    path = tmp_path / ("t.csv" if write is write_delimited else "t.jsonl")
    write(path, [("a", "b")], encoding="utf-8-sig")
    assert column_names(path) == NAMES
    assert read_columns(path, NAMES).to_pylist() == [{"left": "a", "right": "b"}]


def test_text_that_looks_like_something_else_stays_text(tmp_path):
    texts = ["NA", "null", "1990-01-01", "007", "1.50", "true"]
    table = [(text, text) for text in texts]
    write_delimited(tmp_path / "t.csv", table)
    write_json_lines(tmp_path / "t.jsonl", table)
    for name in ("t.csv", "t.jsonl"):
        assert read_columns(tmp_path / name, ["left"]).column("left").to_pylist() == texts


def test_numbers_and_gaps_of_typed_formats(tmp_path):
    (tmp_path / "t.jsonl").write_text(
        '{"left": 7, "more": [1, {}]}\n{"left": 2.5, "right": null}\n{"right": "x", "more": "y"}\n'
    )
    table = pa.table({"left": pa.array([7, 2.5, None]), "right": pa.array([None, None, "x"])})
    pq.write_table(table, tmp_path / "t.parquet")
    assert column_names(tmp_path / "t.jsonl") == ("left", "more", "right")
    lines = read_columns(tmp_path / "t.jsonl", NAMES)
    columns = read_columns(tmp_path / "t.parquet", NAMES)
    assert (
        lines.column("left").to_pylist() == columns.column("left").to_pylist() == ["7", "2.5", None]
    )
    assert lines.column("right") == columns.column("right")


def test_a_folder_gives_its_tables_by_name_without_patterns(tmp_path):
    for name in ("b.csv", "a.jsonl", "c.PARQUET", "a.patterns.jsonl", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "d.csv").mkdir()
    assert [file.name for file in table_files(tmp_path)] == ["a.jsonl", "b.csv", "c.PARQUET"]
    named = [tmp_path / "a.patterns.jsonl", str(tmp_path / "b.csv")]
    assert table_files(named) == [tmp_path / "a.patterns.jsonl", tmp_path / "b.csv"]


def test_files_that_are_no_tables_are_refused(tmp_path):
    (tmp_path / "notes.txt").touch()
    for paths, message in (
        ([], "no file is named"),
        (tmp_path / "gone.csv", "gone.csv does not exist"),
        (tmp_path / "notes.txt", "suffix must be .* not '.txt'"),
        (tmp_path, "has no .csv"),
    ):
        with pytest.raises(BadInput, match=message):
            table_files(paths)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", b"", "Empty CSV"),
        ("t.csv", b"left,right\n1,2,3\n", "Expected 2 columns, got 3"),
        ("t.csv", b'left,right\n"1,2\n3,4\n', "Expected 2 columns"),
        ("t.csv", "left,right\né,2\n".encode("latin-1"), "UTF"),
        ("t.tsv", "left\tright\né\t2\n".encode("utf-16"), "UTF|columns"),
        ("t.jsonl", b"\n", "is empty"),
        ("t.jsonl", b'{"left": 1}\n{"left"\n', "line 2 is not valid JSON"),
        ("t.jsonl", b"[" * 10**5, "line 1 is not valid JSON"),
        ("t.jsonl", b"[1, 2]\n", "line 1 is not a JSON object"),
        ("t.jsonl", b'{"left": 1}\n{"left": [1]}\n', "'left' in row 2 must be text or a number"),
        ("t.jsonl", b'{"left": true}\n', "not true"),
        ("t.jsonl", b'{"left": "\\ud800"}\n', "surrogates"),
        ("t.jsonl", '{"left": "é"}\n'.encode("latin-1"), "UTF-8"),
        ("t.parquet", b"PAR1 is not enough", "must be Parquet"),
    ],
)
def test_unreadable_files_are_refused_in_one_line(name, content, message, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BadInput, match=message) as caught:
        read_columns(path, column_names(path)[:1])
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_nested_columns_of_parquet_are_refused_only_if_asked_for(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"left": ["a"], "right": [[1, 2]]}), path)
    assert read_columns(path, ["left"]).to_pylist() == [{"left": "a"}]
    with pytest.raises(BadInput, match="columns of text or numbers"):
        read_columns(path, ["right"])
