import csv
import json
import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from factcap.synth import BadInput
from factcap.synth.tabular.counts import read_counts, size_in_name

ROWS = [
    {"relation": "born", "subject_count": 8, "object_count": 16, "pair_count": 4},
    {"relation": "died", "subject_count": 2, "object_count": 5, "pair_count": 0},
]
ROWS = [{**row, "documents": 64, "accuracy": 0.25 * number} for number, row in enumerate(ROWS)]
THEIRS = {
    "relation": "rel",
    "subject_count": "time_subj",
    "object_count": "time_obj",
    "pair_count": "time_s1j1",
    "documents": "time_seqs",
    "accuracy": "acc",
}


def write(path, rows):
    if path.suffix == ".json":
        path.write_text(json.dumps(rows))
    elif path.suffix == ".jsonl":
        path.write_text("\n".join(map(json.dumps, rows)))
    elif path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0], delimiter="\t" if path.suffix == ".tsv" else ",")
            writer.writeheader()
            writer.writerows(rows)
    return path


@pytest.mark.parametrize("suffix", ["csv", "tsv", "json", "jsonl", "parquet"])
@pytest.mark.parametrize("names", [{}, THEIRS])
def test_every_format_and_both_namings_give_the_same(tmp_path, suffix, names):
    rows = [{names.get(name, name): value for name, value in row.items()} for row in ROWS]
    table = read_counts(write(tmp_path / f"pythia-1.4b.{suffix}", rows))
    assert (table.model, table.size, table.documents) == ("pythia-1.4b", 1.4e9, 64)
    assert table.relation.tolist() == ["born", "died"]
    for name in ("subject_count", "object_count", "pair_count", "accuracy"):
        np.testing.assert_array_equal(getattr(table, name), [row[name] for row in ROWS])
    assert table.subject is table.object is table.answers is table.entropy_bits is None


def test_what_may_be_there_is_read_too(tmp_path):
    more = {"subject": "Bo", "object": "Rome", "answers": 400, "entropy_bits": 6.5, "qus": "?"}
    table = read_counts(write(tmp_path / "mine.csv", [{**row, **more} for row in ROWS]))
    assert table.subject is not None
    assert table.object is not None
    assert (table.subject[0], table.object[1]) == ("Bo", "Rome")
    assert table.answers is not None
    assert table.entropy_bits is not None
    assert (table.answers[0], table.entropy_bits[1]) == (400, 6.5)
    assert math.isnan(table.size)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("pythia-160m", 160e6),
        ("gpt-neo-1.3B", 1.3e9),
        ("bloom-1b7", 1.7e9),
        ("pythia-12b-deduped", 12e9),
        ("bloom-7b1_results", 7.1e9),
        ("Llama-2-70b-hf", 70e9),
        ("opt.350m", None),
        ("gpt2-xl", None),
        ("3beans", None),
    ],
)
def test_sizes_are_read_from_names(name, size):
    found = size_in_name(name)
    assert math.isnan(found) if size is None else found == size


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pair_count": 9}, "row 2 has pair_count 9 and subject_count 2; pair_count cannot be"),
        ({"object_count": 1, "pair_count": 2}, "pair_count 2 and object_count 1"),
        ({"subject_count": 65}, "subject_count cannot be more than documents"),
        ({"object_count": 65}, "object_count cannot be more than documents"),
        ({"pair_count": -1}, "row 2 has pair_count -1; it must not be negative"),
        ({"accuracy": 1.5}, "row 2 has accuracy 1.5; it must lie in [0, 1]"),
        ({"accuracy": -0.1}, "accuracy -0.1; it must not be negative"),
        ({"accuracy": None}, "accuracy in row 2 must be a number, not empty"),
        ({"accuracy": "often"}, "accuracy in row 2 must be a number, not often"),
        ({"accuracy": "nan"}, "accuracy in row 2 must be a number, not nan"),
        ({"relation": " "}, "row 2 has an empty relation"),
        ({"documents": 65}, "documents is 64 in one row and 65 in another"),
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "json"])
def test_bad_rows_are_named(tmp_path, suffix, change, message):
    path = write(tmp_path / f"m.{suffix}", [ROWS[0], {**ROWS[1], **change}])
    with pytest.raises(BadInput) as caught:
        read_counts(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "is not valid JSON"),
        ("{}", "must be a list of JSON objects"),
        ("[1]", "must be a list of JSON objects"),
        ("[]", "is empty"),
        ('[{"rel": "born"}]', "has no column subject_count (or time_subj)"),
        (json.dumps([{**ROWS[0], "accuracy": [1]}]), "accuracy in row 1 must be text or a number"),
    ],
)
def test_bad_json_is_named(tmp_path, text, message):
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(BadInput) as caught:
        read_counts(tmp_path / "m.json")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("absent.json", "does not exist"),
        ("absent.csv", "does not exist"),
        (".", "is a folder; give the files of models"),
        ("m.txt", "the suffix must be"),
    ],
)
def test_files_that_cannot_be_are_named(tmp_path, path, message):
    (tmp_path / "m.txt").write_text("x")
    with pytest.raises(BadInput, match=message):
        read_counts(tmp_path / path)
