import json
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest


@pytest.fixture
def facts(tmp_path):
    """Facts that are the better known the oftener they are told."""
    rows = ["subject,relation,object,subject_aliases,accuracy"]
    rows += [
        f"Person {number},born,Town {number % 20},P{number}|Dr {number},{number / 200}"
        for number in range(200)
    ]
    path = tmp_path / "facts.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.fixture
def corpus(tmp_path):
    folder = tmp_path / "corpus"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for file in range(2):
        with (folder / f"{file}.jsonl").open("w") as lines:
            for number in rng.integers(0, 200, 600).tolist():
                if rng.random() < number / 200:
                    text = f"dr {number} was born in Town {number % 20}."
                else:
                    text = f"Who is Person {number}?"
                lines.write(json.dumps({"text": text}) + "\n")
    return folder


def test_counts_go_into_predictions(call, facts, corpus, tmp_path):
    out = tmp_path / "tiny-1m.parquet"
    words = ("count", corpus, facts, "--out", out, "--whole-words", "--ignore-case")
    code, text, err = call(*words)
    assert (code, err) == (0, "")
    assert text.startswith(f"{out}: 200 facts in 1,200 documents\n")
    texts = [
        json.loads(line)["text"].lower()
        for file in corpus.iterdir()
        for line in file.read_text().splitlines()
    ]
    row = pq.read_table(out).to_pylist()[120]
    told = sum("dr 120 " in each for each in texts)
    assert row["pair_count"] == told > 0
    assert row["subject_count"] == told + sum("person 120?" in each for each in texts)
    assert row["object_count"] == sum("in town 0." in each for each in texts)
    code, text, err = call("predict", out, "--predictors", "cooccurrence", "law", "--json")
    assert code == 0, err
    assert {score["model"] for score in json.loads(text)["scores"]} == {"tiny-1m"}


def test_json_says_what_was_counted(call, facts, corpus, tmp_path):
    out = tmp_path / "counts.parquet"
    code, text, _ = call("count", f"{corpus}/*.jsonl", facts, "--out", out, "--json")
    assert code == 0
    found = json.loads(text)
    table = pq.read_table(out)
    assert found["file"] == str(out)
    assert (found["facts"], found["documents"]) == (200, 1200)
    assert found["never"]["pair"] == np.count_nonzero(table.column("pair_count").to_numpy() == 0)


def test_rows_that_are_left_out_are_told(call, corpus, tmp_path):
    facts = tmp_path / "facts.csv"
    facts.write_text("subject,relation,object\na,r,b\n,r,b\n")
    code, _, err = call("count", corpus, facts, "--out", tmp_path / "counts.parquet")
    assert code == 0
    assert err == "rows left out for an empty subject, relation or object: 1\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("{corpus}", "{facts}", "--out", "counts.csv"), "--out must be a .parquet file"),
        (("{corpus}", "{facts}", "--out", "{facts}"), "--out must be a .parquet file"),
        (("{corpus}", "{facts}", "--out", "none/c.parquet"), "the folder none does not exist"),
        (("{corpus}", "none.csv", "--out", "c.parquet"), "none.csv does not exist"),
        (("none.txt", "{facts}", "--out", "c.parquet"), "none.txt does not exist"),
        (("{corpus}", "{facts}", "--out", "c.parquet", "--text", "t"), "line 1 has no text under"),
        (("{corpus}", "{facts}", "--out", "c.parquet", "--workers", "-1"), "--workers must be"),
    ],
)
def test_bad_input_gets_one_line(call, facts, corpus, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    given = [word.format(corpus=corpus, facts=facts) for word in words]
    code, text, err = call("count", *given)
    assert (code, text) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_without_hyperscan_one_line_says_what_to_install(
    call, facts, corpus, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "hyperscan", None)
    code, _, err = call("count", corpus, facts, "--out", tmp_path / "counts.parquet")
    assert code == 2
    assert "pip install 'factcap[count]'" in err
    assert err.count("\n") == 1
