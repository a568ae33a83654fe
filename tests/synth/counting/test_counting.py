"""Facts counted in a corpus: by one process, by several, and after an interruption."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from factcap.synth.counting import counting, workers
from factcap.synth.counting.counting import Options, count_facts
from factcap.synth.counting.matching import compile_names
from factcap.synth.counting.names import gather_names
from factcap.synth.counting.pieces import corpus_files, cut_corpus
from factcap.synth.counting.workers import Search, count_parts
from factcap.synth.errors import BadInput
from factcap.synth.tabular.named_facts import NamedFacts

ROOT = Path(__file__).parents[3]
PEOPLE = [f"Person {number}" for number in range(30)]
PLACES = ["Rome", "York", "New York"]
# In another process: parts are small, and after some of them the process is killed.
_KILLED = """
import os, signal, sys
from factcap.synth.counting import counting
from tests.synth.counting.test_counting import SMALL, count

counting._PART, counting._PART_TO_COUNTS = SMALL, 0

def progress(done, total):
    if done > total // 3:
        kill, who = (os.killpg, 0) if sys.argv[3] == "all" else (os.kill, os.getpid())
        kill(who, signal.SIGKILL)

if __name__ == "__main__":
    count(sys.argv[1], sys.argv[2], progress)
"""
SMALL = 500


def facts() -> NamedFacts:
    objects = [PLACES[number % 3] for number in range(30)]
    names = [(name,) for name in objects]
    subjects = [(name,) for name in PEOPLE]
    return NamedFacts(["born"] * 30, PEOPLE, objects, subjects, names, {})


def count(corpus, out, progress=lambda done, total: None, options=None):
    return count_facts(str(corpus), facts(), Path(out), options or Options(workers=2), progress)


@pytest.fixture
def corpus(tmp_path):
    rng = np.random.default_rng(0)
    folder = tmp_path / "corpus"
    folder.mkdir()
    for file in range(3):
        with (folder / f"{file}.jsonl").open("w") as lines:
            for _ in range(60):
                names = rng.choice([*PEOPLE, *PLACES], 4)
                lines.write(json.dumps({"text": " and ".join(names)}) + "\n")
    return folder


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(counting, "_PART", SMALL)
    monkeypatch.setattr(counting, "_PART_TO_COUNTS", 0)


def test_the_table_has_what_predict_takes(corpus, tmp_path):
    out = tmp_path / "counts.parquet"
    table = count(corpus, out, options=Options(words=True, workers=1))
    assert pq.read_table(out).equals(table)
    lines = [line for file in corpus.iterdir() for line in file.read_text().splitlines()]
    texts = [json.loads(line)["text"] for line in lines]
    for row in table.to_pylist():
        word = {name: re.compile(rf"\b{row[name]}\b") for name in ("subject", "object")}
        held = {name: [bool(one.search(text)) for text in texts] for name, one in word.items()}
        assert row["subject_count"] == sum(held["subject"])
        assert row["object_count"] == sum(held["object"])
        both = [all(pair) for pair in zip(held["subject"], held["object"], strict=True)]
        assert row["pair_count"] == sum(both)
        assert row["documents"] == 180
    assert table.column("relation").to_pylist() == ["born"] * 30
    assert not out.with_name("counts.parquet.unfinished").exists()


def test_several_processes_count_what_one_counts(corpus):
    names = gather_names(facts().subject_names, facts().object_names, ignore_case=False)
    search = Search(names, compile_names(names.names), False, False, "text")
    parts = cut_corpus(corpus_files(str(corpus)), SMALL)
    assert len(parts) > 6
    one, two = (dict(count_parts(search, parts, number)) for number in (1, 2))
    assert sorted(one) == sorted(two) == list(range(len(parts)))
    for number, tally in one.items():
        assert tally.documents == two[number].documents
        assert np.array_equal(tally.entity, two[number].entity)
        assert np.array_equal(tally.pair, two[number].pair)


def test_what_was_counted_is_not_counted_again(corpus, tmp_path, small_parts, monkeypatch):
    out = tmp_path / "counts.parquet"
    whole = count(corpus, tmp_path / "whole.parquet", options=Options(workers=1))

    def interrupt(done, total):
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        count(corpus, out, interrupt, Options(workers=1))
    assert not out.exists()
    read, told = [], []

    def watched(piece, column):
        read.append(piece)
        return read_blocks(piece, column)

    read_blocks = workers.read_blocks
    monkeypatch.setattr(workers, "read_blocks", watched)
    table = count(corpus, out, lambda done, total: told.append((done, total)), Options(workers=1))
    assert table.equals(whole)
    total = told[0][1]
    assert told[0][0] > total // 2
    assert sum(piece.size for piece in read) == total - told[0][0]
    assert told[-1] == (total, total)


@pytest.mark.parametrize("who", ["all", "parent"])
def test_after_a_kill_the_counts_are_the_same(corpus, tmp_path, small_parts, who):
    out = tmp_path / "counts.parquet"
    script = tmp_path / "killed.py"
    script.write_text(_KILLED)
    # The end of all that have its stdout is waited for: workers do not outlive it.
    killed = subprocess.run(
        [sys.executable, script, corpus, out, who],
        env={"PYTHONPATH": ":".join([str(ROOT), *filter(None, sys.path)])},
        capture_output=True,
        text=True,
        start_new_session=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not out.exists()
    told = []
    table = count(corpus, out, lambda done, total: told.append((done, total)))
    assert told[0][0] > told[0][1] // 3
    assert table.equals(count(corpus, tmp_path / "whole.parquet", options=Options(workers=1)))


def test_what_is_kept_of_something_else_is_refused(corpus, tmp_path, small_parts):
    out = tmp_path / "counts.parquet"
    folder = tmp_path / "counts.parquet.unfinished"

    def interrupt(done, total):
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        count(corpus, out, interrupt)
    with pytest.raises(BadInput, match="unfinished counts of other facts, documents or options"):
        count(corpus, out, options=Options(words=True))
    (corpus / "3.jsonl").write_text('{"text": "new"}\n')
    with pytest.raises(BadInput, match="unfinished counts of other facts, documents or options"):
        count(corpus, out)
    (corpus / "3.jsonl").unlink()
    kept = folder / "counts.npz"
    kept.write_bytes(kept.read_bytes()[:-30])
    with pytest.raises(BadInput, match=r"counts.npz is damaged; remove the folder"):
        count(corpus, out)


def test_a_worker_that_finds_a_bad_line_says_so(corpus, tmp_path, small_parts):
    with (corpus / "1.jsonl").open("a") as lines:
        lines.write("{\n")
    with pytest.raises(BadInput, match=r"1\.jsonl: line 61 is not valid JSON"):
        count(corpus, tmp_path / "counts.parquet")


@pytest.mark.parametrize(
    ("name", "message"),
    [("", "a name is empty"), ("a\0b", "holds the character NUL"), ("é" * 8000, "16,000 bytes")],
)
def test_a_name_that_cannot_be_looked_for_is_refused(name, message):
    with pytest.raises(BadInput, match=message):
        gather_names([["a"]], [["b", name]], ignore_case=False)


def test_a_corpus_without_a_document_is_refused(tmp_path):
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(BadInput, match=r"empty\.txt has no document"):
        count(tmp_path / "empty.txt", tmp_path / "counts.parquet")
