import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from factcap.synth.errors import BadInput
from factcap.synth.tabular.named_facts import read_named_facts


def test_popqa_has_aliases_as_json_text(tmp_path):
    path = tmp_path / "popqa.jsonl"
    rows = [
        {
            "subj": "George Rankin",
            "prop": "occupation",
            "obj": "politician",
            "s_aliases": '["Sir George", " "]',
            "possible_answers": '["politician", "pol"]',
            "s_pop": 142,
        },
        {"subj": "", "prop": "occupation", "obj": "x", "possible_answers": "[]"},
        {"subj": "Bo", "prop": "born", "obj": "Rome", "possible_answers": None},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    facts = read_named_facts(path)
    assert facts.relation == ["occupation", "born"]
    assert facts.subject_names == [("George Rankin", "Sir George"), ("Bo",)]
    assert facts.object_names == [("politician", "politician", "pol"), ("Rome",)]
    assert facts.incomplete == 1
    assert facts.carried == {}


def test_pararel_takes_its_relation_from_the_file(tmp_path):
    (tmp_path / "P19.jsonl").write_text('{"sub_label": "Bo", "obj_label": "Rome"}\n')
    (tmp_path / "P36.jsonl").write_text('{"sub_label": "Italy", "obj_label": "Rome"}\n')
    (tmp_path / "P36.patterns.jsonl").write_text('{"pattern": "[X] [Y]"}\n')
    facts = read_named_facts(tmp_path)
    assert facts.relation == ["P19", "P36"]
    assert facts.subject_names == [("Bo",), ("Italy",)]


def test_lists_of_parquet_and_bars_of_csv_are_aliases_in_composed_form(tmp_path):
    aliases = [["Cafe\u0301", " b"], None]
    table = pa.table(
        {"subject": ["a", "c"], "object": ["d", "e"], "rel": ["r", "r"], "subject_aliases": aliases}
    )
    pq.write_table(table, tmp_path / "facts.parquet")
    assert read_named_facts(tmp_path / "facts.parquet").subject_names == [
        ("a", "Caf\u00e9", "b"),
        ("c",),
    ]
    path = tmp_path / "facts.csv"
    path.write_text("subject,relation,object,object_aliases\na,r,d,Cafe\u0301| b\nc,r,e,\n")
    assert read_named_facts(path).object_names == [("d", "Caf\u00e9", "b"), ("e",)]


def test_accuracies_are_carried_along_if_all_files_have_them(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("subj,rel,obj,acc,answers\na,r,b,0.5,20\n,r,b,0.1,20\nc,r,d,0.25,40\n")
    carried = read_named_facts(path).carried
    assert {name: held.tolist() for name, held in carried.items()} == {
        "accuracy": [0.5, 0.25],
        "answers": [20, 40],
    }
    (tmp_path / "b.csv").write_text("subj,rel,obj,acc\na,r,b,1\n")
    carried = read_named_facts([path, tmp_path / "b.csv"]).carried
    assert list(carried) == ["accuracy"]
    assert np.array_equal(carried["accuracy"], [0.5, 0.25, 1])
    # Without accuracies, a column of that name may be anything.
    (tmp_path / "c.csv").write_text("subj,rel,obj,answers\na,r,b,who knows\n")
    assert read_named_facts(tmp_path / "c.csv").carried == {}


@pytest.mark.parametrize(
    ("aliases", "message"),
    [
        ('["a"', "'s_aliases' in row 1 is not a valid JSON list"),
        ("[1]", "'s_aliases' in row 1 must be a list of texts"),
        ({"a": 1}, "'s_aliases' in row 1 must be a list of texts"),
    ],
)
def test_aliases_that_are_no_list_are_refused(tmp_path, aliases, message):
    path = tmp_path / "facts.jsonl"
    row = {"subj": "a", "rel": "r", "obj": "b", "s_aliases": aliases}
    path.write_text(json.dumps(row) + "\n")
    with pytest.raises(BadInput, match=message):
        read_named_facts(path)


def test_an_accuracy_that_is_no_number_is_refused(tmp_path):
    path = tmp_path / "facts.csv"
    path.write_text("subj,rel,obj,accuracy\na,r,b,high\n")
    with pytest.raises(BadInput, match="'accuracy' in row 1 must be a number, not 'high'"):
        read_named_facts(path)
