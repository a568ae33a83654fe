import itertools
import json

import numpy as np
import pytest

from factcap.synth import BadInput
from factcap.synth.tabular.triple_table import read_triples


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def as_lists(table):
    texts = zip(
        table.subject.to_pylist(), table.relation.to_pylist(), table.object.to_pylist(), strict=True
    )
    return list(texts), table.count.tolist()


@pytest.mark.parametrize("header", ["subj,prop,obj,s_pop", "Name,REL,Value, Appearances "])
def test_usual_names_are_recognized_in_any_case(header, tmp_path):
    path = write(tmp_path / "t.csv", f"{header}\nAda,job,poet,3\n")
    table, incomplete = read_triples([path])
    assert as_lists(table) == ([("Ada", "job", "poet")], [3])
    assert incomplete == 0


def test_the_first_of_several_usual_names_is_taken_and_named_columns_are_not(tmp_path):
    path = write(tmp_path / "t.csv", "name,subject,value,object\nn,s,v,o\n")
    assert as_lists(read_triples([path])[0])[0] == [("s", "t", "o")]
    assert as_lists(read_triples([path], subject="object")[0])[0] == [("o", "t", "v")]
    assert as_lists(read_triples([path], object="subject")[0])[0] == [("n", "t", "s")]


def test_several_files_follow_each_other_and_lend_their_names_to_relations(tmp_path):
    first = write(tmp_path / "born.jsonl", '{"sub_label": "Ada", "obj_label": "London"}\n')
    second = write(tmp_path / "job.csv", "head,tail,count\nAda,poet,2\nBob,cook,\n")
    triples, counts = as_lists(read_triples([first, second])[0])
    assert triples == [("Ada", "born", "London"), ("Ada", "job", "poet"), ("Bob", "job", "cook")]
    np.testing.assert_array_equal(counts, [np.nan, 2, np.nan])


def test_a_wide_table_is_a_long_one_row_by_row_without_empty_cells(tmp_path):
    rng = np.random.default_rng(0)
    names = ["job", "born", "eye"]
    cells = [[f"{rng.integers(4)}" if rng.random() < 0.7 else "" for _ in names] for _ in range(30)]
    lines = [f"s{i},{','.join(row)},{i}" for i, row in enumerate(cells)]
    wide = write(tmp_path / "w.csv", "\n".join(["name,job,born,eye,count", *lines]))
    expected = [
        (f"s{i}", name, cell, i)
        for i, row in enumerate(cells)
        for name, cell in zip(names, row, strict=True)
        if cell
    ]
    table, incomplete = read_triples([wide], object=names)
    triples, counts = as_lists(table)
    assert [(*triple, count) for triple, count in zip(triples, counts, strict=True)] == expected
    assert incomplete == 30 * 3 - len(expected) > 0


def test_a_row_without_subject_relation_or_object_is_left_out(tmp_path):
    rows = list(itertools.product(["s", " "], ["r", ""], ["o", "\u2003"]))
    lines = [json.dumps(dict(zip(("subject", "rel", "obj"), row, strict=True))) for row in rows]
    table, incomplete = read_triples([write(tmp_path / "t.jsonl", "\n".join(lines))])
    assert as_lists(table)[0] == [("s", "r", "o")]
    assert incomplete == 7


@pytest.mark.parametrize("text", ["0", "12", "1.5", ".5", "3.", "2e3", "1E-2", " 7 "])
def test_counts_are_decimal_numbers(text, tmp_path):
    path = write(tmp_path / "t.csv", f"subject,object,count\na,b,{text}\n")
    assert read_triples([path])[0].count.tolist() == [float(text)]


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "1e999", "many", '"3,093"', "0x10", "1 2"])
def test_other_counts_are_refused_with_file_and_row(text, tmp_path):
    path = write(tmp_path / "t.csv", f"subject,object,count\na,b,1\na,c,\na,d,{text}\n")
    with pytest.raises(BadInput, match=r"t\.csv: 'count' in row 3 must be a number >= 0") as caught:
        read_triples([path])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("header", "arguments", "message"),
    [
        ("who,object", {}, "known to be the subject; give subject, out of its columns 'who', 'ob"),
        ("name,what", {}, "known to be the object; give object"),
        (
            "name,value",
            {"subject": "nobody"},
            "no column 'nobody'; its columns are 'name', 'value'",
        ),
        ("name,value", {"count": "n"}, "no column 'n'"),
        ("name,value", {"object": ("value", "eye")}, "no column 'eye'"),
        ("name,value", {"object": ()}, "object names no column"),
        ("name,rel", {"object": ("rel",), "relation": "name"}, "leave out the relation 'name'"),
        (
            "name,value",
            {"subject": "value", "object": "value"},
            "named twice among 'value', 'value'",
        ),
        ("name,name", {"object": "value"}, "two columns 'name'|no column 'value'"),
        ("name,value,value", {}, "two columns 'value'"),
        ("name,value", {}, "no row has a subject and an object"),
    ],
)
def test_columns_that_cannot_be_are_refused_in_one_line(header, arguments, message, tmp_path):
    path = write(tmp_path / "t.csv", f"{header}\n{',' * header.count(',')}\n")
    with pytest.raises(BadInput, match=message) as caught:
        read_triples([path], **arguments)
    assert "\n" not in str(caught.value)
